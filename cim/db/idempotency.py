"""Idempotency keys: a write that is sent twice is done once, and answers the same twice."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import timedelta

import duckdb

from cim.db.settings import DatabaseSettings
from cim.errors import Conflict, InvalidInput, LimitExceeded
from cim.ports import Clock


class IdempotencyLedger:
    """The keys of recent writes in memory, their results in the database.

    A key is believed for ``idempotency_days``.  Used by the writer's thread only, except for
    ``check_key``, which reads settings alone.
    """

    def __init__(self, settings: DatabaseSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._fingerprints: OrderedDict[str, str] = OrderedDict()

    def load(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Forget what is too old and read the rest; call where no transaction is open."""
        oldest = self._clock.now() - timedelta(days=self._settings.idempotency_days)
        connection.execute("DELETE FROM idempotency WHERE created_at < ?", [oldest])
        rows = connection.execute(
            "SELECT idempotency_key, fingerprint FROM idempotency ORDER BY created_at DESC LIMIT ?",
            [self._settings.idempotency_keys_max],
        ).fetchall()
        self._fingerprints = OrderedDict((str(key), str(mark)) for key, mark in reversed(rows))

    def check_key(self, key: str | None) -> None:
        """Refuse a key that is empty or longer than the limit."""
        limit = self._settings.idempotency_key_length_max
        if key is not None and not 0 < len(key) <= limit:
            raise InvalidInput(
                f"An idempotency key has 1 to {limit} characters.",
                limit="idempotency_key_length_max",
                value=limit,
            )

    def knows(self, key: str, fingerprint: str) -> bool:
        """Whether a write with this key is durable; ``Conflict`` where it was another write."""
        first = self._fingerprints.get(key)
        if first is None:
            return False
        self.check_fingerprint(key, first, fingerprint)
        return True

    def find(self, connection: duckdb.DuckDBPyConnection, key: str, fingerprint: str) -> object | None:
        """Return the stored result of a key, read by any thread; ``Conflict`` where it was another write."""
        rows = connection.execute(
            "SELECT fingerprint, result FROM idempotency WHERE idempotency_key = ? LIMIT 1", [key]
        ).fetchall()
        if not rows:
            return None
        self.check_fingerprint(key, rows[0][0], fingerprint)
        found: object = json.loads(rows[0][1])
        return found

    def check_fingerprint(self, key: str, first: str, second: str) -> None:
        """Refuse a key that was used for another content."""
        if first != second:
            raise Conflict(
                "This idempotency key was used for another request.",
                hint="Use a new key for a new request.",
                code="idempotency-key-reused",
                key=key,
            )

    def store(self, connection: duckdb.DuckDBPyConnection, key: str, fingerprint: str, result: object) -> None:
        """Store a result in the write's own transaction."""
        text = json.dumps(result, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        limit = self._settings.idempotency_result_bytes_max
        if len(text.encode("utf-8")) > limit:
            raise LimitExceeded(
                f"The result of a write with an idempotency key has at most {limit} bytes.",
                limit="idempotency_result_bytes_max",
                value=limit,
            )
        connection.execute("INSERT INTO idempotency VALUES (?, ?, ?, ?)", [key, fingerprint, text, self._clock.now()])

    def remember(self, key: str, fingerprint: str) -> None:
        """Know a key from now on: its write is durable."""
        self._fingerprints[key] = fingerprint
        while len(self._fingerprints) > self._settings.idempotency_keys_max:
            self._fingerprints.popitem(last=False)


def read_result(connection: duckdb.DuckDBPyConnection, key: str) -> object:
    """Return the stored result of a write, decoded from JSON."""
    rows = connection.execute("SELECT result FROM idempotency WHERE idempotency_key = ? LIMIT 1", [key]).fetchall()
    row = rows[0] if rows else None
    return json.loads(row[0]) if row else None
