"""SQL of taking back: what a baseline touched, whether anything was built upon it, and saying again what was before.

Functions take a connection: a reader's cursor to look, a bench's to gather what takes back
(:mod:`cim.city.committing`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

import duckdb

from cim.city.committing.store import TABLES, begin_also
from cim.city.store import current_version

_PAIRS: Final = (("city_object", "city_geometry"), ("source_object", "source_geometry"))
_BODY: Final = "type, dataset, parent_id, attributes, place, xmin, ymin, zmin, xmax, ymax, zmax, digest"
_DATASET: Final = "title, source_file, source_sha256, licence, attribution, reader, reader_version, read_at, generated"

_TOUCHED: Final = """
    SELECT id FROM city_object WHERE baseline_version = $v
    UNION SELECT id FROM source_object WHERE baseline_version = $v
    UNION SELECT object_id FROM contribution WHERE baseline_version = $v
    UNION SELECT canonical_id FROM contribution WHERE baseline_version = $v AND canonical_id IS NOT NULL
    UNION SELECT canonical_id FROM (
        SELECT c.object_id, c.canonical_id FROM contribution c
        SEMI JOIN (SELECT object_id FROM contribution WHERE baseline_version = $v) n ON n.object_id = c.object_id
        WHERE c.baseline_version < $v
        QUALIFY row_number() OVER (PARTITION BY c.object_id ORDER BY c.baseline_version DESC) = 1)
    WHERE canonical_id IS NOT NULL
"""


class Later(NamedTuple):
    """Something that a later baseline changed: an object, a dataset or a network, by which job."""

    kind: str
    id: str
    job_id: str


def baseline_of(connection: duckdb.DuckDBPyConnection, job_id: str) -> int | None:
    """Return the baseline that a job published, ``None`` where it published none."""
    rows = connection.execute("SELECT baseline_version FROM baseline WHERE job_id = ?", [job_id]).fetchall()
    return int(rows[0][0]) if rows else None


def read_delivery(connection: duckdb.DuckDBPyConnection, version: int) -> tuple[int, int, int]:
    """Return how many objects of its sources a baseline added, changed and removed."""
    rows = connection.execute(
        "SELECT added, changed, removed FROM baseline WHERE baseline_version = ?", [version]
    ).fetchall()
    added, changed, removed = rows[0]
    return int(added), int(changed), int(removed)


def read_gone(connection: duckdb.DuckDBPyConnection, version: int) -> list[str]:
    """Return the ids of the objects that went with a baseline."""
    rows = connection.execute(
        "SELECT id FROM city_object WHERE baseline_version = ? AND removed ORDER BY id", [version]
    ).fetchall()
    return [identifier for (identifier,) in rows]


def _print(version: str) -> str:
    """Return SQL that says in one text how each touched object stood at a version."""
    newest = "QUALIFY row_number() OVER (PARTITION BY {} ORDER BY baseline_version DESC) = 1"
    by_id, by_object = newest.format("id"), newest.format("object_id")
    return f"""
        SELECT t.id, concat_ws('|', coalesce(c.digest, ''), coalesce(s.digest, ''),
                               coalesce(l.link, ''), coalesce(m.members, '')) AS said
        FROM touched t
        LEFT JOIN (SELECT id, digest FROM city_object WHERE baseline_version <= {version} {by_id}) c ON c.id = t.id
        LEFT JOIN (SELECT id, digest FROM source_object WHERE baseline_version <= {version} {by_id}) s ON s.id = t.id
        LEFT JOIN (SELECT object_id, concat_ws(' ', canonical_id, match, overlap, iou) AS link FROM contribution
                   WHERE baseline_version <= {version} {by_object} AND canonical_id IS NOT NULL) l
               ON l.object_id = t.id
        LEFT JOIN (SELECT canonical_id, string_agg(object_id, ' ' ORDER BY object_id) AS members FROM (
                       SELECT object_id, canonical_id FROM contribution
                       WHERE baseline_version <= {version} {by_object} AND canonical_id IS NOT NULL)
                   GROUP BY canonical_id) m
               ON m.canonical_id = t.id"""  # noqa: S608 -- names of this module


def built_upon(connection: duckdb.DuckDBPyConnection, version: int) -> list[Later]:
    """Return what stands otherwise now than right after a baseline, with the job that last changed it.

    What was changed and changed back does not count.
    """
    # Rows beyond the newest baseline are of one that is being published.
    span = {"v": version, "now": current_version(connection)}
    objects = connection.execute(
        f"""WITH touched AS ({_TOUCHED}), was AS ({_print("$v")}), now AS ({_print("$now")}),
            other AS (SELECT was.id FROM was JOIN now ON now.id = was.id WHERE was.said <> now.said),
            act AS (SELECT id, baseline_version FROM city_object WHERE baseline_version > $v
                    UNION ALL SELECT id, baseline_version FROM source_object WHERE baseline_version > $v
                    UNION ALL SELECT object_id, baseline_version FROM contribution WHERE baseline_version > $v
                    UNION ALL SELECT canonical_id, baseline_version FROM contribution WHERE baseline_version > $v)
            SELECT 'object', o.id, coalesce(max_by(b.job_id, b.baseline_version), '')
            FROM other o LEFT JOIN act a ON a.id = o.id
            LEFT JOIN baseline b ON b.baseline_version = a.baseline_version
            GROUP BY o.id ORDER BY o.id""",  # noqa: S608 -- constants of this module
        span,
    ).fetchall()
    datasets = connection.execute(
        f"""SELECT 'dataset', n.id, b.job_id FROM (
                SELECT * FROM dataset WHERE baseline_version <= $now
                QUALIFY row_number() OVER (PARTITION BY id ORDER BY baseline_version DESC) = 1) n
            JOIN dataset d ON d.id = n.id AND d.baseline_version = $v
            JOIN baseline b ON b.baseline_version = n.baseline_version
            WHERE n.baseline_version > $v
              AND row({_said("n")}) IS DISTINCT FROM row({_said("d")})
            ORDER BY n.id""",  # noqa: S608 -- constants of this module
        span,
    ).fetchall()
    networks = connection.execute(
        """SELECT 'network', n.id, max_by(b.job_id, b.baseline_version) FROM network n
           JOIN network t ON t.id = n.id AND t.baseline_version = $v
           JOIN baseline b ON b.baseline_version = n.baseline_version
           WHERE n.baseline_version > $v GROUP BY n.id ORDER BY n.id""",
        {"v": version},
    ).fetchall()
    return [Later(*row) for row in (*objects, *datasets, *networks)]


def _said(alias: str) -> str:
    return (
        ", ".join(f"{alias}.{name.strip()}" for name in _DATASET.split(",")) + f", coalesce({alias}.withdrawn, false)"
    )


def take_back(connection: duckdb.DuckDBPyConnection, version: int, new: int, at: datetime) -> tuple[int, int, int]:
    """Gather for baseline ``new`` what was said before ``version``; return how many objects came, changed, went.

    The numbers are of what is shown.  Nothing may have been built upon ``version``.
    """
    begin_also(connection, TABLES)
    counts = _restore(connection, "city_object", "city_geometry", version, new, at)
    _restore(connection, "source_object", "source_geometry", version, new, at)
    connection.execute(
        """INSERT INTO temp.fresh_contribution
           SELECT n.object_id, $n, p.canonical_id, coalesce(p.match, ''), p.overlap, p.iou
           FROM (SELECT object_id FROM contribution WHERE baseline_version = $v) n
           LEFT JOIN (SELECT * FROM contribution WHERE baseline_version < $v
                      QUALIFY row_number() OVER (PARTITION BY object_id ORDER BY baseline_version DESC) = 1) p
                  ON p.object_id = n.object_id
           ORDER BY n.object_id""",
        {"v": version, "n": new},
    )
    connection.execute(
        f"""INSERT INTO temp.fresh_dataset (id, baseline_version, {_DATASET}, withdrawn)
            SELECT n.id, $n, {", ".join(f"coalesce(p.{c.strip()}, n.{c.strip()})" for c in _DATASET.split(","))},
                   p.id IS NULL OR coalesce(p.withdrawn, false)
            FROM (SELECT * FROM dataset WHERE baseline_version = $v) n
            LEFT JOIN (SELECT * FROM dataset WHERE baseline_version < $v
                       QUALIFY row_number() OVER (PARTITION BY id ORDER BY baseline_version DESC) = 1) p
                   ON p.id = n.id
            ORDER BY n.id""",  # noqa: S608 -- constants of this module
        {"v": version, "n": new},
    )
    connection.execute(
        """INSERT INTO temp.fresh_merge_priority
           SELECT $n, coalesce((SELECT max_by(rules, baseline_version) FROM merge_priority
                                WHERE baseline_version < $v), '')
           FROM merge_priority WHERE baseline_version = $v""",
        {"v": version, "n": new},
    )
    _restore_networks(connection, version, new)
    return counts


def _restore(
    connection: duckdb.DuckDBPyConnection, table: str, geometry: str, version: int, new: int, at: datetime
) -> tuple[int, int, int]:
    """Restore one table of objects with its geometries; what was not there before is not there again."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE undone AS
            SELECT n.id, n.removed AS was_removed, p.baseline_version AS from_version,
                   p.id IS NULL OR p.removed AS stays_away,
                   coalesce(p.type, n.type) AS type, coalesce(p.dataset, n.dataset) AS dataset,
                   coalesce(p.parent_id, n.parent_id) AS parent_id
            FROM (SELECT * FROM {table} WHERE baseline_version = $v) n
            LEFT JOIN (SELECT * FROM {table} WHERE baseline_version < $v
                       QUALIFY row_number() OVER (PARTITION BY id ORDER BY baseline_version DESC) = 1) p
                   ON p.id = n.id""",  # noqa: S608 -- constants of this module
        {"v": version},
    )
    connection.execute(
        f"""INSERT INTO temp.fresh_{table}
            SELECT p.id, $n, false, {", ".join(f"p.{c.strip()}" for c in _BODY.split(","))}, $at, NULL
            FROM {table} p JOIN undone u ON u.id = p.id AND u.from_version = p.baseline_version
            WHERE NOT u.stays_away ORDER BY p.id""",  # noqa: S608 -- constants of this module
        {"n": new, "at": at},
    )
    connection.execute(
        f"""INSERT INTO temp.fresh_{table}
            SELECT id, $n, true, type, dataset, parent_id, '{{}}', NULL,
                   NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, $at
            FROM undone WHERE stays_away AND NOT was_removed ORDER BY id""",  # noqa: S608 -- constants of this module
        {"n": new, "at": at},
    )
    connection.execute(
        f"""INSERT INTO temp.fresh_{geometry}
            SELECT g.object_id, $n, g.lod, g.kind, g.surfaces, g.structure
            FROM {geometry} g JOIN undone u ON u.id = g.object_id AND u.from_version = g.baseline_version
            WHERE NOT u.stays_away""",  # noqa: S608 -- constants of this module
        {"n": new},
    )
    came, changed, went = connection.execute(
        """SELECT count(*) FILTER (WHERE NOT stays_away AND was_removed),
                  count(*) FILTER (WHERE NOT stays_away AND NOT was_removed),
                  count(*) FILTER (WHERE stays_away AND NOT was_removed) FROM undone"""
    ).fetchall()[0]
    connection.execute("DROP TABLE undone")
    return int(came), int(changed), int(went)


def _restore_networks(connection: duckdb.DuckDBPyConnection, version: int, new: int) -> None:
    """Write the snapshots again that were before; a network that was not there is withdrawn."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE undone AS
           SELECT n.id, (SELECT max(p.baseline_version) FROM network p WHERE p.id = n.id AND p.baseline_version < $v)
               AS from_version
           FROM network n WHERE n.baseline_version = $v""",
        {"v": version},
    )
    connection.execute(
        """INSERT INTO temp.fresh_network (id, baseline_version, kind, dataset, generated, attributes, withdrawn)
           SELECT n.id, $n, n.kind, n.dataset, n.generated, n.attributes,
                  u.from_version IS NULL OR coalesce(n.withdrawn, false)
           FROM network n JOIN undone u ON u.id = n.id AND n.baseline_version = coalesce(u.from_version, $v)
           ORDER BY n.id""",
        {"v": version, "n": new},
    )
    for table, columns in (
        ("network_node", "element_id, kind, x, y, z, attributes"),
        ("network_link", "element_id, kind, from_node, to_node, line, attributes"),
    ):
        connection.execute(
            f"""INSERT INTO temp.fresh_{table} (network_id, baseline_version, {columns})
                SELECT e.network_id, $n, {", ".join(f"e.{c.strip()}" for c in columns.split(","))}
                FROM {table} e JOIN undone u ON u.id = e.network_id AND u.from_version = e.baseline_version""",  # noqa: S608
            {"n": new},
        )
    connection.execute("DROP TABLE undone")
