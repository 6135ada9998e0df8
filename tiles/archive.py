"""A tileset as one file: 3D Tiles Archive Format 1.3 (.3tz), a ZIP whose last entry leads to all others."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from pathlib import Path
from typing import Final

INDEX_NAME: Final = "@3dtilesIndex1@"
ROOT_NAME: Final = "tileset.json"
LEVEL: Final = 9
_TWINS: Final = frozenset({".br", ".gz"})
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_ENTRY: Final = "<16sQ"
_HALVES: Final = "<QQ"


def write_archive(folder: Path, out: Path) -> int:
    """Write the tiles in a folder to ``out``, without compressed twins; the same tiles give the same bytes.

    Returns how many files are in it.
    """
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in _TWINS
    )
    names.sort(key=lambda name: name != ROOT_NAME)
    offsets: list[tuple[bytes, int]] = []
    with zipfile.ZipFile(out, "x", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name in names:
            entry = _entry(name, zipfile.ZIP_DEFLATED)
            archive.writestr(entry, (folder / name).read_bytes(), compresslevel=LEVEL)
            offsets.append((hashlib.md5(name.encode(), usedforsecurity=False).digest(), entry.header_offset))
        # Ordered as readers search: by the first eight bytes of the hash as a number, then by the others.
        offsets.sort(key=lambda pair: struct.unpack(_HALVES, pair[0]))
        index = b"".join(struct.pack(_ENTRY, digest, offset) for digest, offset in offsets)
        archive.writestr(_entry(INDEX_NAME, zipfile.ZIP_STORED), index)
    return len(names)


def _entry(name: str, method: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = method
    # The same on every system.
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry
