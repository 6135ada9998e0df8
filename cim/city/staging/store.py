"""SQL of staging: what a job reads lies on its bench, and what of it is new is gathered from there.

``incoming`` has the objects with their digests, ``staged_geometry`` their geometries: temporary tables, so that a job
that does not reach its end leaves nothing.  ``difference`` says how each object compares with the present.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import duckdb
import pyarrow as pa

from cim.city.committing.store import Gathered
from cim.city.store import CURRENT, GEOMETRY_COLUMNS, OBJECT_COLUMNS, Published
from cim.db.lending import lent
from cim.errors import IntegrityError

_BODY: Final = "type, dataset, parent_id, attributes, place, xmin, ymin, zmin, xmax, ymax, zmax, digest"


@dataclass(frozen=True, slots=True)
class Staged:
    """How much a job has staged: rows of objects and of geometries, and the bytes of each."""

    objects: int = 0
    geometries: int = 0
    object_bytes: int = 0
    geometry_bytes: int = 0

    def with_batch(self, objects: pa.RecordBatch, geometries: pa.RecordBatch) -> Staged:
        """Return the same with a batch more."""
        return Staged(
            self.objects + objects.num_rows,
            self.geometries + geometries.num_rows,
            self.object_bytes + objects.nbytes,
            self.geometry_bytes + geometries.nbytes,
        )


def stage(
    connection: duckdb.DuckDBPyConnection,
    job_id: str,
    first_sequence: int,
    objects: pa.RecordBatch,
    geometries: pa.RecordBatch,
) -> None:
    """Keep what a job has read; nobody sees it before it is published.

    The geometries are those of the objects: digests are made while the rest is still being read.
    """
    _prepare(connection)
    with lent(connection, "incoming_objects", objects), lent(connection, "incoming_geometries", geometries):
        connection.execute(
            f"""INSERT INTO temp.incoming
                WITH shape AS (
                    SELECT object_id,
                           string_agg(md5(surfaces) || lod || kind || coalesce(structure, ''), ',' ORDER BY lod, kind)
                               AS shapes
                    FROM incoming_geometries GROUP BY object_id)
                SELECT ?, o.*, sha256(concat_ws(chr(31), o.type, coalesce(o.parent_id, ''), o.attributes,
                                                coalesce(md5(o.place), ''), coalesce(shape.shapes, '')))
                FROM (SELECT ? + row_number() OVER (), {OBJECT_COLUMNS} FROM incoming_objects) o
                LEFT JOIN shape ON shape.object_id = o.id""",  # noqa: S608 -- constants
            [job_id, first_sequence],
        )
        if geometries.num_rows:
            connection.execute(
                f"INSERT INTO temp.staged_geometry SELECT ?, {GEOMETRY_COLUMNS} FROM incoming_geometries",  # noqa: S608
                [job_id],
            )


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary tables, in the shape of the tables that hold their names in the schema."""
    connection.execute(
        """CREATE TEMP TABLE IF NOT EXISTS incoming AS SELECT *, '' AS digest FROM main.staged_object LIMIT 0;
           CREATE TEMP TABLE IF NOT EXISTS staged_geometry AS SELECT * FROM main.staged_geometry LIMIT 0"""
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """What a delivery does to the city, and the rows that do it."""

    published: Published
    rows: tuple[Gathered, ...]


def gather(
    connection: duckdb.DuckDBPyConnection,
    at: datetime,
    datasets: Sequence[str],
    staged: Staged,
    version: int,
    share: Callable[[], bool] | None = None,
) -> Compared:
    """Say what makes what a job has staged the next baseline.

    Objects of ``datasets`` that are not staged are removed; those that are the same stay as they
    are, so that an unchanged delivery adds no versions.  ``share`` gathers what shares buildings with
    other sources; it leaves the rest in ``plain``, or returns ``False`` where nothing is shared.
    Raises :class:`IntegrityError` if not just what was ``staged`` is there: a connection that was opened again has
    lost what was staged on it.
    """
    _check(connection, staged)
    shared = share is not None and share()
    if not shared and version == 1:
        # A first baseline has nothing that it could be compared with.
        return Compared(Published(version, staged.objects, 0, 0, 0), tuple(_versions(staged, at, version, None)))
    if not shared:
        _compare_with_current(connection, version - 1, list(datasets))
    chosen = "plain" if shared else "difference"
    states = dict(connection.execute("SELECT state, count(*) FROM difference GROUP BY state").fetchall())
    rows = list(_versions(staged, at, version, chosen))
    if states.get("removed"):
        rows.append(_gather_removed(connection, at, version, chosen))
    counts = (states.get(state, 0) for state in ("added", "changed", "removed", "unchanged"))
    return Compared(Published(version, *counts), tuple(rows))


def _check(connection: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    _prepare(connection)
    objects, repeated, geometries = connection.execute(
        """SELECT count(*), count(*) - count(DISTINCT id), (SELECT count(*) FROM temp.staged_geometry)
           FROM temp.incoming"""
    ).fetchall()[0]
    if (objects, geometries) != (staged.objects, staged.geometries):
        raise IntegrityError(
            "What the job had read is gone, because the database was opened again. The city is unchanged.",
            hint="Start the job again.",
            code="staging-lost",
            count=objects,
            staged=staged.objects,
        )
    if repeated:
        raise IntegrityError("An object was staged twice.", code="object-twice", count=repeated)


def _compare_with_current(connection: duckdb.DuckDBPyConnection, version: int, datasets: list[str]) -> None:
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE difference AS
            WITH present AS (SELECT id, digest FROM ({CURRENT}) WHERE list_contains(?, dataset))
            SELECT coalesce(i.id, p.id) AS id,
                   CASE WHEN p.id IS NULL THEN 'added' WHEN i.id IS NULL THEN 'removed'
                        WHEN p.digest = i.digest THEN 'unchanged' ELSE 'changed' END AS state
            FROM incoming i FULL JOIN present p ON p.id = i.id""",  # noqa: S608 -- constants of this module
        [version, datasets],
    )


def _versions(staged: Staged, at: datetime, version: int, difference: str | None) -> Iterator[Gathered]:
    """Yield what is new or has changed, all without a ``difference``; valid from the time of the act."""
    news = f"SEMI JOIN (SELECT id FROM {difference} WHERE state IN ('added', 'changed')) d ON d.id"  # noqa: S608
    body = ", ".join(f"i.{name.strip()}" for name in _BODY.split(","))
    # A table that is read alone comes in its own order; to ask for it takes as long as to read.
    ordered = "ORDER BY {}.rowid" if difference else ""
    yield Gathered(
        "city_object",
        staged.objects,
        f"""SELECT i.id, $version::BIGINT AS baseline_version, false AS removed, {body},
                   $at::TIMESTAMP AS valid_from, NULL::TIMESTAMP AS valid_to
            FROM temp.incoming i {f"{news} = i.id" if difference else ""}
            WHERE i.rowid >= $start AND i.rowid < $stop {ordered.format("i")}""",  # noqa: S608 -- constants of this module
        {"version": version, "at": at},
        staged.object_bytes,
    )
    yield Gathered(
        "city_geometry",
        staged.geometries,
        f"""SELECT g.object_id, $version::BIGINT AS baseline_version, g.lod, g.kind, g.surfaces, g.structure
            FROM temp.staged_geometry g {f"{news} = g.object_id" if difference else ""}
            WHERE g.rowid >= $start AND g.rowid < $stop {ordered.format("g")}""",  # noqa: S608 -- constants of this module
        {"version": version},
        staged.geometry_bytes,
    )


def _gather_removed(connection: duckdb.DuckDBPyConnection, at: datetime, version: int, difference: str) -> Gathered:
    """Gather that what goes was there until the time of the act."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE removed AS
            SELECT c.id, $version::BIGINT AS baseline_version, true AS removed, c.type, c.dataset, c.parent_id,
                   '{{}}' AS attributes, '' AS digest, $at::TIMESTAMP AS valid_to
            FROM ({CURRENT.replace("?", "$before")}) c JOIN {difference} d ON d.id = c.id
            WHERE d.state = 'removed'""",  # noqa: S608 -- constants
        {"version": version, "at": at, "before": version - 1},
    )
    count = connection.execute("SELECT count(*) FROM temp.removed").fetchall()[0][0]
    return Gathered("city_object", count, "SELECT * FROM temp.removed WHERE rowid >= $start AND rowid < $stop", {})
