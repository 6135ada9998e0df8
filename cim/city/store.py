"""SQL of the city: staging what a job reads, publishing it as one baseline, reading it back.

Functions take an open DuckDB connection: the writer's inside a transaction, a reader's cursor, or a bench's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import duckdb
import pyarrow as pa

from cim.city.attached import Attachment
from cim.city.model import CityFrame, FirstView
from cim.db.lending import lent
from cim.errors import Conflict, IntegrityError
from cim.findings import Provenance

ATTACHED_LISTED_MAX: Final = 100
"""Things that lost their object that a job's summary names; beyond it they are only counted."""

_OBJECT_COLUMNS: Final = "id, type, dataset, parent_id, attributes, place, xmin, ymin, zmin, xmax, ymax, zmax"
_GEOMETRY_COLUMNS: Final = "object_id, lod, kind, surfaces, structure"

_DATASET_COLUMNS: Final = (
    "id, baseline_version, title, source_file, source_sha256, licence, attribution, reader, reader_version, read_at,"
    " generated"
)

# A join on two narrow columns: numbering the versions in a window would carry places and attributes through it.
_CURRENT: Final = """
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


def stage(
    connection: duckdb.DuckDBPyConnection,
    job_id: str,
    first_sequence: int,
    objects: pa.RecordBatch,
    geometries: pa.RecordBatch,
) -> None:
    """Keep what a job has read; nobody sees it before it is published.

    It lies in temporary tables of a bench: a job that does not reach its end leaves nothing.
    """
    _prepare_staging(connection)
    with lent(connection, "incoming_objects", objects):
        connection.execute(
            f"""INSERT INTO temp.staged_object
                SELECT ?, ? + row_number() OVER (), {_OBJECT_COLUMNS} FROM incoming_objects""",  # noqa: S608 -- constant
            [job_id, first_sequence],
        )
    if geometries.num_rows:
        with lent(connection, "incoming_geometries", geometries):
            connection.execute(
                f"INSERT INTO temp.staged_geometry SELECT ?, {_GEOMETRY_COLUMNS} FROM incoming_geometries",  # noqa: S608
                [job_id],
            )


def _prepare_staging(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary tables, in the shape of the tables that hold their names in the schema."""
    for name in ("staged_object", "staged_geometry"):
        connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {name} AS SELECT * FROM main.{name} LIMIT 0")  # noqa: S608


def gather(
    connection: duckdb.DuckDBPyConnection,
    job_id: str,
    at: datetime,
    datasets: Sequence[str],
    staged: int,
    version: int,
    share: Callable[[], bool] | None = None,
) -> Published:
    """Gather what makes what a job has staged the next baseline, in the tables ``fresh_…`` of a bench.

    Objects of ``datasets`` that are not staged are removed; those that are the same stay as they
    are, so that an unchanged delivery adds no versions.  ``share`` gathers what shares buildings with
    other sources; it leaves the rest in ``plain``, or returns ``False`` where nothing is shared.
    Raises :class:`IntegrityError` if not just ``staged`` objects are there: a connection that was opened again has
    lost what was staged on it.
    """
    _prepare_staging(connection)
    count, repeated = connection.execute(
        "SELECT count(*), count(*) - count(DISTINCT id) FROM temp.staged_object WHERE job_id = ?", [job_id]
    ).fetchall()[0]
    if count != staged:
        raise IntegrityError(
            "What the job had read is gone, because the database was opened again. The city is unchanged.",
            hint="Start the job again.",
            code="staging-lost",
            count=count,
            staged=staged,
        )
    if repeated:
        raise IntegrityError("An object was staged twice.", code="object-twice", count=repeated)
    _digest_incoming(connection, job_id)
    chosen = "plain" if share is not None and share() else "difference"
    if chosen == "difference":
        _compare_with_current(connection, version - 1, list(datasets))
    states = dict(connection.execute("SELECT state, count(*) FROM difference GROUP BY state").fetchall())
    _gather_versions(connection, job_id, at, version, chosen)
    if states.get("removed"):
        _gather_removed(connection, at, version, chosen)
    return Published(version, *(states.get(state, 0) for state in ("added", "changed", "removed", "unchanged")))


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


def _digest_incoming(connection: duckdb.DuckDBPyConnection, job_id: str) -> None:
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE incoming AS
           WITH shape AS (
               SELECT object_id,
                      string_agg(md5(surfaces) || lod || kind || coalesce(structure, ''), ',' ORDER BY lod, kind)
                          AS shapes
               FROM temp.staged_geometry WHERE job_id = ? GROUP BY object_id)
           SELECT o.*, sha256(concat_ws(chr(31), o.type, coalesce(o.parent_id, ''), o.attributes,
                                        coalesce(md5(o.place), ''), coalesce(shape.shapes, ''))) AS digest
           FROM temp.staged_object o LEFT JOIN shape ON shape.object_id = o.id WHERE o.job_id = ?""",
        [job_id, job_id],
    )


def _compare_with_current(connection: duckdb.DuckDBPyConnection, version: int, datasets: list[str]) -> None:
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE difference AS
            WITH present AS (SELECT id, digest FROM ({_CURRENT}) WHERE list_contains(?, dataset))
            SELECT coalesce(i.id, p.id) AS id,
                   CASE WHEN p.id IS NULL THEN 'added' WHEN i.id IS NULL THEN 'removed'
                        WHEN p.digest = i.digest THEN 'unchanged' ELSE 'changed' END AS state
            FROM incoming i FULL JOIN present p ON p.id = i.id""",  # noqa: S608 -- constants of this module
        [version, datasets],
    )


def _gather_versions(
    connection: duckdb.DuckDBPyConnection, job_id: str, at: datetime, version: int, difference: str
) -> None:
    """Gather what is new or has changed; the time of the act is that from which a version is valid."""
    connection.execute(
        f"""INSERT INTO temp.fresh_city_object
            SELECT i.id, ?, false, i.type, i.dataset, i.parent_id, i.attributes, i.place,
                   i.xmin, i.ymin, i.zmin, i.xmax, i.ymax, i.zmax, i.digest, ?, NULL
            FROM incoming i JOIN {difference} d ON d.id = i.id
            WHERE d.state IN ('added', 'changed') ORDER BY i.sequence""",  # noqa: S608 -- constants of this module
        [version, at],
    )
    connection.execute(
        f"""INSERT INTO temp.fresh_city_geometry
            SELECT g.object_id, ?, g.lod, g.kind, g.surfaces, g.structure
            FROM temp.staged_geometry g JOIN {difference} d ON d.id = g.object_id
            WHERE g.job_id = ? AND d.state IN ('added', 'changed')""",  # noqa: S608 -- constants of this module
        [version, job_id],
    )


def _gather_removed(connection: duckdb.DuckDBPyConnection, at: datetime, version: int, difference: str) -> None:
    """Gather that what goes was there until the time of the act."""
    connection.execute(
        f"""INSERT INTO temp.fresh_city_object
            SELECT c.id, ?, true, c.type, c.dataset, c.parent_id, '{{}}', NULL,
                   NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, ?
            FROM ({_CURRENT}) c JOIN {difference} d ON d.id = c.id WHERE d.state = 'removed'""",  # noqa: S608
        [version, at, version - 1],
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
        f"""SELECT {_OBJECT_COLUMNS}, baseline_version FROM ({_CURRENT}) {chosen}
            ORDER BY baseline_version, id""",  # noqa: S608 -- constants of this module
        params=[version, list(types)] if types else [version],
    ).to_arrow_table()


def read_geometries(connection: duckdb.DuckDBPyConnection, version: int, types: Sequence[str] = ()) -> pa.Table:
    """Return the geometries of the objects of a baseline, in the order of their objects' ids."""
    chosen = "WHERE list_contains(?, type)" if types else ""
    return connection.sql(
        f"""SELECT g.object_id, g.lod, g.kind, g.surfaces, g.structure
            FROM city_geometry g
            JOIN (SELECT id, baseline_version FROM ({_CURRENT}) {chosen}) o
              ON o.id = g.object_id AND o.baseline_version = g.baseline_version
            ORDER BY g.object_id, g.lod, g.kind""",  # noqa: S608 -- constants of this module
        params=[version, list(types)] if types else [version],
    ).to_arrow_table()


def read_object_rows(connection: duckdb.DuckDBPyConnection, version: int, ids: Sequence[str]) -> pa.Table:
    """Return some objects of a baseline by id; those that are not there are left out.

    Costs what is asked for, not the city: their versions alone are looked at.
    """
    return connection.sql(
        f"""SELECT {_OBJECT_COLUMNS}, baseline_version FROM city_object
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
        f"SELECT {_GEOMETRY_COLUMNS}, baseline_version FROM city_geometry WHERE object_id IN (SELECT unnest(?))",  # noqa: S608
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
        f"SELECT {_GEOMETRY_COLUMNS} FROM city_geometry WHERE object_id = ? AND baseline_version = ? ORDER BY lod",  # noqa: S608
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


def check_frame(connection: duckdb.DuckDBPyConnection, frame: CityFrame) -> CityFrame | None:
    """Return the frame of the city as it is; raises :class:`Conflict` if it has another CRS than a frame."""
    present = read_frame(connection)
    if present is not None and present.crs != frame.crs:
        raise Conflict("The city has another coordinate system.", code="city-crs", crs=present.crs)
    return present


def write_frame(connection: duckdb.DuckDBPyConnection, frame: CityFrame, at: datetime) -> None:
    """Fix the frame of the city, or what it stands on now; raises :class:`Conflict` if it has another CRS already."""
    present = check_frame(connection, frame)
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
