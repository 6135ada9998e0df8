"""Uploads on disk: a folder each in the data directory, which this process owns."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from cim.errors import InvalidInput, StorageFull
from cim.uploads.model import FREE_BYTES_MIN, Upload, UploadedFile

_ID: Final = re.compile(r"u[0-9a-f]{16}")
_PART: Final = ".part"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class UploadStore:
    """The folder ``uploads`` of one city; ``free`` tells the bytes that a folder's disk has left."""

    def __init__(self, root: Path, free: Callable[[Path], int] | None = None) -> None:
        self.root = root
        self._free = free or (lambda path: shutil.disk_usage(path).free)

    def free_bytes(self) -> int:
        """Return the bytes that uploads may still take."""
        self.root.mkdir(parents=True, exist_ok=True)
        return max(0, self._free(self.root) - FREE_BYTES_MIN)

    def uploads(self) -> list[Upload]:
        """Return all uploads that hold a file, the oldest first."""
        if not self.root.is_dir():
            return []
        found = (self.find(path.name) for path in self.root.iterdir())
        return sorted((one for one in found if one is not None), key=lambda one: (one.touched_at, one.id))

    def find(self, upload_id: str) -> Upload | None:
        """Return an upload; ``None`` where there is none, or no file in it yet."""
        box = self._box(upload_id)
        if box is None:
            return None
        files = sorted(_files(box))
        if not files:
            return None
        sized = tuple(UploadedFile(path.relative_to(box).as_posix(), path.stat().st_size) for path in files)
        touched = max(path.stat().st_mtime for path in (box, *files))
        return Upload(upload_id, box.name, sized, datetime.fromtimestamp(touched, UTC))

    def _box(self, upload_id: str) -> Path | None:
        """Return the one folder in an upload's own, which is called as what was brought."""
        if not _ID.fullmatch(upload_id):
            return None
        try:
            return next((path for path in (self.root / upload_id).iterdir() if path.is_dir()), None)
        except FileNotFoundError:
            return None

    def create(self, name: str) -> str:
        """Make room for an upload called ``name``, a plain part of a path; return its id."""
        upload_id = f"u{secrets.token_hex(8)}"
        (self.root / upload_id / name).mkdir(parents=True)
        return upload_id

    def path(self, upload: Upload) -> Path:
        """Return what a job reads: the file where there is one, else the folder."""
        box = self.root / upload.id / upload.name
        return box / upload.files[0].name if len(upload.files) == 1 else box

    def part(self, upload_id: str) -> Path:
        """Return where a file is written to that nobody reads yet."""
        return self.root / upload_id / f"{secrets.token_hex(8)}{_PART}"

    def keep(self, part: Path, upload_id: str, parts: tuple[str, ...]) -> None:
        """Put a file that is whole in its place; one of the same name is replaced."""
        box = self._box(upload_id)
        assert box is not None
        # The folder is called as what was brought: that is not said twice.
        own = parts[1:] if len(parts) > 1 and parts[0] == box.name else parts
        path = box.joinpath(*own)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.replace(path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise InvalidInput(
                "A file and a folder have the same name.", code="upload-name", name="/".join(parts)[:80]
            ) from error

    def remove(self, upload_id: str) -> None:
        """Remove an upload with its files."""
        if _ID.fullmatch(upload_id):
            shutil.rmtree(self.root / upload_id, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what broken uploads left: parts of files, and folders without any."""
        for folder in list(self.root.iterdir()) if self.root.is_dir() else ():
            for part in folder.glob(f"*{_PART}"):
                part.unlink(missing_ok=True)
            if self.find(folder.name) is None:
                shutil.rmtree(folder, ignore_errors=True)


def _files(box: Path) -> Iterator[Path]:
    return (path for path in box.rglob("*") if path.is_file() and not path.is_symlink())


class Writing:
    """One file on its way to the disk; what is not finished is removed.

    A full disk is :class:`StorageFull`, whatever it is that says so.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._file: IO[bytes] | None = None

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        try:
            if self._file is None:
                self._file = self.path.open("xb")
            self._file.write(piece)
        except OSError as error:
            raise _named(error) from error
        self.size += len(piece)

    def finish(self) -> None:
        """Have all of it on the disk."""
        try:
            if self._file is not None:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
        except OSError as error:
            raise _named(error) from error

    def drop(self) -> None:
        """Leave nothing of it."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        self.path.unlink(missing_ok=True)


def _named(error: OSError) -> Exception:
    if error.errno in _FULL:
        return StorageFull("The disk has no room for the file.", hint="Make room on the server's disk.")
    return error
