"""SQL of schemes: branches, their logs, their versions.

Functions take an open DuckDB connection: the writer's inside a transaction, or a reader's cursor.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import duckdb
import orjson

from cim.db.settings import StartCheck
from cim.errors import Conflict, IntegrityError
from cim.findings import Finding, Severity, Verdict
from cim.schemes.model import Branch, Edit, Merged, Scheme, SchemeState, Text, Version, Words
from cim.schemes.packing import pack, unpack

EDITS_GAPLESS: Final = StartCheck(
    "every scheme's edits are gapless",
    """SELECT scheme_id || ' has ' || n || ' edits, from ' || lo || ' to ' || hi FROM (
           SELECT scheme_id, count(*) AS n, count(DISTINCT sequence) AS d, min(sequence) AS lo, max(sequence) AS hi
           FROM scheme_edit GROUP BY scheme_id)
       WHERE lo <> 1 OR hi <> n OR d <> n""",
)

_EDIT_COLUMNS: Final = (
    "scheme_id, sequence, kind, changes, author, edited_at, phase_year, undoes, findings, title,"
    " baseline_version, merged_scheme, merged_sequence"
)


def read_schemes(connection: duckdb.DuckDBPyConnection) -> list[Scheme]:
    """Return all schemes in the order in which they were made."""
    rows = connection.execute(
        """SELECT s.id, s.parent, s.parent_sequence, s.baseline_version, s.position, s.author, s.created_at,
                  c.words, c.state, c.version, c.updated_at
           FROM scheme s JOIN scheme_card c ON c.scheme_id = s.id ORDER BY s.position"""
    ).fetchall()
    return [
        Scheme(
            Branch(row[0], row[1], row[2], row[3], row[4], row[5], _utc(row[6])),
            _words(row[7]),
            SchemeState(row[8]),
            row[9],
            _utc(row[10]),
        )
        for row in rows
    ]


def read_heads(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return the number of the last edit of each scheme that has one."""
    rows = connection.execute("SELECT scheme_id, max(sequence) FROM scheme_edit GROUP BY scheme_id").fetchall()
    return dict(rows)


def insert_scheme(connection: duckdb.DuckDBPyConnection, scheme: Scheme) -> None:
    """Store a new branch."""
    branch = scheme.branch
    rows = connection.execute(
        "SELECT count(*) FROM scheme WHERE id = ? OR position = ?", [branch.id, branch.position]
    ).fetchall()
    if rows[0][0]:
        raise Conflict("A scheme of that id exists.", code="scheme-exists", id=branch.id)
    connection.execute(
        "INSERT INTO scheme VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            branch.id,
            branch.parent,
            branch.parent_sequence,
            branch.baseline_version,
            branch.position,
            branch.author,
            _naive(branch.created_at),
        ],
    )
    connection.execute(
        "INSERT INTO scheme_card VALUES (?, ?, ?, ?, ?)",
        [
            scheme.id,
            words_json(scheme.words),
            scheme.state.value,
            scheme.version,
            _naive(scheme.updated_at or branch.created_at),
        ],
    )


def update_card(connection: duckdb.DuckDBPyConnection, scheme: Scheme, at: datetime) -> None:
    """Store what is said of a scheme now."""
    connection.execute(
        "UPDATE scheme_card SET words = ?, state = ?, version = ?, updated_at = ? WHERE scheme_id = ?",
        [words_json(scheme.words), scheme.state.value, scheme.version, _naive(at), scheme.id],
    )


def append_edit(connection: duckdb.DuckDBPyConnection, edit: Edit) -> None:
    """Append an edit to its log; raises :class:`IntegrityError` where it is not the next."""
    rows = connection.execute(
        "SELECT coalesce(max(sequence), 0) FROM scheme_edit WHERE scheme_id = ?", [edit.scheme_id]
    ).fetchall()
    if rows[0][0] != edit.sequence - 1:
        raise IntegrityError("The log of a scheme has moved on.", code="scheme-log", id=edit.scheme_id)
    connection.execute(
        f"INSERT INTO scheme_edit ({_EDIT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [
            edit.scheme_id,
            edit.sequence,
            edit.kind,
            pack(edit.changes),
            edit.author,
            _naive(edit.at),
            edit.phase_year,
            edit.undoes,
            _json([_finding_members(finding) for finding in edit.findings]),
            _json(dict(edit.title)),
            edit.baseline_version,
            None if edit.merged is None else edit.merged.scheme_id,
            None if edit.merged is None else edit.merged.sequence,
        ],
    )


def read_edits(connection: duckdb.DuckDBPyConnection, scheme_id: str) -> list[Edit]:
    """Return the log of a scheme."""
    rows = connection.execute(
        f"SELECT {_EDIT_COLUMNS} FROM scheme_edit WHERE scheme_id = ? ORDER BY sequence",  # noqa: S608 -- constant
        [scheme_id],
    ).fetchall()
    return [_edit(row) for row in rows]


def insert_version(connection: duckdb.DuckDBPyConnection, version: Version) -> None:
    """Store a published state."""
    connection.execute(
        "INSERT INTO scheme_version VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            version.scheme_id,
            version.number,
            version.sequence,
            version.baseline_version,
            version.digest,
            words_json(version.words),
            version.author,
            _naive(version.published_at),
        ],
    )


def read_versions(connection: duckdb.DuckDBPyConnection) -> list[Version]:
    """Return all published states, the oldest of each scheme first."""
    rows = connection.execute(
        """SELECT scheme_id, number, sequence, baseline_version, digest, words, author, published_at
           FROM scheme_version ORDER BY scheme_id, number"""
    ).fetchall()
    return [Version(row[0], row[1], row[2], row[3], row[4], _words(row[5]), row[6], _utc(row[7])) for row in rows]


def words_json(words: Words) -> str:
    """Return what is said of a scheme as JSON."""
    return _json(
        {
            "name": words.name.as_json(),
            "summary": words.summary.as_json(),
            "tour": [dict(stop) for stop in words.tour],
            "letter": words.letter,
        }
    )


def _words(text: str) -> Words:
    said = orjson.loads(text)
    return Words(Text(**said["name"]), Text(**said["summary"]), tuple(said["tour"]), said["letter"])


def _edit(row: tuple[Any, ...]) -> Edit:
    return Edit(
        scheme_id=row[0],
        sequence=row[1],
        kind=row[2],
        changes=unpack(row[3]),
        author=row[4],
        at=_utc(row[5]),
        phase_year=row[6],
        undoes=row[7],
        findings=tuple(_finding(members) for members in orjson.loads(row[8])),
        title=orjson.loads(row[9]),
        baseline_version=row[10],
        merged=None if row[11] is None else Merged(row[11], row[12]),
    )


def _finding_members(finding: Finding) -> dict[str, Any]:
    members: dict[str, Any] = {
        "rule": finding.rule,
        "clause": finding.clause,
        "verdict": finding.verdict.value,
        "severity": finding.severity.value,
        "measured": finding.measured,
        "limit": finding.limit,
        "margin": finding.margin,
        "unit": finding.unit,
        "object_id": finding.object_id,
        "witness": None if finding.witness_wkb is None else finding.witness_wkb.hex(),
        "params": finding.params,
    }
    return {name: value for name, value in members.items() if value is not None}


def _finding(members: Mapping[str, Any]) -> Finding:
    witness = members.get("witness")
    return Finding(
        rule=members["rule"],
        clause=members["clause"],
        verdict=Verdict(members["verdict"]),
        severity=Severity(members["severity"]),
        measured=members.get("measured"),
        limit=members.get("limit"),
        margin=members.get("margin"),
        unit=members.get("unit", "1"),
        object_id=members.get("object_id"),
        witness_wkb=None if witness is None else bytes.fromhex(witness),
        params=dict(members.get("params", {})),
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode("utf-8")


def _utc(instant: datetime) -> datetime:
    # The store keeps UTC without saying so; what leaves it says so.
    return instant.replace(tzinfo=UTC)


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
