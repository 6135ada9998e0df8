"""The data directory: who owns it, and where its owner listens.

The lock is an ``flock`` on a file of its own, taken before DuckDB connects.  No module may open the
database or its log by path while they are in use: closing that descriptor would drop DuckDB's lock,
a second process could write, and the next checkpoint would erase what it wrote.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cim.errors import DirectoryInUse, InvalidInput, StorageFull

DATABASE_NAME = "city.duckdb"
LOCK_NAME = "lock"
ADDRESS_NAME = "server.json"
TEMPORARY_NAME = "spill"
RECOVERED_NAME = "recovered"
RECOVERING_NAME = "recovering.json"
MARK_NAME = "commits"
ADDRESS_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the owner of a data directory listens; the token proves that a caller may read it."""

    pid: int
    address: str
    token: str


class DataDirectory:
    """A data directory that this process owns, or wants to.

    Use as a context manager, or ``claim()`` and ``release()``.  Until it is claimed nothing is
    touched.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).absolute()
        self._lock_fd: int | None = None
        self._published = False

    @property
    def database_path(self) -> Path:
        """Where the database file is."""
        return self.path / DATABASE_NAME

    @property
    def wal_path(self) -> Path:
        """Where DuckDB keeps the log of commits that are not in the file yet."""
        return self.path / f"{DATABASE_NAME}.wal"

    @property
    def temporary_path(self) -> Path:
        """Where queries that outgrow memory spill."""
        return self.path / TEMPORARY_NAME

    @property
    def recovered_path(self) -> Path:
        """Where recovery keeps the originals."""
        return self.path / RECOVERED_NAME

    @property
    def recovering_path(self) -> Path:
        """The mark of a recovery that has begun to change files."""
        return self.path / RECOVERING_NAME

    @property
    def mark_path(self) -> Path:
        """Where the number of the last durable group of writes is kept beside the database."""
        return self.path / MARK_NAME

    @property
    def address_path(self) -> Path:
        """Where the owner writes its address."""
        return self.path / ADDRESS_NAME

    @property
    def claimed(self) -> bool:
        """Whether this process holds the lock."""
        return self._lock_fd is not None

    def claim(self) -> Self:
        """Create the directory where missing and become its only owner.

        Raises ``DirectoryInUse`` naming the owner, ``InvalidInput`` where no directory can be.
        """
        if self.claimed:
            return self
        fd = self._open_lock()
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner_pid = _read_pid(fd)
            os.close(fd)
            raise self._in_use(owner_pid) from None
        except OSError as error:
            os.close(fd)
            raise InvalidInput(
                f"The folder {self.path} is on a disk that cannot lock files, so the city is not safe there.",
                hint="Choose a folder on a local disk with --data.",
                path=str(self.path),
            ) from error
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
            # The owner died without taking its address back: whoever reads it would knock in vain.
            self.address_path.unlink(missing_ok=True)
        except OSError as error:
            os.close(fd)
            raise StorageFull(
                f"The folder {self.path} cannot be written.", hint="Free some disk space.", path=str(self.path)
            ) from error
        self._lock_fd = fd
        return self

    def release(self) -> None:
        """Take the address back and give the directory up; harmless when not claimed."""
        if self._lock_fd is None:
            return
        if self._published:
            self.address_path.unlink(missing_ok=True)
            self._published = False
        os.close(self._lock_fd)
        self._lock_fd = None

    def publish_address(self, address: str, token: str) -> None:
        """Write ``server.json``, readable by this user only, so that the command line finds the server."""
        if not self.claimed:
            raise InvalidInput("Only the owner of a data directory may publish its address.")
        text = json.dumps({"pid": os.getpid(), "address": address, "token": token})
        fresh = self.address_path.with_suffix(".json.new")
        fresh.unlink(missing_ok=True)
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as stream:
            stream.write(text)
        fresh.replace(self.address_path)
        self._published = True

    def read_address(self) -> ServerAddress | None:
        """Return where the owner listens, or None where nobody does; a dead owner's file is not believed."""
        if not self.claimed and not self._is_locked():
            return None
        return _read_address(self.address_path)

    def _open_lock(self) -> int:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            return os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (FileExistsError, NotADirectoryError) as error:
            raise InvalidInput(
                f"{self.path} is a file, not a folder.",
                hint="Choose another folder with --data.",
                path=str(self.path),
            ) from error
        except OSError as error:
            raise InvalidInput(
                f"The folder {self.path} cannot be created or written.",
                hint="Check its permissions and the free disk space, or choose another folder with --data.",
                path=str(self.path),
            ) from error

    def _is_locked(self) -> bool:
        try:
            fd = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        else:
            return False
        finally:
            os.close(fd)

    def _in_use(self, lock_pid: int | None) -> DirectoryInUse:
        found = _read_address(self.address_path)
        if found is not None and lock_pid in (None, found.pid):
            return DirectoryInUse(
                f"The city in {self.path} is already served by process {found.pid} at {found.address}.",
                hint=f"Use that server, or stop it first (kill {found.pid}).",
                path=str(self.path),
                pid=found.pid,
                address=found.address,
            )
        return DirectoryInUse(
            f"The city in {self.path} is in use by process {lock_pid or 'unknown'}, which serves no address yet.",
            hint="Wait until it has finished, or choose another folder with --data.",
            path=str(self.path),
            pid=lock_pid,
            address=None,
        )

    def __enter__(self) -> Self:
        """Claim the directory."""
        return self.claim()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the directory up."""
        self.release()


def _read_pid(fd: int) -> int | None:
    with suppress(OSError, ValueError):
        return int(os.pread(fd, 32, 0).decode("ascii", "replace").strip())
    return None


def _read_address(path: Path) -> ServerAddress | None:
    try:
        with path.open("rb") as stream:
            found = json.loads(stream.read(ADDRESS_BYTES_MAX))
        return ServerAddress(int(found["pid"]), str(found["address"]), str(found["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fsync_path(path: Path) -> None:
    """Force a file or a folder to the disk.  Never for a database that is open."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
