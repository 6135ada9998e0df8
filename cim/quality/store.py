"""Reports in the database (SQL)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import duckdb


def insert_report(
    connection: duckdb.DuckDBPyConnection, job_id: str, version: int, at: datetime, document: dict[str, Any]
) -> None:
    """Store the report of a job, in the transaction of what it did."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    connection.execute("INSERT INTO quality_report VALUES (?, ?, ?, ?)", [job_id, version, at, text])


def load_report(cursor: duckdb.DuckDBPyConnection, job_id: str) -> tuple[int, datetime, dict[str, Any]] | None:
    """Return the baseline that a job made, when it was judged, and the report; ``None`` where there is none."""
    rows = cursor.execute(
        "SELECT baseline_version, made_at, document FROM quality_report WHERE job_id = ? ORDER BY made_at DESC LIMIT 1",
        [job_id],
    ).fetchall()
    if not rows:
        return None
    version, made_at, document = rows[0]
    return version, made_at.replace(tzinfo=UTC), json.loads(document)
