"""SQL of the sources and the past of one object."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple

import duckdb

from cim.city.merging.plan import Link

_LINKS: Final = """
    SELECT object_id, canonical_id, match, overlap, iou FROM contribution WHERE {} AND baseline_version <= ?
    QUALIFY row_number() OVER (PARTITION BY object_id ORDER BY baseline_version DESC) = 1
"""


class Version(NamedTuple):
    """A version of a shown object: from when on, until when, and by which job; ``removed`` where it went."""

    baseline_version: int
    removed: bool
    at: datetime
    job_id: str


class Gave(NamedTuple):
    """What a source gives of an object, without its geometry."""

    id: str
    type: str
    dataset: str
    parent_id: str | None
    attributes: str
    has_place: bool
    baseline_version: int


def read_link(connection: duckdb.DuckDBPyConnection, identifier: str, version: int) -> Link | None:
    """Return what a source's object contributes to, ``None`` where it stands alone or is not known."""
    rows = connection.execute(_LINKS.format("object_id = ?"), [identifier, version]).fetchall()
    return Link(*rows[0][1:]) if rows and rows[0][1] is not None else None


def read_contributions(connection: duckdb.DuckDBPyConnection, canonical: str, version: int) -> dict[str, Link]:
    """Return the objects that contribute to one that is shown."""
    ever = "object_id IN (SELECT object_id FROM contribution WHERE canonical_id = ?)"
    rows = connection.execute(_LINKS.format(ever) + " AND canonical_id = ?", [canonical, version, canonical]).fetchall()
    return {object_id: Link(*link) for object_id, *link in sorted(rows)}


def read_given(connection: duckdb.DuckDBPyConnection, ids: list[str], version: int) -> dict[str, Gave]:
    """Return what sources give of some objects that are kept beside what is shown, and of their parts."""
    rows = connection.execute(
        """SELECT id, type, dataset, parent_id, attributes, place IS NOT NULL, baseline_version FROM source_object
           WHERE (list_contains($ids, id) OR list_contains($ids, parent_id)) AND baseline_version <= $v
           QUALIFY row_number() OVER (PARTITION BY id ORDER BY baseline_version DESC) = 1 AND NOT removed""",
        {"ids": ids, "v": version},
    ).fetchall()
    return {row[0]: Gave(*row) for row in sorted(rows)}


def read_lods(connection: duckdb.DuckDBPyConnection, given: dict[str, Gave]) -> dict[str, tuple[str, ...]]:
    """Return the levels of detail of what sources give."""
    rows = connection.execute(
        "SELECT DISTINCT object_id, baseline_version, lod FROM source_geometry WHERE list_contains(?, object_id)",
        [list(given)],
    ).fetchall()
    found: dict[str, tuple[str, ...]] = {}
    for object_id, version, lod in sorted(rows):
        if given[object_id].baseline_version == version:
            found[object_id] = (*found.get(object_id, ()), lod)
    return found


def read_deliveries(connection: duckdb.DuckDBPyConnection, version: int) -> dict[str, str]:
    """Return the job of each dataset's newest delivery, up to a baseline."""
    rows = connection.execute(
        """SELECT d.id, max_by(b.job_id, d.baseline_version) FROM dataset d
           JOIN baseline b ON b.baseline_version = d.baseline_version
           WHERE d.baseline_version <= ? GROUP BY d.id""",
        [version],
    ).fetchall()
    return dict(rows)


def read_versions(connection: duckdb.DuckDBPyConnection, identifier: str) -> list[Version]:
    """Return all versions of a shown object, oldest first."""
    rows = connection.execute(
        """SELECT o.baseline_version, o.removed, b.committed_at, b.job_id FROM city_object o
           JOIN baseline b ON b.baseline_version = o.baseline_version
           WHERE o.id = ? ORDER BY o.baseline_version""",
        [identifier],
    ).fetchall()
    return [Version(number, removed, at.replace(tzinfo=UTC), job) for number, removed, at, job in rows]
