"""The numbered steps that build the schema, and whether a database may take the next ones (pure)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cim.db.faults import SchemaChanged
from cim.errors import InvalidInput, NewerSchema

_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")

LEDGER_SQL = """
CREATE TABLE IF NOT EXISTS schema_migration (
    number INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its number, its name and the SQL it runs."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hash of the SQL with any line ending, so that a checkout's settings do not matter."""
        text = self.sql.replace("\r\n", "\n").replace("\r", "\n")
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class Applied:
    """What a database says about a step that it has taken."""

    number: int
    name: str
    sha256: str


def read_migrations(files: Mapping[str, str]) -> tuple[Migration, ...]:
    """Return the migrations in order from file names ``NNNN_name.sql`` to their text."""
    found: dict[int, Migration] = {}
    for file_name, sql in files.items():
        match = _NAME.match(file_name)
        if match is None:
            raise InvalidInput(f"A migration's file is named NNNN_name.sql, not {file_name}.", file=file_name)
        number = int(match.group(1))
        if number in found:
            raise InvalidInput(f"Two migrations have the number {number:04d}.", number=number)
        found[number] = Migration(number, match.group(2), sql)
    return tuple(found[number] for number in sorted(found))


def plan_migrations(known: Sequence[Migration], applied: Sequence[Applied]) -> tuple[Migration, ...]:
    """Return the migrations that are still to be applied, in order.

    Raises ``NewerSchema`` where the database has a step that this program does not know, and
    ``SchemaChanged`` where an applied step reads differently now or a new step would go below one
    that is already applied.
    """
    by_number = {migration.number: migration for migration in known}
    newest = max(by_number, default=0)
    for step in applied:
        if step.number not in by_number:
            raise NewerSchema(
                f"The city was written by a newer version of the program: schema {step.number}, not {newest}.",
                hint="Install the newer version of cim; nothing was changed.",
                found=step.number,
                known=newest,
            )
    done: set[int] = set()
    for step in applied:
        migration = by_number[step.number]
        if migration.sha256 != step.sha256:
            raise SchemaChanged(
                f"Migration {step.number:04d}_{step.name} was applied to this city with another content.",
                hint="Restore that file as it was released; a change needs a new migration. Nothing was changed.",
                number=step.number,
                name=step.name,
            )
        done.add(step.number)
    pending = tuple(migration for migration in known if migration.number not in done)
    highest = max(done, default=0)
    if pending and pending[0].number < highest:
        raise SchemaChanged(
            f"Migration {pending[0].number:04d}_{pending[0].name} comes before {highest:04d}, already applied.",
            hint="Give the new migration the next free number; nothing was changed.",
            number=pending[0].number,
            name=pending[0].name,
        )
    return pending
