"""Brings a city back whose log does not read, as after a power cut: the logic of `cim recover` (shell).

The originals are copied first and kept.  On a working copy the log is cut at the byte that DuckDB's
error names, as often as needed; what opens and passes every check takes the city's place.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from cim.db.connection import connect, opening_error, read_applied, run_checks
from cim.db.directory import DataDirectory, fsync_path
from cim.db.faults import DatabaseDamaged
from cim.db.mark import read_beside, read_number
from cim.db.migrations import Migration, plan_migrations
from cim.db.settings import MEBIBYTE, DatabaseSettings, StartCheck
from cim.errors import CimError, InvalidInput, NotFound, StorageFull
from cim.ports import Clock

_BYTE_NAMED = re.compile(r"entry at byte position (\d+)")
_CUTS_MAX = 8
_WORK_NAME = "recovering"


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What was found and done.

    ``kept_in`` is the folder of the originals, None where nothing had to be done; ``cuts`` the bytes
    at which the log was cut; ``groups_lost`` how many acknowledged groups of writes are gone.
    """

    kept_in: Path | None
    log_bytes_before: int
    log_bytes_after: int
    cuts: tuple[int, ...]
    tail_was_zero: bool
    groups_lost: int

    @property
    def needed(self) -> bool:
        """Whether anything had to be done."""
        return self.kept_in is not None


def byte_named(message: str) -> int | None:
    """Return the byte of the log at which, by DuckDB's message, it stops to read."""
    found = _BYTE_NAMED.search(message)
    return int(found.group(1)) if found else None


def recover_city(
    directory: DataDirectory,
    settings: DatabaseSettings,
    *,
    clock: Clock,
    migrations: Sequence[Migration],
    checks: Sequence[StartCheck] = (),
    accept_loss: bool = False,
) -> RecoveryReport:
    """Open the city, or make it open; the directory must be claimed and its database closed.

    Raises ``DatabaseDamaged`` where the file itself is damaged, or where acknowledged writes would
    be lost and ``accept_loss`` is false: the city's files are unchanged then.
    """
    if not directory.claimed:
        raise InvalidInput("A data directory is claimed before it is recovered.")
    interrupted = directory.recovering_path.exists()
    if not interrupted:
        if not directory.database_path.exists():
            raise NotFound(f"There is no city in {directory.path}.", path=str(directory.path))
        if _is_sound(directory, settings, migrations, checks):
            size = _size(directory.wal_path)
            return RecoveryReport(None, size, size, (), tail_was_zero=False, groups_lost=0)
    kept = _interrupted_keep(directory) if interrupted else _keep_originals(directory, clock)
    work = directory.path / _WORK_NAME
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        return _rebuild(directory, settings, kept, work, migrations, checks, accept_loss=accept_loss)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _rebuild(
    directory: DataDirectory,
    settings: DatabaseSettings,
    kept: Path,
    work: Path,
    migrations: Sequence[Migration],
    checks: Sequence[StartCheck],
    *,
    accept_loss: bool,
) -> RecoveryReport:
    copy = work / directory.database_path.name
    copy_wal = work / directory.wal_path.name
    for original in (copy.name, copy_wal.name):
        if (kept / original).exists():
            shutil.copyfile(kept / original, work / original)
    before = _size(copy_wal)
    tail_was_zero = _ends_in_zeros(copy_wal)
    cuts = _cut_until_open(copy, copy_wal, directory, settings)
    after = _size(copy_wal)
    connection = connect(copy, directory, settings)
    try:
        plan_migrations(migrations, read_applied(connection))
        run_checks(connection, checks)
        number = read_number(connection)
        connection.execute("CHECKPOINT")
    except duckdb.Error as error:
        raise opening_error(error, directory) from error
    finally:
        connection.close()
    lost = max(0, read_beside(kept / directory.mark_path.name) - number)
    if lost and not accept_loss:
        raise DatabaseDamaged(
            f"The log of the city is damaged inside: the last {lost} groups of writes cannot be read."
            " The city's files are unchanged.",
            hint="Put back a copy of the whole folder, or run `cim recover --accept-loss` to go on without them.",
            missing_groups=lost,
        )
    _swap_in(directory, copy, kept, number)
    return RecoveryReport(kept, before, after, cuts, tail_was_zero, lost)


def _cut_until_open(
    copy: Path, copy_wal: Path, directory: DataDirectory, settings: DatabaseSettings
) -> tuple[int, ...]:
    """Cut the copy of the log where it does not read, until it opens; return the bytes of the cuts."""
    cuts: list[int] = []
    while True:
        try:
            connect(copy, directory, settings, read_only=True).close()
        except CimError as error:
            at = byte_named(str(error.__cause__))
            size = _size(copy_wal)
            if at is None or at >= size or len(cuts) >= _CUTS_MAX:
                raise
            os.truncate(copy_wal, at)
            cuts.append(at)
        else:
            return tuple(cuts)


def _is_sound(
    directory: DataDirectory,
    settings: DatabaseSettings,
    migrations: Sequence[Migration],
    checks: Sequence[StartCheck],
) -> bool:
    try:
        connection = connect(directory.database_path, directory, settings, read_only=True)
    except DatabaseDamaged:
        return False
    try:
        if not plan_migrations(migrations, read_applied(connection)):
            run_checks(connection, checks)
            return read_beside(directory.mark_path) <= read_number(connection)
    except DatabaseDamaged:
        return False
    except duckdb.Error:
        return False
    finally:
        connection.close()
    return True


def _keep_originals(directory: DataDirectory, clock: Clock) -> Path:
    """Copy the city's files into a dated folder and force them to disk."""
    originals = [p for p in (directory.database_path, directory.wal_path, directory.mark_path) if p.exists()]
    needed = 2 * sum(_size(path) for path in originals) + 16 * MEBIBYTE
    free = shutil.disk_usage(directory.path).free
    if free < needed:
        raise StorageFull(
            f"Recovery keeps the originals and needs {needed // MEBIBYTE} MB; {free // MEBIBYTE} MB are free.",
            hint="Free some disk space and try again; nothing was changed.",
            free_bytes=free,
            needed_bytes=needed,
        )
    kept = directory.recovered_path / clock.now().strftime("%Y-%m-%dT%H-%M-%S.%fZ")
    kept.mkdir(parents=True)
    for path in originals:
        shutil.copyfile(path, kept / path.name)
        fsync_path(kept / path.name)
    fsync_path(kept)
    return kept


def _interrupted_keep(directory: DataDirectory) -> Path:
    """Return where the recovery that was interrupted has kept the originals."""
    try:
        named = json.loads(directory.recovering_path.read_text(encoding="utf-8"))["kept_in"]
        kept = directory.recovered_path / Path(str(named)).name
    except (OSError, ValueError, KeyError, TypeError):
        kept = directory.recovered_path
    if not (kept / directory.database_path.name).exists():
        raise DatabaseDamaged(
            "A recovery was interrupted and the originals that it kept are not where it put them.",
            hint=f"Put the newest copy from {directory.recovered_path} back by hand.",
        )
    return kept


def _swap_in(directory: DataDirectory, copy: Path, kept: Path, number: int) -> None:
    """Put the rebuilt database in the city's place so that a crash in between is noticed and repeated."""
    fsync_path(copy)
    directory.recovering_path.write_text(json.dumps({"kept_in": kept.name}), encoding="utf-8")
    fsync_path(directory.recovering_path)
    fsync_path(directory.path)
    directory.wal_path.unlink(missing_ok=True)
    copy.replace(directory.database_path)
    directory.mark_path.write_text(f"{number:020d}", encoding="ascii")
    fsync_path(directory.path)
    directory.recovering_path.unlink()
    fsync_path(directory.path)


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _ends_in_zeros(path: Path) -> bool:
    with suppress(FileNotFoundError, OSError), path.open("rb") as stream:
        stream.seek(-16, os.SEEK_END)
        return not any(stream.read())
    return False
