"""Archives (.zip, .tar, .tar.gz) unpacked into a folder of their own, every byte counted.

A name that leads out of the folder refuses the archive.  Links, devices, encrypted members, archives inside and
names that come twice are left out and listed.  Sizes are those that come out, not those that the archive states.
"""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Final

from cim.errors import InvalidInput, LimitExceeded
from ingest.readers.damage import damaged
from ingest.readers.limits import (
    ARCHIVE_BYTES_MAX,
    INFLATION_FREE_BYTES,
    INFLATION_RATIO_MAX,
    MEMBERS_MAX,
    PATH_DEPTH_MAX,
    check_limit,
)

ZIP_MARK: Final = b"PK\x03\x04"
ZIP_EMPTY_MARK: Final = b"PK\x05\x06"
TAR_MARK: Final = b"ustar"
TAR_MARK_AT: Final = 257
NAME_LENGTH_MAX: Final = 1_000
_COPY_BYTES: Final = 1024 * 1024
_ENCRYPTED: Final = 0x1
_UTF8: Final = 0x800
_FAULTS: Final = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError,
    NotImplementedError,
)  # fmt: skip

LeftOut = tuple[str, str, str]
"""Name, code and reason of a member that is not read."""


def is_zip(head: bytes) -> bool:
    """Tell by the first bytes."""
    return head.startswith((ZIP_MARK, ZIP_EMPTY_MARK))


def is_tar(head: bytes) -> bool:
    """Tell by the mark of POSIX and GNU archives; of an older one by its first header's checksum."""
    if head[TAR_MARK_AT : TAR_MARK_AT + len(TAR_MARK)] == TAR_MARK:
        return True
    if len(head) < tarfile.BLOCKSIZE or not head[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


@dataclass(slots=True)
class _Budget:
    """How much may still come out of an archive."""

    path: Path
    packed: int
    done: int = 0
    members: int = 0

    def member(self) -> None:
        self.members += 1
        check_limit("MEMBERS_MAX", self.members, MEMBERS_MAX, f"The number of files in {self.path.name}")

    def spend(self, count: int) -> None:
        self.done += count
        check_limit("ARCHIVE_BYTES_MAX", self.done, ARCHIVE_BYTES_MAX, "The unpacked size in bytes")
        if self.done > INFLATION_FREE_BYTES and self.done > INFLATION_RATIO_MAX * self.packed:
            raise LimitExceeded(
                f"{self.path.name} unpacks to more than {INFLATION_RATIO_MAX} times its size.",
                hint="Unpack it yourself if you trust it, and ingest the folder.",
                limit="INFLATION_RATIO_MAX",
                allowed=INFLATION_RATIO_MAX,
            )


@dataclass(slots=True)
class Unpacked:
    """What was left out of an archive."""

    left_out: list[LeftOut] = field(default_factory=list)

    def skip(self, name: str, code: str, reason: str) -> None:
        """Note a member that is not unpacked."""
        self.left_out.append((name[:200], code, reason))


def unpack(path: Path, target: Path) -> Unpacked:
    """Unpack an archive into an empty folder.

    Raises :class:`InvalidInput` (``file-damaged``, ``archive-path``) or :class:`LimitExceeded`.
    """
    done = Unpacked()
    budget = _Budget(path, path.stat().st_size)
    try:
        if zipfile.is_zipfile(path):
            _unpack_zip(path, target, budget, done)
        else:
            _unpack_tar(path, target, budget, done)
    except (InvalidInput, LimitExceeded, MemoryError):
        raise
    except _FAULTS as error:
        raise damaged(path) from error
    return done


def _unpack_zip(path: Path, target: Path, budget: _Budget, done: Unpacked) -> None:
    with zipfile.ZipFile(path) as archive:
        check_limit("MEMBERS_MAX", len(archive.infolist()), MEMBERS_MAX, f"The number of files in {path.name}")
        for info in archive.infolist():
            name = _zip_name(info)
            if info.is_dir():
                _place(target, name, path)
                continue
            budget.member()
            mode = info.external_attr >> 16
            if stat.S_ISLNK(mode):
                done.skip(name, "archive-link", "It is a link; links in archives are not followed.")
            elif info.flag_bits & _ENCRYPTED:
                done.skip(name, "archive-encrypted", "It is encrypted; unpack the archive yourself.")
            else:

                def opened(member: zipfile.ZipInfo = info) -> IO[bytes]:
                    return archive.open(member)

                _write(opened, target, name, budget, done)


def _unpack_tar(path: Path, target: Path, budget: _Budget, done: Unpacked) -> None:
    with tarfile.open(path, "r|*") as archive:
        for info in archive:
            name = info.name
            if info.isdir():
                _place(target, name, path)
                continue
            budget.member()
            if not info.isreg():
                kind = "a link; links in archives are" if info.issym() or info.islnk() else "no plain file; those are"
                done.skip(name, "archive-link", f"It is {kind} not followed.")
                continue

            def opened(member: tarfile.TarInfo = info) -> IO[bytes]:
                file = archive.extractfile(member)
                if file is None:
                    raise tarfile.ReadError
                return file

            _write(opened, target, name, budget, done)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name; an archive that does not say UTF-8 may still mean it, or GBK."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gbk"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _place(target: Path, name: str, archive: Path) -> Path:
    """Return where a member goes; refuses a name that leads anywhere else."""
    plain = PurePosixPath(name.replace("\\", "/"))
    odd = plain.is_absolute() or ".." in plain.parts or ":" in (plain.parts[0] if plain.parts else "")
    if odd or "\x00" in name or len(name) > NAME_LENGTH_MAX or len(plain.parts) > PATH_DEPTH_MAX:
        raise InvalidInput(
            f"{archive.name} has a member whose name leads out of its folder, or is too long; nothing was unpacked.",
            hint="Do not trust this archive; ask whoever made it.",
            code="archive-path",
            file=archive.name,
            member=ascii(name[:80]),
        )
    return target.joinpath(*plain.parts)


def _write(opened: Callable[[], IO[bytes]], target: Path, name: str, budget: _Budget, done: Unpacked) -> None:
    place = _place(target, name, budget.path)
    if place.exists():
        done.skip(name, "archive-twice", "The archive has this name twice; the first one was taken.")
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with opened() as source, place.open("xb") as out:
        while block := source.read(_COPY_BYTES):
            budget.spend(len(block))
            out.write(block)
