"""Find the file of a tile in the current build; tell when another build became current."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cim.errors import NotFound
from cim.tilesets.model import BASE_SCHEME, PACKED, POINTS, Pointer, check_scheme, is_content_named, path_segments
from cim.tilesets.store import TilesetStore
from cim.web.files import IMMUTABLE, REVALIDATE, FileEntry, digest_of, media_type_of

DIGESTS_MAX = 10_000
"""Digests of tileset documents that are remembered."""

SwapListener = Callable[[str, Pointer, Sequence[str] | None], None]
"""Is told the scheme, its build, and which files of it are new: ``None`` where that is not known."""


@dataclass(slots=True)
class _Current:
    stamp: tuple[int, int] | None = None
    pointer: Pointer | None = None
    builds: list[str] = field(default_factory=list)


class TilesetService:
    """Tiles as the server offers them.  Thread-safe; reads the disk only."""

    def __init__(self, store: TilesetStore, on_swap: SwapListener | None = None, *, builds_kept: int = 2) -> None:
        """``on_swap`` is called after another build became current, in the caller's thread."""
        self._store = store
        self._builds_kept = builds_kept
        self._on_swap = on_swap
        self._current: dict[str, _Current] = {}
        self._digests: dict[tuple[Path, int, int], str] = {}
        self._lock = threading.Lock()

    def stage(self, build: str, scheme: str = BASE_SCHEME, *, afresh: bool = True) -> Path:
        """Return a directory that a build is written to; nobody reads it before :meth:`publish`.

        It is empty, unless what an earlier attempt has left is wanted (not ``afresh``).
        """
        return self._store.staging_path(scheme, build, afresh=afresh)

    def publish(
        self,
        build: str,
        baseline_version: int,
        scheme: str = BASE_SCHEME,
        *,
        base: str | None = None,
        sequence: int | None = None,
        changed: Sequence[str] | None = None,
        synced: bool = False,
    ) -> Pointer:
        """Make a build that was written to :meth:`stage`'s directory current, and tell the listener.

        That of a scheme names the build of the city that it rests on, and the edit that it shows; ``changed`` are
        the files that the build before had not; ``synced`` says that all are safe on disk.
        """
        pointer = Pointer(build, baseline_version, base, sequence)
        self._store.publish(scheme, self._store.staged(scheme, build), pointer, keep=None, synced=synced)
        if not self._look(scheme, changed)[1] and self._on_swap:
            self._on_swap(scheme, pointer, changed)
        self._store.remove_old(scheme, build, self._builds_kept)
        return pointer

    def discard(self, build: str, scheme: str = BASE_SCHEME) -> None:
        """Remove a build that was not published."""
        self._store.discard(scheme, build)

    def remove(self, scheme: str) -> None:
        """Remove the tiles of a scheme."""
        self._store.remove(scheme)
        with self._lock:
            self._current.pop(scheme, None)

    def schemes(self) -> list[str]:
        """Return the schemes that have tiles."""
        return [scheme for scheme in self._store.schemes() if scheme not in (BASE_SCHEME, POINTS)]

    def base_file(self, build: str, name: str) -> Path:
        """Return where a file of a build of the city lies that is kept beside the tiles and is not served."""
        return self._store.build_path(BASE_SCHEME, build) / name

    def refresh(self, scheme: str = BASE_SCHEME) -> Pointer | None:
        """Return the current build; calls the listener if it is another than the last time."""
        return self._look(scheme)[0]

    def _look(self, scheme: str, changed: Sequence[str] | None = None) -> tuple[Pointer | None, bool]:
        """Return the current build, and whether the listener was told of it."""
        stamp = self._store.stamp(check_scheme(scheme))
        with self._lock:
            known = self._current.get(scheme)
            if known is not None and known.stamp == stamp:
                return known.pointer, False
            pointer = self._store.pointer(scheme) if stamp else None
            if pointer is None:
                # Not remembered: a client could name any number of schemes.
                self._current.pop(scheme, None)
                return None, False
            self._current[scheme] = _Current(stamp, pointer, self._store.builds(scheme))
        told = known is not None and self._on_swap is not None
        if told and self._on_swap:
            self._on_swap(scheme, pointer, changed)
        return pointer, told

    def find(self, scheme: str, path: str) -> FileEntry:
        """Return the file at a path of the current build.

        A content-named file is also looked for in older builds: a client may still hold the tileset
        that names it.  What lies under ``points/`` is of the city's point cloud, the same for every scheme.
        Raises :class:`NotFound`, with ``tiles-not-built`` before the first build.
        """
        segments = path_segments(path)
        pointer = self.refresh(scheme)
        if pointer is None:
            raise NotFound(
                "The tiles of this scheme have not been built yet.", hint="Run: cim tiles build", code="tiles-not-built"
            )
        if segments[0] == POINTS and len(segments) > 1:
            scheme, segments, pointer = POINTS, segments[1:], self.refresh(POINTS)
            if pointer is None:
                raise NotFound("The city has no point cloud.", hint="Run: cim tiles points FILE", code="tile")
        name = segments[-1]
        for owner, build in self._searched(scheme, pointer, everywhere=is_content_named(name)):
            file = self._store.build_path(owner, build).joinpath(*segments)
            if file.is_file():
                return self._entry(file, name)
            packed = file.with_name(name + PACKED)
            if packed.is_file():
                return replace(self._entry(packed, name), packed=True)
        raise NotFound("There is no such tile.", code="tile")

    def _searched(self, scheme: str, pointer: Pointer, *, everywhere: bool) -> Iterator[tuple[str, str]]:
        """Yield where a file may lie: the current build, others for what never changes, and what it rests on."""
        yield scheme, pointer.build
        if everywhere:
            current = self._current.get(scheme)
            yield from ((scheme, build) for build in (current.builds if current else ()) if build != pointer.build)
        if pointer.base is not None:
            yield BASE_SCHEME, pointer.base
            if everywhere:
                yield from ((BASE_SCHEME, build) for build in self._store.builds(BASE_SCHEME) if build != pointer.base)

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
