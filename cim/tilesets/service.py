"""Find the file of a tile in the current build; tell when another build became current."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cim.errors import NotFound
from cim.tilesets.model import BASE_SCHEME, Pointer, is_content_named, path_segments
from cim.tilesets.store import TilesetStore
from cim.web.files import IMMUTABLE, REVALIDATE, FileEntry, digest_of, media_type_of

DIGESTS_MAX = 10_000
"""Digests of tileset documents that are remembered."""

SwapListener = Callable[[str, Pointer], None]


@dataclass(slots=True)
class _Current:
    stamp: tuple[int, int] | None = None
    pointer: Pointer | None = None
    builds: list[str] = field(default_factory=list)


class TilesetService:
    """Tiles as the server offers them.  Thread-safe; reads the disk only."""

    def __init__(self, store: TilesetStore, on_swap: SwapListener | None = None, *, builds_kept: int = 2) -> None:
        """``on_swap(scheme, pointer)`` is called after another build became current, in the caller's thread."""
        self._store = store
        self._builds_kept = builds_kept
        self._on_swap = on_swap
        self._current: dict[str, _Current] = {}
        self._digests: dict[tuple[Path, int, int], str] = {}
        self._lock = threading.Lock()

    def refresh(self, scheme: str = BASE_SCHEME) -> Pointer | None:
        """Return the current build; calls the listener if it is another than the last time."""
        stamp = self._store.stamp(scheme)
        with self._lock:
            known = self._current.get(scheme)
            if known is not None and known.stamp == stamp:
                return known.pointer
            pointer = self._store.pointer(scheme)
            if pointer is None:
                self._current.pop(scheme, None)
                return None
            self._current[scheme] = _Current(stamp, pointer, self._store.builds(scheme))
        swapped = known is not None and known.pointer != pointer
        if swapped and self._on_swap:
            self._on_swap(scheme, pointer)
        return pointer

    def stage(self, build: str, scheme: str = BASE_SCHEME) -> Path:
        """Return an empty directory to write a build to; nobody sees it before it is published."""
        return self._store.staging_path(scheme, build)

    def publish(self, build: str, baseline_version: int, scheme: str = BASE_SCHEME) -> None:
        """Make a staged build current, at once, and tell the listener."""
        staged = self._store.part_path(scheme, build)
        self._store.publish(scheme, staged, Pointer(build, baseline_version), keep=self._builds_kept)
        self.refresh(scheme)

    def discard(self, build: str, scheme: str = BASE_SCHEME) -> None:
        """Remove a staged build that will not be published."""
        shutil.rmtree(self._store.part_path(scheme, build), ignore_errors=True)

    def find(self, scheme: str, path: str) -> FileEntry:
        """Return the file at a path of the current build.

        A content-named file is also looked for in older builds: a client may still hold the tileset
        that names it.  Raises :class:`NotFound`, with ``tiles-not-built`` before the first build.
        """
        segments = path_segments(path)
        pointer = self.refresh(scheme)
        if pointer is None:
            raise NotFound(
                "The tiles of this scheme have not been built yet.", hint="Run: cim tiles build", code="tiles-not-built"
            )
        builds = [pointer.build]
        name = segments[-1]
        if is_content_named(name):
            builds += [build for build in self._current[scheme].builds if build != pointer.build]
        for build in builds:
            file = self._store.build_path(scheme, build).joinpath(*segments)
            if file.is_file():
                return self._entry(file, name)
        raise NotFound("There is no such tile.", code="tile")

    def _entry(self, file: Path, name: str) -> FileEntry:
        if is_content_named(name):
            return FileEntry(file, name.partition(".")[0], media_type_of(name), IMMUTABLE)
        status = file.stat()
        key = (file, status.st_mtime_ns, status.st_size)
        digest = self._digests.get(key)
        if digest is None:
            if len(self._digests) >= DIGESTS_MAX:
                self._digests.clear()
            digest = self._digests[key] = digest_of(file)
        return FileEntry(file, digest, media_type_of(name), REVALIDATE)
