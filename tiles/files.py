"""Tiles on disk: content-hashed names, compressed twins, fsync."""

from __future__ import annotations

import gzip
import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import brotli
import orjson

BROTLI_QUALITY: Final = 9
PACKED_QUALITY: Final = 11
"""Of what is small and kept in this form alone."""
GZIP_LEVEL: Final = 9
SYNC_THREADS: Final = 8

ProgressFunction = Callable[[str, int, int], None]


@dataclass(slots=True)
class TileFiles:
    """Writes under one directory and remembers what it wrote.

    What ``beside``, an earlier build, has under the same name with the same bytes is not written again.
    """

    directory: Path
    beside: Path | None = None
    written: dict[str, int] = field(default_factory=dict)
    """Bytes of each file by its path in the tileset."""
    brotli_of: dict[str, int] = field(default_factory=dict)
    bytes_gzip: int = 0
    compress_s: float = 0.0
    sync_s: float = 0.0
    _folders: set[str] = field(default_factory=set)

    @property
    def bytes_plain(self) -> int:
        """All files, without their twins."""
        return sum(self.written.values())

    @property
    def bytes_brotli(self) -> int:
        """All brotli twins."""
        return sum(self.brotli_of.values())

    @staticmethod
    def name_of(glb: bytes) -> str:
        """Return the name of a content: the first 16 digits of its SHA-256."""
        return f"{hashlib.sha256(glb).hexdigest()[:16]}.glb"

    def add_content(self, folder: str, glb: bytes) -> str:
        """Write a GLB under the first 16 digits of its SHA-256 and return its name."""
        name = self.name_of(glb)
        self._write(f"{folder}/{name}", glb)
        return name

    def add_json(self, path: str, document: dict[str, Any], *, shared: bool = True) -> None:
        """Write a JSON document; one that may not be ``shared`` is written in any case."""
        content = orjson.dumps(document)
        if shared and self.beside is not None and _is(self.beside / path, content):
            return
        self._write(path, content, named=False)

    def add_named_json(self, folder: str, document: dict[str, Any]) -> str:
        """Write a JSON document under the first 16 digits of its SHA-256 and return its name."""
        content = orjson.dumps(document)
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.json"
        self._write(f"{folder}/{name}", content)
        return name

    def write(self, name: str, content: bytes) -> None:
        """Write a file that is kept beside the tiles: it has no twins and is not counted."""
        self._put(name, content)

    def add_twin(self, name: str) -> None:
        """Compress a file both ways, unless that was done before, and count the bytes."""
        path = self.directory / name
        small, zipped = path.with_name(path.name + ".br"), path.with_name(path.name + ".gz")
        if not small.is_file() or not zipped.is_file():
            content = path.read_bytes()
            # A twin that is there is whole: it comes by its name when it is written.
            for twin, made in (
                (small, brotli.compress(content, quality=BROTLI_QUALITY)),
                (zipped, gzip.compress(content, GZIP_LEVEL, mtime=0)),
            ):
                fresh = twin.with_name(f".{twin.name}")
                fresh.write_bytes(made)
                fresh.replace(twin)
        self.brotli_of[name] = small.stat().st_size
        self.bytes_gzip += zipped.stat().st_size

    def pack(self, progress: ProgressFunction) -> None:
        """Keep of everything written so far the brotli twin alone; who cannot read that is sent it unpacked."""
        begun = time.perf_counter()
        for done, name in enumerate(self.written):
            path = self.directory / name
            small = brotli.compress(path.read_bytes(), quality=PACKED_QUALITY)
            path.with_name(path.name + ".br").write_bytes(small)
            path.unlink()
            self.brotli_of[name] = len(small)
            progress("compress", done + 1, len(self.written))
        self.compress_s = time.perf_counter() - begun

    def sync(self, progress: ProgressFunction, *, twins_alone: bool = False) -> None:
        """Make every file and every name durable, or the twins that this has made."""
        begun = time.perf_counter()
        twins = [self.directory / f"{name}{suffix}" for name in self.brotli_of for suffix in (".br", ".gz")]
        paths = twins if twins_alone else sorted(path for path in self.directory.rglob("*") if path.is_file())
        folders = sorted({path.parent for path in paths} | {self.directory})
        progress("sync", 0, len(paths) + len(folders))
        done = 0
        # The disk waits once for what is asked of it together; names come last.
        with ThreadPoolExecutor(SYNC_THREADS) as threads:
            for some in (paths, folders):
                for _ in threads.map(_sync, some):
                    done += 1
                    progress("sync", done, len(paths) + len(folders))
        self.sync_s = time.perf_counter() - begun

    def _write(self, name: str, content: bytes, *, named: bool = True) -> None:
        if named and self.beside is not None and (self.beside / name).is_file():
            return
        if name not in self.written:
            self._put(name, content)
            self.written[name] = len(content)

    def _put(self, name: str, content: bytes) -> None:
        folder = name.rpartition("/")[0]
        if folder not in self._folders:
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        (self.directory / name).write_bytes(content)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False
