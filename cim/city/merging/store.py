"""SQL of merging: what sources gave, who contributes to what, and what is shown of it.

Functions take the connection of a bench, on which the next baseline is gathered in tables ``fresh_…``
(:mod:`cim.city.committing`).  They work on temporary tables: ``incoming`` and ``difference`` of
:mod:`cim.city.staging`, and of their own ``link`` (who contributed before), ``present_raw`` (each object as its source
gave it, before), ``concerned`` (objects whose building is worked out anew), ``raw_after`` (those as their sources give
them now), ``shown`` and ``pick`` (what is shown, and whose geometry).  Nothing of geometry passes through Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import duckdb
import pyarrow as pa

from cim.city.merging.plan import Link
from cim.db.lending import lent

BUILDING: Final = "Building"
ROWS_AT_ONCE: Final = 2_000

_RAW: Final = (
    "id, baseline_version, type, dataset, parent_id, attributes, place, xmin, ymin, zmin, xmax, ymax, zmax, digest"
)
_BODY: Final = "type, dataset, parent_id, attributes, place, xmin, ymin, zmin, xmax, ymax, zmax, digest"

_SHAPES: Final = """
    SELECT g.object_id, g.lod, g.kind, g.surfaces, g.structure FROM temp.staged_geometry g
    JOIN raw_after r ON r.id = g.object_id AND r.origin = 'incoming' WHERE g.job_id = ?
    UNION ALL
    SELECT g.object_id, g.lod, g.kind, g.surfaces, g.structure FROM source_geometry g
    JOIN raw_after r ON r.id = g.object_id AND r.baseline_version = g.baseline_version AND r.origin = 'source'
    UNION ALL
    SELECT g.object_id, g.lod, g.kind, g.surfaces, g.structure FROM city_geometry g
    JOIN raw_after r ON r.id = g.object_id AND r.baseline_version = g.baseline_version AND r.origin = 'city'
"""


def _current(table: str) -> str:
    return f"""SELECT * FROM {table} WHERE baseline_version <= ?
               QUALIFY row_number() OVER (PARTITION BY id ORDER BY baseline_version DESC) = 1 AND NOT removed"""  # noqa: S608


_LINKS: Final = """
    SELECT object_id, canonical_id, match, overlap, iou FROM contribution WHERE baseline_version <= ?
    QUALIFY row_number() OVER (PARTITION BY object_id ORDER BY baseline_version DESC) = 1 AND canonical_id IS NOT NULL
"""


def fetched(cursor: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Return all rows of an answer, some at a time: making Python's objects of many holds up every other thread."""
    rows: list[tuple[Any, ...]] = []
    while some := cursor.fetchmany(ROWS_AT_ONCE):
        rows += some
    return rows


def has_links(connection: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether any two sources ever shared a building."""
    return bool(connection.execute("SELECT count(*) FROM contribution").fetchall()[0][0])


def shares_buildings(connection: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether what is staged, with what the city ever had, holds buildings of more than one dataset."""
    found = connection.execute(
        """SELECT count(DISTINCT dataset) FROM (
               SELECT DISTINCT dataset FROM incoming WHERE type = ?
               UNION ALL SELECT DISTINCT dataset FROM city_object WHERE type = ?)""",
        [BUILDING, BUILDING],
    ).fetchall()
    return bool(found[0][0] > 1)


def has_buildings(connection: duckdb.DuckDBPyConnection, datasets: Sequence[str]) -> bool:
    """Tell whether some datasets have, or ever had, a building."""
    found = connection.execute(
        """SELECT count(*) FROM (
               SELECT dataset FROM incoming WHERE type = $t
               UNION ALL SELECT dataset FROM city_object WHERE type = $t
               UNION ALL SELECT dataset FROM source_object WHERE type = $t)
           WHERE list_contains($d, dataset)""",
        {"t": BUILDING, "d": list(datasets)},
    ).fetchall()
    return bool(found[0][0])


def compare(connection: duckdb.DuckDBPyConnection, version: int, datasets: Sequence[str]) -> None:
    """Compare what is staged with what the same sources gave before, as :mod:`cim.city.staging` does for one source."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE link AS {_LINKS}", [version])
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE present_raw AS
            SELECT {_RAW}, 'source' AS origin FROM ({_current("source_object")})
            UNION ALL
            SELECT {_RAW}, 'city' AS origin FROM ({_current("city_object")}) c
            ANTI JOIN (SELECT DISTINCT canonical_id FROM link) l ON l.canonical_id = c.id""",  # noqa: S608
        [version, version],
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE difference AS
           WITH present AS (SELECT id, digest FROM present_raw WHERE list_contains(?, dataset))
           SELECT coalesce(i.id, p.id) AS id,
                  CASE WHEN p.id IS NULL THEN 'added' WHEN i.id IS NULL THEN 'removed'
                       WHEN p.digest = i.digest THEN 'unchanged' ELSE 'changed' END AS state
           FROM incoming i FULL JOIN present p ON p.id = i.id""",
        [list(datasets)],
    )


def read_links(connection: duckdb.DuckDBPyConnection, version: int | None = None) -> dict[str, Link]:
    """Return who contributes to what: from the temporary table, or as it was at a baseline."""
    found = (
        connection.execute("SELECT object_id, canonical_id, match, overlap, iou FROM link")
        if version is None
        else connection.execute(_LINKS, [version])
    )
    return {object_id: Link(*link) for object_id, *link in fetched(found)}


def read_parents(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, str], dict[str, str]]:
    """Return the parent of each part before the delivery, and after it with those of what it removes."""
    before = dict(fetched(connection.execute("SELECT id, parent_id FROM present_raw WHERE parent_id IS NOT NULL")))
    news = connection.execute(
        """SELECT i.id, i.parent_id FROM incoming i JOIN difference d ON d.id = i.id
           WHERE d.state <> 'unchanged' AND (i.parent_id IS NOT NULL OR d.state = 'changed')"""
    )
    after = {**before, **dict(fetched(news))}
    return before, {one: parent for one, parent in after.items() if parent is not None}


def read_changes(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, bool]]:
    """Return id, state, and whether it is a building, of all that the delivery adds, changes or removes."""
    found = connection.execute(
        """SELECT d.id, d.state, coalesce(i.type, p.type) = ? FROM difference d
           LEFT JOIN incoming i ON i.id = d.id LEFT JOIN present_raw p ON p.id = d.id
           WHERE d.state <> 'unchanged' ORDER BY d.id""",
        [BUILDING],
    )
    return fetched(found)


def read_raw_after(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> pa.Table:
    """Return id, attributes and place of some objects as their sources give them now, in the order of ids."""
    with lent(connection, "wanted", pa.table({"id": pa.array(ids, pa.string())})):
        return connection.sql(
            """SELECT w.id, CASE WHEN i.id IS NULL THEN p.attributes ELSE i.attributes END AS attributes,
                      CASE WHEN i.id IS NULL THEN p.place ELSE i.place END AS place
               FROM wanted w LEFT JOIN incoming i ON i.id = w.id LEFT JOIN present_raw p ON p.id = w.id
               WHERE i.id IS NOT NULL OR p.id IS NOT NULL ORDER BY w.id"""
        ).to_arrow_table()


def read_shown_buildings(connection: duckdb.DuckDBPyConnection, version: int) -> pa.Table:
    """Return id, attributes and place of the buildings that a baseline shows, in the order of ids."""
    return connection.sql(
        f"SELECT id, attributes, place FROM ({_current('city_object')}) WHERE type = ? ORDER BY id",  # noqa: S608
        params=[version, BUILDING],
    ).to_arrow_table()


def gather(connection: duckdb.DuckDBPyConnection, concerned: Sequence[str], kept: Sequence[str]) -> None:
    """Gather the objects that are worked out anew as their sources give them now.

    Those that are ``kept`` beside what is shown have the home ``source``, the others are shown as they are: ``city``.
    """
    beside = set(kept)
    homes = ["source" if one in beside else "city" for one in concerned]
    rows = pa.table({"id": pa.array(concerned, pa.string()), "home": pa.array(homes, pa.string())})
    with lent(connection, "concerned_rows", rows):
        connection.execute("CREATE OR REPLACE TEMP TABLE concerned AS SELECT id, home FROM concerned_rows")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE raw_after AS
            SELECT c.home, i.id, 0::BIGINT AS baseline_version, {", ".join(f"i.{n.strip()}" for n in _BODY.split(","))},
                   'incoming' AS origin
            FROM concerned c JOIN incoming i ON i.id = c.id
            UNION ALL
            SELECT c.home, p.id, p.baseline_version, {", ".join(f"p.{n.strip()}" for n in _BODY.split(","))}, p.origin
            FROM concerned c JOIN present_raw p ON p.id = c.id
            LEFT JOIN difference d ON d.id = c.id WHERE d.id IS NULL"""  # noqa: S608
    )


def read_lods(connection: duckdb.DuckDBPyConnection, job_id: str) -> dict[str, tuple[str, ...]]:
    """Return the levels of detail of the geometries of what was gathered."""
    found = connection.execute(
        f"SELECT object_id, list(DISTINCT lod ORDER BY lod) FROM ({_SHAPES}) GROUP BY object_id",  # noqa: S608
        [job_id],
    )
    return {object_id: tuple(lods) for object_id, lods in fetched(found)}


def read_members(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return id, type, parent, attributes, and whether there is a place, of some of what was gathered."""
    with lent(connection, "wanted", pa.table({"id": pa.array(ids, pa.string())})):
        return connection.execute(
            """SELECT r.id, r.type, r.parent_id, r.attributes, r.place IS NOT NULL
               FROM raw_after r JOIN wanted w ON w.id = r.id"""
        ).fetchall()


def begin_shown(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of what is shown, with what is shown as its source gives it."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE facts AS
           SELECT id, type, parent_id, attributes, CASE WHEN place IS NULL THEN NULL ELSE id END AS place_from
           FROM raw_after WHERE home = 'city'"""
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE pick (id VARCHAR, lod VARCHAR, from_id VARCHAR)")


def append_shown(connection: duckdb.DuckDBPyConnection, facts: pa.Table, picks: pa.Table) -> None:
    """Add buildings that were worked out."""
    with lent(connection, "fact_rows", facts), lent(connection, "pick_rows", picks):
        connection.execute("INSERT INTO facts SELECT id, type, parent_id, attributes, place_from FROM fact_rows")
        connection.execute("INSERT INTO pick SELECT id, lod, from_id FROM pick_rows")


def finish_shown(connection: duckdb.DuckDBPyConnection, job_id: str) -> None:
    """Work out places, boxes and digests of what is shown: a box covers the place and the geometries that are shown."""
    connection.execute(
        f"""INSERT INTO pick SELECT s.object_id, s.lod, s.object_id
            FROM (SELECT DISTINCT object_id, lod FROM ({_SHAPES})) s
            JOIN raw_after r ON r.id = s.object_id AND r.home = 'city'""",  # noqa: S608
        [job_id],
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE shown AS
            WITH giver AS (SELECT DISTINCT id, from_id FROM pick),
            box AS (
                SELECT g.id, min(r.xmin) AS xmin, min(r.ymin) AS ymin, min(r.zmin) AS zmin,
                       max(r.xmax) AS xmax, max(r.ymax) AS ymax, max(r.zmax) AS zmax
                FROM giver g JOIN raw_after r ON r.id = g.from_id GROUP BY g.id),
            shape AS (
                SELECT p.id, string_agg(md5(s.surfaces) || s.lod || s.kind || coalesce(s.structure, ''), ','
                                        ORDER BY s.lod, s.kind) AS shapes
                FROM pick p JOIN ({_SHAPES}) s ON s.object_id = p.from_id AND s.lod = p.lod GROUP BY p.id)
            SELECT f.id, f.type, split_part(f.id, ':', 1) AS dataset, f.parent_id, f.attributes, r.place,
                   coalesce(least(b.xmin, r.xmin), r.xmin) AS xmin, coalesce(least(b.ymin, r.ymin), r.ymin) AS ymin,
                   CASE WHEN b.id IS NULL THEN r.zmin ELSE b.zmin END AS zmin,
                   coalesce(greatest(b.xmax, r.xmax), r.xmax) AS xmax,
                   coalesce(greatest(b.ymax, r.ymax), r.ymax) AS ymax,
                   CASE WHEN b.id IS NULL THEN r.zmax ELSE b.zmax END AS zmax,
                   sha256(concat_ws(chr(31), f.type, coalesce(f.parent_id, ''), f.attributes,
                                    coalesce(md5(r.place), ''), coalesce(shape.shapes, ''))) AS digest
            FROM facts f LEFT JOIN raw_after r ON r.id = f.place_from LEFT JOIN box b ON b.id = f.id
            LEFT JOIN shape ON shape.id = f.id""",  # noqa: S608
        [job_id],
    )


class Home(NamedTuple):
    """Where objects are kept: their tables, and what is to be in them of what the delivery concerns.

    ``rows`` has the columns of an object, ``shapes`` those of geometries, with the id of the object as ``id``.
    """

    objects: str
    geometries: str
    rows: str
    shapes: str


SHOWN: Final = Home(
    "city_object",
    "city_geometry",
    "SELECT * FROM shown",
    f"""SELECT p.id, s.lod, s.kind, s.surfaces, s.structure
        FROM pick p JOIN ({_SHAPES}) s ON s.object_id = p.from_id AND s.lod = p.lod""",  # noqa: S608
)
"""What the city shows."""
SOURCES: Final = Home(
    "source_object",
    "source_geometry",
    "SELECT * FROM raw_after WHERE home = 'source'",
    f"SELECT s.object_id AS id, s.lod, s.kind, s.surfaces, s.structure FROM ({_SHAPES}) s",  # noqa: S608
)
"""What sources gave of buildings that they share."""


def write_versions(
    home: Home, connection: duckdb.DuckDBPyConnection, job_id: str, version: int, at: datetime
) -> tuple[int, int, int]:
    """Gather the versions that differ from those before; return how many are new, how many changed, how many gone."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE news AS
            SELECT r.id, c.id IS NULL AS is_new FROM ({home.rows}) r
            LEFT JOIN ({_current(home.objects)}) c ON c.id = r.id
            WHERE c.digest IS DISTINCT FROM r.digest""",  # noqa: S608
        [version - 1],
    )
    connection.execute(
        f"""INSERT INTO temp.fresh_{home.objects}
            SELECT r.id, ?, false, {", ".join(f"r.{n.strip()}" for n in _BODY.split(","))}, ?, NULL
            FROM ({home.rows}) r JOIN news n ON n.id = r.id ORDER BY r.id""",  # noqa: S608
        [version, at],
    )
    connection.execute(
        f"""INSERT INTO temp.fresh_{home.geometries}
            SELECT s.id, ?, s.lod, s.kind, s.surfaces, s.structure
            FROM ({home.shapes}) s JOIN news n ON n.id = s.id""",  # noqa: S608
        [version, job_id],
    )
    gone = _bury(home, connection, version, at)
    added, changed = connection.execute(
        "SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM news"
    ).fetchall()[0]
    return int(added), int(changed), gone


def _bury(home: Home, connection: duckdb.DuckDBPyConnection, version: int, at: datetime) -> int:
    """Gather that concerned objects are not in a table any more where they were; return how many went."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE buried AS
            SELECT c.id, c.type, c.dataset, c.parent_id FROM ({_current(home.objects)}) c
            SEMI JOIN concerned w ON w.id = c.id ANTI JOIN ({home.rows}) l ON l.id = c.id""",  # noqa: S608
        [version - 1],
    )
    connection.execute(
        f"""INSERT INTO temp.fresh_{home.objects}
            SELECT id, ?, true, type, dataset, parent_id, '{{}}', NULL,
                   NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, ? FROM buried ORDER BY id""",  # noqa: S608
        [version, at],
    )
    return int(connection.execute("SELECT count(*) FROM buried").fetchall()[0][0])


def write_links(
    connection: duckdb.DuckDBPyConnection, version: int, changes: Sequence[tuple[str, Link | None]]
) -> None:
    """Append who contributes to what now, where that differs."""
    if not changes:
        return
    links = [link or Link("", "") for _, link in changes]
    table = pa.table(
        {
            "object_id": pa.array([identifier for identifier, _ in changes], pa.string()),
            "canonical_id": pa.array([link.canonical_id or None for link in links], pa.string()),
            "match": pa.array([str(link.match) for link in links], pa.string()),
            "overlap": pa.array([link.overlap for link in links], pa.float64()),
            "iou": pa.array([link.iou for link in links], pa.float64()),
        }
    )
    with lent(connection, "link_rows", table):
        connection.execute(
            "INSERT INTO temp.fresh_contribution SELECT object_id, ?, canonical_id, match, overlap, iou FROM link_rows",
            [version],
        )


def leave_to_plain(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave in ``plain`` what the delivery changes apart from shared buildings."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE plain AS SELECT * FROM difference d ANTI JOIN concerned c ON c.id = d.id"
    )


def read_priority(connection: duckdb.DuckDBPyConnection, version: int) -> str:
    """Return the declared order of sources, ``""`` where none is."""
    rows = connection.execute(
        "SELECT rules FROM merge_priority WHERE baseline_version <= ? ORDER BY baseline_version DESC LIMIT 1", [version]
    ).fetchall()
    return str(rows[0][0]) if rows else ""


def write_priority(connection: duckdb.DuckDBPyConnection, version: int, rules: str) -> None:
    """Declare the order of sources from a baseline on."""
    connection.execute("INSERT INTO temp.fresh_merge_priority VALUES (?, ?)", [version, rules])


def read_arrivals(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the datasets in the order in which they first came."""
    rows = connection.execute("SELECT id FROM dataset GROUP BY id ORDER BY min(baseline_version), id").fetchall()
    return [identifier for (identifier,) in rows]


def write_report(connection: duckdb.DuckDBPyConnection, job_id: str, version: int, report: str) -> None:
    """Keep what a job's delivery did."""
    connection.execute("INSERT INTO temp.fresh_merge_report VALUES (?, ?, ?)", [job_id, version, report])


def read_report(connection: duckdb.DuckDBPyConnection, job_id: str) -> str | None:
    """Return what a job's delivery did, ``None`` where nothing is kept of it."""
    rows = connection.execute("SELECT report FROM merge_report WHERE job_id = ?", [job_id]).fetchall()
    return str(rows[0][0]) if rows else None
