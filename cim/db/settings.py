"""Sizes and limits of the database, each with a name that an error can say."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """How much of the machine the database may take.

    A checkpoint threshold of 16 MB keeps a commit short: the commit that crosses it also pays for
    moving the log into the file (1.7 s at 128 MB).
    """

    threads: int = 2
    memory_limit_mib: int = 1024
    temp_limit_mib: int = 4096
    checkpoint_threshold_mib: int = 16
    write_queue_max: int = 10_000
    write_group_max: int = 1_000
    readers_max: int = 16
    reader_wait_s: float = 10.0
    free_wal_factor: int = 2
    free_margin_bytes: int = 256 * MEBIBYTE
    idempotency_keys_max: int = 200_000
    idempotency_key_length_max: int = 200
    idempotency_result_bytes_max: int = 64 * 1024
    idempotency_days: int = 7
    reopen_wait_s: float = 1.0


def free_bytes_needed(settings: DatabaseSettings, wal_bytes: int) -> int:
    """Return the free space, in bytes, below which a write is refused.

    A checkpoint copies the log into the file; a disk that fills during one is fatal for every
    connection, so there must be room for the log twice and a margin.
    """
    return settings.free_wal_factor * wal_bytes + settings.free_margin_bytes


@dataclass(frozen=True, slots=True)
class StartCheck:
    """A question asked of the data before the city opens.

    ``sql`` selects what is wrong: no row means sound.  The first column of the first row is put
    into the error.  A table that does not exist yet must be asked for by the schema, so a check
    belongs to the same version of the program as its table.
    """

    name: str
    sql: str


def gapless_check(table: str, column: str = "batch_id") -> StartCheck:
    """Return the check that ``column`` of ``table`` counts 1, 2, 3 … without a gap or a repeat.

    A log cut short opens silently as a prefix, so a hole here is the only trace of lost commits.
    Both names come from code, never from a request.
    """
    name = f"{table}.{column} is gapless"
    sql = f"""
        SELECT format('{{}} rows, {{}} distinct, from {{}} to {{}}', n, d, lo, hi) FROM (
            SELECT count(*) AS n, count(DISTINCT "{column}") AS d,
                   min("{column}") AS lo, max("{column}") AS hi
            FROM "{table}")
        WHERE n > 0 AND (lo <> 1 OR hi <> n OR d <> n)
    """  # noqa: S608 - identifiers from code
    return StartCheck(name, sql)
