"""A process that commits is killed, its log is damaged: nothing acknowledged is lost, or it is said."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from db_children import CHECKS, MIGRATIONS, SETTINGS, append_batch

from cim.db.directory import DataDirectory
from cim.db.faults import DatabaseDamaged
from cim.db.recover import RecoveryReport, recover_city
from cim.db.scrub import scrub_city
from cim.db.settings import DatabaseSettings
from cim.db.store import Database
from cim.errors import DirectoryInUse, NotFound
from cim.ports import SystemClock

ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).parent / "db_children.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def start_child(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(CHILD), *arguments], stdout=subprocess.PIPE, env=ENVIRONMENT)


def open_city(directory: DataDirectory) -> Database:
    return Database.open(directory, SETTINGS, migrations=MIGRATIONS, checks=CHECKS)


def batches(database: Database) -> list[int]:
    with database.read() as cursor:
        return [row[0] for row in cursor.execute("SELECT batch_id FROM batch ORDER BY rowid").fetchall()]


def leave_log(path: Path, count: int) -> None:
    subprocess.run([sys.executable, str(CHILD), "leave-log", str(path), str(count)], env=ENVIRONMENT, check=False)
    assert (path / "city.duckdb.wal").stat().st_size > 1000 * count


def recover(directory: DataDirectory, *, accept_loss: bool = False) -> RecoveryReport:
    return recover_city(
        directory,
        SETTINGS,
        clock=SystemClock(),
        migrations=MIGRATIONS,
        checks=CHECKS,
        accept_loss=accept_loss,
    )


def test_nothing_acknowledged_is_lost_over_many_kills(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    acknowledged = 0
    early_kills = 0
    for _cycle in range(10):
        child = start_child("commit", str(tmp_path))
        assert child.stdout is not None
        try:
            # A quarter of the kills fall into the opening, which the first cycles make the creation.
            wanted = 0 if chance.random() < 0.25 else chance.randint(1, 60)
            if wanted == 0:
                early_kills += 1
                with pytest.raises(subprocess.TimeoutExpired):
                    child.wait(chance.uniform(0.2, 0.6))
            for _ in range(wanted):
                acknowledged = max(acknowledged, int(child.stdout.readline()))
        finally:
            child.kill()
            rest = child.stdout.read()
            child.stdout.close()
            child.wait()
        whole_lines = rest.decode().split("\n")[:-1]
        acknowledged = max([acknowledged, *(int(line) for line in whole_lines if line)])
        with DataDirectory(tmp_path) as directory, open_city(directory) as database:
            found = batches(database)
        assert found == list(range(1, len(found) + 1))
        assert len(found) >= acknowledged
        acknowledged = len(found)
    assert acknowledged > 100
    assert early_kills


def test_a_second_process_is_refused_and_told_who_owns_the_city(tmp_path: Path) -> None:
    child = start_child("hold", str(tmp_path), "http://127.0.0.1:8123")
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == b"held\n"
        server_file = tmp_path / "server.json"
        assert server_file.stat().st_mode & 0o777 == 0o600
        with pytest.raises(DirectoryInUse) as refused:
            DataDirectory(tmp_path).claim()
        assert str(child.pid) in refused.value.message
        assert "http://127.0.0.1:8123" in refused.value.message
        assert refused.value.params["pid"] == child.pid
        assert "secret-token" not in str(refused.value.as_problem())
        address = DataDirectory(tmp_path).read_address()
        assert address is not None
        assert (address.pid, address.token) == (child.pid, "secret-token")
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    # The dead server's file is still there, and believed by nobody.
    assert json.loads(server_file.read_text())["pid"] == child.pid
    assert DataDirectory(tmp_path).read_address() is None
    with DataDirectory(tmp_path):
        assert not server_file.exists()


def test_another_program_that_has_the_file_open_is_noticed(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as directory:
        open_city(directory).close()
        script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
        other = subprocess.Popen(
            [sys.executable, "-c", script, str(directory.database_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"open\n"
            with pytest.raises(DirectoryInUse, match="Another program"):
                open_city(directory)
        finally:
            other.communicate()
        open_city(directory).close()


def test_an_owner_without_an_address_is_named_by_its_process(tmp_path: Path) -> None:
    child = start_child("hold", str(tmp_path), "")
    assert child.stdout is not None
    try:
        child.stdout.readline()
        with pytest.raises(DirectoryInUse, match=str(child.pid)):
            DataDirectory(tmp_path).claim()
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def test_a_zero_filled_log_tail_is_refused_then_recovered_with_the_originals_kept(tmp_path: Path) -> None:
    leave_log(tmp_path, 21)
    # The power went while the 21st group was on its way: its end is zeros, and it was never acknowledged.
    wal = tmp_path / "city.duckdb.wal"
    whole = wal.read_bytes()
    wal.write_bytes(whole[:-900] + b"\0" * 8192)
    mark = tmp_path / "commits"
    mark.write_text(f"{int(mark.read_text()) - 1:020d}")
    originals = fingerprints(tmp_path)
    with DataDirectory(tmp_path) as directory:
        with pytest.raises(DatabaseDamaged) as refused:
            open_city(directory)
        assert "cim recover" in refused.value.hint
        assert fingerprints(tmp_path) == originals
        report = recover(directory)
        assert report.groups_lost == 0
        assert report.tail_was_zero
        assert report.cuts == (report.log_bytes_after,)
        assert report.kept_in is not None
        kept = fingerprints(report.kept_in)
        assert {name: kept[name] for name in originals} == originals
        with open_city(directory) as database:
            assert batches(database) == list(range(1, 21))
            assert database.submit(append_batch).result() == 21
        assert not recover(directory).needed


@pytest.mark.parametrize("damage", ["cut short", "zeroed from the start", "one bit in the middle", "log removed"])
def test_a_log_that_would_open_as_an_older_city_is_refused(tmp_path: Path, damage: str) -> None:
    leave_log(tmp_path, 20)
    wal = tmp_path / "city.duckdb.wal"
    whole = wal.read_bytes()
    if damage == "cut short":
        wal.write_bytes(whole[: len(whole) // 2])
    elif damage == "zeroed from the start":
        wal.write_bytes(b"\0" * len(whole))
    elif damage == "one bit in the middle":
        half = len(whole) // 2
        wal.write_bytes(whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :])
    else:
        wal.unlink()
    damaged = fingerprints(tmp_path)
    with DataDirectory(tmp_path) as directory:
        with pytest.raises(DatabaseDamaged):
            open_city(directory)
        assert fingerprints(tmp_path) == damaged
        with pytest.raises(DatabaseDamaged) as refused:
            recover(directory)
        assert int(str(refused.value.params["missing_groups"])) > 0
        assert {name: mark for name, mark in fingerprints(tmp_path).items() if "/" not in name} == damaged
        report = recover(directory, accept_loss=True)
        assert report.groups_lost == refused.value.params["missing_groups"]
        with open_city(directory) as database:
            assert batches(database) == list(range(1, 21 - report.groups_lost))


def test_a_recovery_that_was_interrupted_is_noticed_and_repeated(tmp_path: Path) -> None:
    leave_log(tmp_path, 5)
    kept = tmp_path / "recovered" / "2026-11-22T18-00-00Z"
    kept.mkdir(parents=True)
    for name in ("city.duckdb", "city.duckdb.wal", "commits"):
        shutil.copyfile(tmp_path / name, kept / name)
    # The moment between taking the log away and putting the rebuilt file in place.
    (tmp_path / "recovering.json").write_text(json.dumps({"kept_in": kept.name}))
    (tmp_path / "city.duckdb.wal").unlink()
    with DataDirectory(tmp_path) as directory:
        with pytest.raises(DatabaseDamaged, match="interrupted"):
            open_city(directory)
        assert recover(directory).groups_lost == 0
        with open_city(directory) as database:
            assert batches(database) == [1, 2, 3, 4, 5]


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "city.duckdb").write_bytes(b"not a database" * 1000)
    with DataDirectory(tmp_path) as directory:
        for attempt in (open_city, recover):
            with pytest.raises(DatabaseDamaged):
                attempt(directory)
    assert (tmp_path / "city.duckdb").read_bytes() == b"not a database" * 1000


def test_a_log_without_its_database_is_not_adopted(tmp_path: Path) -> None:
    leave_log(tmp_path, 2)
    (tmp_path / "city.duckdb").unlink()
    with DataDirectory(tmp_path) as directory:
        with pytest.raises(DatabaseDamaged, match="missing"):
            open_city(directory)
        with pytest.raises(NotFound):
            recover(directory)
    assert (tmp_path / "city.duckdb.wal").exists()


def test_a_half_created_database_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "city.duckdb.new").write_bytes(b"half" * 100)
    (tmp_path / "city.duckdb.new.wal").write_bytes(b"half" * 100)
    with DataDirectory(tmp_path) as directory, open_city(directory) as database:
        assert batches(database) == []
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".json") == ["city.duckdb", "lock"]


def test_scrub_finds_the_column_that_rotted(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as directory:
        with open_city(directory) as database:
            fill = (
                "INSERT INTO batch SELECT range + 1, md5(range::VARCHAR) || md5((range * 7)::VARCHAR) FROM range(50000)"
            )
            database.submit(lambda connection: connection.execute(fill) and None).result()
        assert scrub_city(directory, SETTINGS).sound
        file = tmp_path / "city.duckdb"
        content = bytearray(file.read_bytes())
        rotten = len(content) // 2
        content[rotten] ^= 1
        file.write_bytes(content)
        seen: list[tuple[int, int]] = []
        report = scrub_city(directory, DatabaseSettings(), on_progress=lambda done, total: seen.append((done, total)))
        (fault,) = report.faults
        assert fault.table == "batch"
        assert fault.byte is not None
        assert fault.byte <= rotten < fault.byte + 262_144
        assert seen[-1] == (report.columns - 1, report.columns)


def fingerprints(folder: Path) -> dict[str, str]:
    """Return the hash of every file of a city that is not this process's own lock."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }
