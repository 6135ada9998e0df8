from __future__ import annotations

import duckdb
import pytest

from cim.db.recover import byte_named
from cim.db.settings import DatabaseSettings, free_bytes_needed, gapless_check

MIB = 1024 * 1024


def test_a_write_needs_room_for_the_log_twice_and_a_margin() -> None:
    assert free_bytes_needed(DatabaseSettings(), 0) == 256 * MIB
    assert free_bytes_needed(DatabaseSettings(), 10 * MIB) == 276 * MIB


@pytest.mark.parametrize(
    ("numbers", "sound"),
    [
        ([], True),
        ([1], True),
        ([3, 1, 2], True),
        ([2, 3], False),
        ([1, 3], False),
        ([1, 2, 2], False),
        ([1, 1, 3], False),
        ([0, 1], False),
    ],
)
def test_a_gap_a_repeat_or_a_late_begin_is_found(numbers: list[int], sound: bool) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE batch (batch_id BIGINT)")
        for number in numbers:
            connection.execute("INSERT INTO batch VALUES (?)", [number])
        found = connection.execute(gapless_check("batch").sql).fetchone()
    assert (found is None) == sound


@pytest.mark.parametrize(
    ("message", "byte"),
    [
        ("Corrupt WAL file: entry at byte position 1023 computed checksum 1 does not match", 1023),
        ("WAL does not match database file.", None),
        ("", None),
    ],
)
def test_the_byte_is_read_from_the_error(message: str, byte: int | None) -> None:
    assert byte_named(message) == byte
