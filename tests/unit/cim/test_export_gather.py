"""What a view draws is found from its specification; a collection is written page by page."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cim.errors import InvalidInput, LimitExceeded, NotFound, StorageFull
from cim.export import collection_geojson, gather_view, write_whole

PAGE = 2
TREES = [{"type": "Feature", "id": f"t{i}", "geometry": None, "properties": {}} for i in range(5)]


class Server:
    """Answers from a dictionary; collections in pages of two."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        leaf = {"content": {"uri": "b.glb"}}
        self.documents: dict[str, Any] = {
            "/api/v1/views/explore.json": {
                "layers": [
                    {
                        "id": "buildings",
                        "data": "/tiles/base/tileset.json",
                        "cim": {"heights": "/tiles/base/ground/heights.json"},
                    },
                    {"id": "trees", "data": "/ogc/collections/trees/items?limit=2", "cim": {"nodes": None}},
                    {
                        "id": "water",
                        "data": "/ogc/collections/none/items?limit=2",
                        "cim": {"nodes": "/ogc/collections/trees/items?limit=2"},
                    },
                ]
            },
            "/api/v1/city": {"slug": "x"},
            "/api/v1/datastreams": {"items": [{"id": "s"}]},
            "/tiles/base/tileset.json": {
                "root": {
                    "content": {"uri": "a.glb"},
                    "children": [leaf, {"contents": [{"uri": "far/tileset.json"}, {"uri": "b.glb"}]}],
                }
            },
            "/tiles/base/ground/heights.json": {"heights": [1, 2, 3, 4]},
            "/tiles/base/far/tileset.json": {"root": {"content": {"uri": "../c.glb"}}},
            "/ogc/collections/trees": {"title": "Trees", "attribution": "© Somebody"},
        }

    def __call__(self, path: str) -> bytes:
        self.asked.append(path)
        if path.endswith(".glb"):
            return b"glTF" + path.encode()
        parts = urlsplit(path)
        if parts.path.endswith("/items"):
            every = TREES if "/trees/" in path else []
            offset = int(parse_qs(parts.query).get("offset", ["0"])[0])
            page = every[offset : offset + PAGE]
            after = f"http://127.0.0.1{parts.path}?limit={PAGE}&offset={offset + PAGE}"
            links = [{"rel": "self", "href": path}]
            links += [{"rel": "next", "href": after}] if offset + PAGE < len(every) else []
            return json.dumps({"numberMatched": len(every), "links": links, "features": page}).encode()
        if path not in self.documents:
            raise NotFound("There is no such thing.")
        return json.dumps(self.documents[path]).encode()


def test_every_file_that_a_view_draws_is_gathered_once() -> None:
    server = Server()
    seen = gather_view(server, "explore", lambda _: None)
    assert set(seen.files) == {
        "/tiles/base/tileset.json", "/tiles/base/ground/heights.json", "/tiles/base/far/tileset.json",
        "/tiles/base/a.glb", "/tiles/base/b.glb", "/tiles/base/c.glb",
        "/ogc/collections/trees/items?limit=2", "/ogc/collections/none/items?limit=2",
    }  # fmt: skip
    assert len(server.asked) == len(set(server.asked))
    assert (seen.city, seen.datastreams) == ({"slug": "x"}, [{"id": "s"}])


def test_the_pages_of_a_collection_become_one() -> None:
    files = gather_view(Server(), "explore", lambda _: None).files
    assert json.loads(files["/ogc/collections/trees/items?limit=2"]) == {"type": "FeatureCollection", "features": TREES}
    assert json.loads(files["/ogc/collections/none/items?limit=2"]) == {"type": "FeatureCollection", "features": []}


def test_reading_stops_as_soon_as_it_is_too_much() -> None:
    server = Server()

    def check(size_bytes: int) -> None:
        if size_bytes > 200:
            raise LimitExceeded("Too large.", limit="x", value=200)

    with pytest.raises(LimitExceeded):
        gather_view(server, "explore", check)
    assert not any("/ogc/" in path for path in server.asked)


def test_a_view_that_does_not_exist_is_said() -> None:
    with pytest.raises(NotFound):
        gather_view(Server(), "nope", lambda _: None)


def test_a_collection_is_one_document() -> None:
    document = json.loads(b"".join(collection_geojson(Server(), "trees")))
    assert document == {
        "type": "FeatureCollection",
        "name": "trees",
        "title": "Trees",
        "attribution": "© Somebody",
        "features": TREES,
    }


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise NotFound("Gone.")

    with pytest.raises(NotFound):
        write_whole(tmp_path / "out", broken())
    assert list(tmp_path.iterdir()) == []
    assert write_whole(tmp_path / "out", [b"who", b"le"]) == 5
    assert (tmp_path / "out").read_bytes() == b"whole"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        write_whole(tmp_path / "no" / "out", [b""])
    assert refused.value.problem_code == "no-folder"


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    def full() -> Iterator[bytes]:
        yield b"half"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageFull):
        write_whole(tmp_path / "out", full())
    assert list(tmp_path.iterdir()) == []
