"""Pictures on disk: one file a scheme, replaced as a whole."""

from __future__ import annotations

import os
from pathlib import Path

from cim.db.directory import fsync_path


class PictureStore:
    """The pictures in a folder of the data directory, which this process owns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, scheme_id: str, content: bytes) -> None:
        """Keep a scheme's picture; it is there whole or not at all."""
        self._folder.mkdir(exist_ok=True)
        path = self._path(scheme_id)
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        fsync_path(self._folder)

    def read(self, scheme_id: str) -> bytes | None:
        """Return a scheme's picture, ``None`` where it has none."""
        try:
            return self._path(scheme_id).read_bytes()
        except FileNotFoundError:
            return None

    def has(self, scheme_id: str) -> bool:
        """Tell whether a scheme has a picture."""
        return self._path(scheme_id).is_file()

    def _path(self, scheme_id: str) -> Path:
        return self._folder / f"{scheme_id}.png"
