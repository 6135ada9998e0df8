"""SQL of the city: its baselines, its frame, its datasets, and reading it back.

Functions take an open DuckDB connection: the writer's inside a transaction, a reader's cursor, or a bench's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import duckdb
import pyarrow as pa

from cim.city.attached import Attachment
from cim.city.model import CityFrame, FirstView
from cim.errors import Conflict
from cim.findings import Provenance

ATTACHED_LISTED_MAX: Final = 100
"""Things that lost their object that a job's summary names; beyond it they are only counted."""

OBJECT_COLUMNS: Final = "id, type, dataset, parent_id, attributes, place, xmin, ymin, zmin, xmax, ymax, zmax"
GEOMETRY_COLUMNS: Final = "object_id, lod, kind, surfaces, structure"

_DATASET_COLUMNS: Final = (
    "id, baseline_version, title, source_file, source_sha256, licence, attribution, reader, reader_version, read_at,"
    " generated"
)

# A join on two narrow columns: numbering the versions in a window would carry places and attributes through it.
CURRENT: Final = """
    SELECT * FROM city_object JOIN (
        SELECT id, max(baseline_version) AS baseline_version FROM city_object WHERE baseline_version <= ? GROUP BY id
    ) USING (id, baseline_version) WHERE NOT removed
"""


@dataclass(frozen=True, slots=True)
class Published:
    """What one publication did to the city."""

    baseline_version: int
    added: int
    changed: int
    removed: int
    unchanged: int
    attached: tuple[Attachment, ...] = ()
    """What is attached to objects that the city shows no more."""

    def attached_summary(self) -> dict[str, object]:
        """Return what lost its object as members of a job's summary; nothing where nothing did.

        A summary is for everybody, so what is not public is only counted.
        """
        if not self.attached:
            return {}
        items = [one.json() for one in self.attached if one.is_public][:ATTACHED_LISTED_MAX]
        return {"attached_gone": {"count": len(self.attached), "items": items}}


@dataclass(frozen=True, slots=True)
class Act:
    """Who changed the city, through what, when."""

    job_id: str
    actor: str
    origin: str
    at: datetime


def write_baseline(connection: duckdb.DuckDBPyConnection, act: Act, published: Published) -> None:
    """Make a baseline the one that is seen, in the caller's transaction."""
    connection.execute(
        "INSERT INTO baseline VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            published.baseline_version,
            *(act.job_id, act.actor, act.origin, act.at),
            *(published.added, published.changed, published.removed),
        ],
    )


def current_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the newest baseline, 0 for an empty city."""
    return int(_scalar(connection, "SELECT coalesce(max(baseline_version), 0) FROM baseline", []))


def published_at(connection: duckdb.DuckDBPyConnection, version: int) -> datetime | None:
    """Return when a baseline was committed, ``None`` for one that was not."""
    rows = connection.execute("SELECT committed_at FROM baseline WHERE baseline_version = ?", [version]).fetchall()
    instant: datetime | None = rows[0][0] if rows else None
    return None if instant is None else instant.replace(tzinfo=UTC)


def has_published(connection: duckdb.DuckDBPyConnection, job_id: str) -> bool:
    """Tell whether a job has a baseline."""
    return _scalar(connection, "SELECT count(*) FROM baseline WHERE job_id = ?", [job_id]) > 0


def read_objects(connection: duckdb.DuckDBPyConnection, version: int, types: Sequence[str] = ()) -> pa.Table:
    """Return the objects of a baseline, all or those of some types, oldest first."""
    chosen = "WHERE list_contains(?, type)" if types else ""
    return connection.sql(
        f"""SELECT {OBJECT_COLUMNS}, baseline_version FROM ({CURRENT}) {chosen}
            ORDER BY baseline_version, id""",  # noqa: S608 -- constants of this module
        params=[version, list(types)] if types else [version],
    ).to_arrow_table()


def read_geometries(connection: duckdb.DuckDBPyConnection, version: int, types: Sequence[str] = ()) -> pa.Table:
    """Return the geometries of the objects of a baseline, in the order of their objects' ids."""
    chosen = "WHERE list_contains(?, type)" if types else ""
    return connection.sql(
        f"""SELECT g.object_id, g.lod, g.kind, g.surfaces, g.structure
            FROM city_geometry g
            JOIN (SELECT id, baseline_version FROM ({CURRENT}) {chosen}) o
              ON o.id = g.object_id AND o.baseline_version = g.baseline_version
            ORDER BY g.object_id, g.lod, g.kind""",  # noqa: S608 -- constants of this module
        params=[version, list(types)] if types else [version],
    ).to_arrow_table()


def read_object_rows(connection: duckdb.DuckDBPyConnection, version: int, ids: Sequence[str]) -> pa.Table:
    """Return some objects of a baseline by id; those that are not there are left out.

    Costs what is asked for, not the city: their versions alone are looked at.
    """
    return connection.sql(
        f"""SELECT {OBJECT_COLUMNS}, baseline_version FROM city_object
            WHERE id IN (SELECT unnest(?)) AND baseline_version <= ?
            QUALIFY row_number() OVER (PARTITION BY id ORDER BY baseline_version DESC) = 1 AND NOT removed""",  # noqa: S608
        params=[list(ids), version],
    ).to_arrow_table()


def read_objects_at(
    connection: duckdb.DuckDBPyConnection, version: int, ids: Sequence[str]
) -> tuple[pa.Table, pa.Table]:
    """Return some objects as a baseline had them, with their geometries; costs what is asked for, not the city."""
    objects = read_object_rows(connection, version, ids)
    owners = dict(zip(objects["id"].to_pylist(), objects["baseline_version"].to_pylist(), strict=True))
    # Versions are compared here: a condition on both columns at once keeps DuckDB from its fast scan of one.
    found = connection.sql(
        f"SELECT {GEOMETRY_COLUMNS}, baseline_version FROM city_geometry WHERE object_id IN (SELECT unnest(?))",  # noqa: S608
        params=[list(owners)],
    ).to_arrow_table()
    pairs = zip(found["object_id"].to_pylist(), found["baseline_version"].to_pylist(), strict=True)
    geometries = found.filter(pa.array([owners[owner] == number for owner, number in pairs], pa.bool_()))
    geometries = geometries.drop_columns("baseline_version").sort_by([("object_id", "ascending"), ("lod", "ascending")])
    return objects, geometries


def read_changed(connection: duckdb.DuckDBPyConnection, since: int, version: int, limit: int) -> list[tuple[str, str]]:
    """Return id and type of at most ``limit`` objects that have versions after one baseline, up to another."""
    return connection.execute(
        "SELECT DISTINCT id, type FROM city_object WHERE baseline_version > ? AND baseline_version <= ? LIMIT ?",
        [since, version, limit],
    ).fetchall()


def read_geometry_rows(connection: duckdb.DuckDBPyConnection, object_id: str, version: int) -> pa.Table:
    """Return the geometries that an object got in one baseline."""
    return connection.sql(
        f"SELECT {GEOMETRY_COLUMNS} FROM city_geometry WHERE object_id = ? AND baseline_version = ? ORDER BY lod",  # noqa: S608
        params=[object_id, version],
    ).to_arrow_table()


def read_frame(connection: duckdb.DuckDBPyConnection) -> CityFrame | None:
    """Return the frame of the city, or ``None`` before its first ingest."""
    rows = connection.execute(
        "SELECT slug, title_en, title_zh, crs, vertical_datum, ground, time_zone, first_view"
        " FROM city ORDER BY created_at LIMIT 1"
    ).fetchall()
    if not rows:
        return None
    *frame, view = rows[0]
    return replace(CityFrame(*frame), first_view=None if view is None else FirstView(*json.loads(view)))


def check_frame(present: CityFrame | None, frame: CityFrame) -> None:
    """Raise :class:`Conflict` if the city is there and has another CRS than a frame."""
    if present is not None and present.crs != frame.crs:
        raise Conflict("The city has another coordinate system.", code="city-crs", crs=present.crs)


def write_frame(connection: duckdb.DuckDBPyConnection, frame: CityFrame, at: datetime) -> None:
    """Fix the frame of the city, or what it stands on now; raises :class:`Conflict` if it has another CRS already."""
    present = read_frame(connection)
    check_frame(present, frame)
    if present is None:
        connection.execute(
            "INSERT INTO city"
            " (slug, title_en, title_zh, crs, vertical_datum, ground, time_zone, created_at, first_view)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                frame.slug,
                frame.title_en,
                frame.title_zh,
                frame.crs,
                frame.vertical_datum,
                frame.ground,
                frame.time_zone,
                at,
                None if frame.first_view is None else json.dumps(frame.first_view),
            ],
        )
    elif present.ground != frame.ground:
        connection.execute("UPDATE city SET ground = ? WHERE slug = ?", [frame.ground, present.slug])


def write_dataset(connection: duckdb.DuckDBPyConnection, dataset: Provenance, version: int) -> None:
    """Record a source as it was taken in at a baseline."""
    connection.execute(
        f"INSERT INTO dataset ({_DATASET_COLUMNS}, withdrawn) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, false)",  # noqa: S608
        [
            dataset.dataset,
            version,
            dataset.title,
            dataset.source_file,
            dataset.source_sha256,
            dataset.licence,
            dataset.attribution,
            dataset.reader,
            dataset.reader_version,
            dataset.read_at,
            dataset.generated,
        ],
    )


def read_datasets(connection: duckdb.DuckDBPyConnection) -> list[Provenance]:
    """Return the newest record of each source, in the order in which they first came."""
    rows = connection.execute(
        """SELECT id, title, source_file, source_sha256, licence, attribution, reader, reader_version, read_at,
                  generated
           FROM dataset WHERE baseline_version <= (SELECT coalesce(max(baseline_version), 0) FROM baseline)
           QUALIFY row_number() OVER (PARTITION BY id ORDER BY baseline_version DESC) = 1
               AND NOT coalesce(withdrawn, false)
           ORDER BY min(baseline_version) OVER (PARTITION BY id), id"""
    ).fetchall()
    # The store keeps UTC without saying so; what leaves it says so.
    return [replace(Provenance(*row), read_at=row[8].replace(tzinfo=UTC)) for row in rows]


def _scalar(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[object]) -> int:
    # All rows are fetched, always: a result that is not read to its end blocks the connection's next work.
    rows = connection.execute(sql, parameters).fetchall()
    return int(rows[0][0])
