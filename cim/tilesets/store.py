"""Tilesets on disk: ``{root}/{scheme}/{build}/…`` and a pointer file that is replaced by rename.

A build is complete before the pointer names it.  The build before it stays, so that a client that
still holds the older tileset finds its contents; what is older is removed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import brotli
import orjson

from cim.errors import InvalidInput, NotFound
from cim.tilesets.model import (
    BASE_SCHEME,
    KEPT_BESIDE,
    PACKED,
    POINTER_NAME,
    Pointer,
    check_build,
    check_scheme,
    pointer_from_document,
)

_POINTER_BYTES_MAX = 4_096


class TilesetStore:
    """The tiles directory of one city; safe for one writing process and many readers."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def pointer(self, scheme: str) -> Pointer | None:
        """Return the current build of a scheme, ``None`` before the first."""
        path = self.root / check_scheme(scheme) / POINTER_NAME
        try:
            with path.open("rb") as file:
                text = file.read(_POINTER_BYTES_MAX)
        except FileNotFoundError:
            return None
        with suppress(orjson.JSONDecodeError):
            return pointer_from_document(orjson.loads(text))
        return pointer_from_document(None)

    def stamp(self, scheme: str) -> tuple[int, int] | None:
        """Return what changes whenever the pointer is replaced; cheap enough for each request."""
        try:
            status = (self.root / scheme / POINTER_NAME).stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns

    def builds(self, scheme: str) -> list[str]:
        """Return the builds of a scheme, the newest first."""
        folder = self.root / check_scheme(scheme)
        if not folder.is_dir():
            return []
        found = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
        return [
            path.name for path in sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
        ]

    def build_path(self, scheme: str, build: str) -> Path:
        """Return the directory of a build."""
        return self.root / check_scheme(scheme) / check_build(build)

    def staging_path(self, scheme: str, build: str, *, afresh: bool = True) -> Path:
        """Return a directory to write a build to, on the same file system; hidden from readers."""
        path = self.staged(scheme, build)
        if afresh:
            shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def staged(self, scheme: str, build: str) -> Path:
        """Return where a build that is being written lies."""
        return self.root / check_scheme(scheme) / f".{check_build(build)}.part"

    def remove(self, scheme: str) -> None:
        """Remove all builds of a scheme, its pointer first: nobody finds half of them."""
        folder = self.root / check_scheme(scheme)
        (folder / POINTER_NAME).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def copy(self, scheme: str, out: Path, pack: Callable[[Path, Path], object] | None = None) -> None:
        """Copy the current tiles of a scheme to a new folder that any web server can offer, or ``pack`` them to a file.

        What a scheme has from the city is copied too, what is kept packed is unpacked.  Raises :class:`NotFound`
        (``tiles-not-built``) before the first build.
        """
        if pack is not None:
            with tempfile.TemporaryDirectory(dir=self.root) as folder:
                self.copy(scheme, Path(folder) / "tiles")
                pack(Path(folder) / "tiles", out)
            return
        pointer = self.pointer(scheme)
        if pointer is None:
            raise NotFound("The tiles have not been built yet.", hint="Run: cim tiles build", code="tiles-not-built")
        leave_out = shutil.ignore_patterns(*KEPT_BESIDE)
        if pointer.base is not None:
            shutil.copytree(self.build_path(BASE_SCHEME, pointer.base), out, ignore=leave_out)
        shutil.copytree(self.build_path(scheme, pointer.build), out, ignore=leave_out, dirs_exist_ok=True)
        for packed in sorted(out.rglob(f"*{PACKED}")) if pointer.base is not None else ():
            whole = packed.with_name(packed.name.removesuffix(PACKED))
            whole.write_bytes(brotli.decompress(packed.read_bytes()))
            if (self.build_path(scheme, pointer.build) / packed.relative_to(out)).is_file():
                whole.with_name(f"{whole.name}.gz").unlink(missing_ok=True)

    def schemes(self) -> list[str]:
        """Return the schemes that have builds."""
        return sorted(path.name for path in self.root.iterdir() if path.is_dir()) if self.root.is_dir() else []

    def discard(self, scheme: str, build: str) -> None:
        """Remove a build that is being written."""
        shutil.rmtree(self.staged(scheme, build), ignore_errors=True)

    def publish(
        self, scheme: str, staged: Path, pointer: Pointer, *, keep: int | None = 2, synced: bool = False
    ) -> None:
        """Move a complete build to its place and make it current; then remove builds over ``keep``, if that is given.

        Files that the builder has not ``synced`` are synced first.

        After a crash at any point the pointer names a complete build: files are synced before the
        move, the move before the pointer.
        """
        if not any((staged / name).is_file() for name in ("tileset.json", f"tileset.json{PACKED}")):
            raise InvalidInput("The build has no tileset.json.", code="tiles-build")
        target = self.build_path(scheme, pointer.build)
        for top, _, names in os.walk(staged):
            for name in names:
                path = Path(top, name)
                # A file with a second name lies in an earlier build too, and is safe since that was published.
                if not synced and path.stat().st_nlink == 1:
                    _sync(path)
            _sync(Path(top))
        if target.exists() and target != staged:
            shutil.rmtree(target)
        if target != staged:
            staged.rename(target)
        os.utime(target)
        _sync(target.parent)
        self._replace_pointer(target.parent, pointer)
        if keep is not None:
            self.remove_old(scheme, pointer.build, keep)

    def _replace_pointer(self, folder: Path, pointer: Pointer) -> None:
        fresh = folder / f".{POINTER_NAME}.part"
        with fresh.open("wb") as file:
            file.write(orjson.dumps(pointer.to_document()))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / POINTER_NAME)
        _sync(folder)

    def remove_old(self, scheme: str, current: str, keep: int) -> None:
        """Remove builds over ``keep``, but for those that the tiles of a scheme rest on."""
        older = [build for build in self.builds(scheme) if build != current]
        pointers = [self.pointer(other) for other in self.schemes()] if scheme == BASE_SCHEME else []
        rested = {pointer.base for pointer in pointers if pointer is not None}
        for build in older[max(keep, 2) - 1 :]:
            if build not in rested:
                shutil.rmtree(self.build_path(scheme, build), ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
