from __future__ import annotations

import hashlib
import json
import struct
import zipfile

from tests.support.tile_city import CRS, grid_city, tables
from tiles.archive import write_archive
from tiles.build import build_tileset
from tiles.frame import TileFrame


def test_every_file_is_found_by_the_hash_of_its_path(tmp_path):
    folder = tmp_path / "tiles"
    build_tileset(*tables(grid_city(500)), TileFrame(CRS, "flat", "Test", 3), folder)
    first, second = tmp_path / "a.3tz", tmp_path / "b.3tz"
    count = write_archive(folder, first)
    write_archive(folder, second)
    assert first.read_bytes() == second.read_bytes()
    content = first.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[0] == "tileset.json"
        assert names[-1] == "@3dtilesIndex1@"
        assert archive.getinfo(names[-1]).compress_type == zipfile.ZIP_STORED
        assert json.loads(archive.read("buildings/tileset.json"))["asset"]["version"] == "1.1"
        assert not any(name.endswith((".br", ".gz")) for name in names)
        index = archive.read(names[-1])
    assert len(index) == 24 * count
    entries = [struct.unpack_from("<QQQ", index, at) for at in range(0, len(index), 24)]
    assert entries == sorted(entries)
    by_hash = {(low, high): offset for low, high, offset in entries}
    for name in names[:-1]:
        offset = by_hash[struct.unpack("<QQ", hashlib.md5(name.encode()).digest())]
        signature, flags = content[offset : offset + 4], struct.unpack_from("<H", content, offset + 6)[0]
        assert signature == b"PK\3\4"
        assert not flags & 0b1000, "sizes stand in the local header"
        (length,) = struct.unpack_from("<H", content, offset + 26)
        assert content[offset + 30 : offset + 30 + length].decode() == name
