"""Uploaded models on disk: their triangles, by the SHA-256 of what was uploaded."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class ModelStore:
    """The models directory of one city."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def load(self, digest: str) -> NDArray[np.float64] | None:
        """Return the triangles (n, 3, 3) of a model, ``None`` where there is none."""
        if not _DIGEST.fullmatch(digest):
            return None
        try:
            with self._path(digest).open("rb") as file:
                triangles: NDArray[np.float64] = np.load(file, allow_pickle=False)
        except FileNotFoundError:
            return None
        return triangles

    def drawing(self, digest: str) -> bytes | None:
        """Return a model's GLB, ``None`` where none was kept."""
        try:
            return self._drawing(digest).read_bytes() if _DIGEST.fullmatch(digest) else None
        except FileNotFoundError:
            return None

    def keep_drawing(self, digest: str, content: bytes) -> None:
        """Keep a model's GLB beside its triangles; a full disk costs only the time to make it again."""
        part = self.scratch(f"{digest}-{secrets.token_hex(4)}")
        try:
            part.write_bytes(content)
            part.replace(self._drawing(digest))
        except OSError:
            part.unlink(missing_ok=True)

    def scratch(self, name: str) -> Path:
        """Return a path to write to that nobody reads."""
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root / f".{name}.part"

    def keep(self, digest: str, make: Callable[[Path], None]) -> None:
        """Have a model written by ``make``, synced, and put in its place at once."""
        part = self.scratch(digest)
        try:
            make(part)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(self._path(digest))
        finally:
            part.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self.root / f"{digest}.npy"

    def _drawing(self, digest: str) -> Path:
        return self.root / f"{digest}.glb"
