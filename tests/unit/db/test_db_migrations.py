from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pytest

from cim.db.faults import SchemaChanged
from cim.db.migrations import Applied, Migration, plan_migrations, read_migrations
from cim.db.store import packaged_migrations
from cim.errors import InvalidInput, NewerSchema

KNOWN = (Migration(1, "one", "SELECT 1;"), Migration(2, "two", "SELECT 2;"), Migration(5, "five", "SELECT 5;"))
APPLIED = tuple(Applied(m.number, m.name, hashlib.sha256(m.sql.encode()).hexdigest()) for m in KNOWN)


def test_files_are_read_in_the_order_of_their_numbers() -> None:
    found = read_migrations({"0010_b.sql": "B", "0002_a.sql": "A"})
    assert [(m.number, m.name, m.sql) for m in found] == [(2, "a", "A"), (10, "b", "B")]


@pytest.mark.parametrize("names", [["1_a.sql"], ["0001-a.sql"], ["0001_A.sql"], ["0001_a.sql", "0001_b.sql"]])
def test_a_wrong_or_doubled_number_is_refused(names: list[str]) -> None:
    with pytest.raises(InvalidInput):
        read_migrations(dict.fromkeys(names, ""))


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_what_is_not_applied_is_pending(count: int) -> None:
    assert plan_migrations(KNOWN, APPLIED[:count]) == KNOWN[count:]


def test_line_endings_do_not_change_a_migration() -> None:
    assert Migration(1, "a", "x\r\ny\r\n").sha256 == Migration(1, "a", "x\ny\n").sha256
    assert Migration(1, "a", "x\ny").sha256 != Migration(1, "a", "x\ny\n").sha256


def test_an_unknown_step_is_a_newer_schema() -> None:
    with pytest.raises(NewerSchema) as refused:
        plan_migrations(KNOWN, (*APPLIED, Applied(6, "six", "00")))
    assert refused.value.params == {"found": 6, "known": 5}


def test_a_newer_schema_is_named_before_a_changed_one() -> None:
    """A newer program may have changed what this one thinks it knows: its user must update, not repair."""
    with pytest.raises(NewerSchema):
        plan_migrations(KNOWN, (replace(APPLIED[0], sha256="00"), Applied(6, "six", "00")))


def test_a_changed_step_is_refused_by_name() -> None:
    with pytest.raises(SchemaChanged, match="0002_two"):
        plan_migrations(KNOWN, (APPLIED[0], replace(APPLIED[1], sha256="00")))


def test_a_new_step_below_an_applied_one_is_refused() -> None:
    with pytest.raises(SchemaChanged, match="0002_two comes before 0005"):
        plan_migrations(KNOWN, (APPLIED[0], APPLIED[2]))


def test_the_packaged_migrations_count_from_one_and_keep_to_the_house_rules() -> None:
    found = packaged_migrations()
    assert [m.number for m in found] == list(range(1, len(found) + 1))
    for migration in found:
        sql = re.sub(r"--.*", "", migration.sql).upper()
        # Indexes make every commit and every start slower, and break updates in place.
        assert not re.search(r"\b(PRIMARY KEY|UNIQUE|CREATE INDEX|FOREIGN KEY)\b", sql), migration.name
        # Fetching one needs a library that is not there; every TIMESTAMP is UTC.
        assert "TIMESTAMPTZ" not in sql, migration.name
