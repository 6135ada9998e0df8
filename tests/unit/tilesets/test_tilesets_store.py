from __future__ import annotations

from pathlib import Path

import pytest

from cim.errors import IntegrityError, InvalidInput, NotFound
from cim.tilesets.model import Pointer, is_content_named, path_segments, pointer_from_document
from cim.tilesets.service import TilesetService
from cim.tilesets.store import TilesetStore

OLD, NEW = "00000000000000aa.glb", "00000000000000bb.glb"


def build(store: TilesetStore, name: str, version: int, *contents: str) -> None:
    staged = store.staging_path("base", name)
    (staged / "tileset.json").write_text(f'{{"version": {version}}}')
    for content in contents:
        (staged / content).write_bytes(content.encode())
    store.publish("base", staged, Pointer(name, version))


@pytest.mark.parametrize(
    "path",
    ["", "..", "../x.json", "a/../x.json", "a//x.json", "/x.json", ".hidden.json", "a/.x.json", "x.txt", "x",
     "x.glb.br", "a\\..\\x.json", "x\0.json", "ä.json", "a/" * 200 + "x.json", "current"],
)  # fmt: skip
def test_a_path_that_no_build_writes_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        path_segments(path)


def test_content_names() -> None:
    assert is_content_named("0123456789abcdef.glb")
    assert not is_content_named("tileset.json")
    assert not is_content_named("0123456789abcde.glb")


@pytest.mark.parametrize("document", [None, [], {}, {"build": 1}, {"build": "../x"}, {"build": ""}])
def test_a_damaged_pointer_is_said(document: object) -> None:
    with pytest.raises(IntegrityError):
        pointer_from_document(document)


def test_a_damaged_pointer_file_is_said(tmp_path: Path) -> None:
    store = TilesetStore(tmp_path)
    build(store, "b1", 1)
    (tmp_path / "base/current").write_bytes(b"\xff{")
    with pytest.raises(IntegrityError):
        store.pointer("base")


def test_before_the_first_build(tmp_path: Path) -> None:
    service = TilesetService(TilesetStore(tmp_path))
    assert service.refresh() is None
    with pytest.raises(NotFound) as caught:
        service.find("base", "tileset.json")
    assert caught.value.problem_code == "tiles-not-built"


def test_a_build_without_a_tileset_is_refused_and_the_current_one_stays(tmp_path: Path) -> None:
    store = TilesetStore(tmp_path)
    build(store, "b1", 1)
    with pytest.raises(InvalidInput):
        store.publish("base", store.staging_path("base", "b2"), Pointer("b2", 2))
    assert store.pointer("base") == Pointer("b1", 1)


def test_a_client_of_the_older_build_still_finds_its_contents(tmp_path: Path) -> None:
    store = TilesetStore(tmp_path)
    service = TilesetService(store)
    build(store, "b1", 1, OLD)
    before = service.find("base", "tileset.json")
    build(store, "b2", 2, NEW)
    after = service.find("base", "tileset.json")
    assert before.digest != after.digest
    assert service.find("base", OLD).path.read_bytes() == OLD.encode()
    assert service.find("base", NEW).cache_control.endswith("immutable")
    assert after.cache_control == "no-cache"
    build(store, "b3", 3, NEW)
    assert store.builds("base") == ["b3", "b2"]
    with pytest.raises(NotFound):
        service.find("base", OLD)


def test_each_swap_is_told_once_the_first_too(tmp_path: Path) -> None:
    told: list[tuple[str, Pointer]] = []
    service = TilesetService(TilesetStore(tmp_path), lambda scheme, pointer, _changed: told.append((scheme, pointer)))
    service.refresh()
    for version, name in enumerate(("b1", "b2"), start=1):
        (service.stage(name) / "tileset.json").write_text(str(version))
        service.publish(name, version)
        service.refresh()
    assert told == [("base", Pointer("b1", 1)), ("base", Pointer("b2", 2))]


def test_a_swap_by_another_process_is_told(tmp_path: Path) -> None:
    told: list[int | None] = []
    store = TilesetStore(tmp_path)
    build(store, "b1", 1)
    service = TilesetService(store, lambda _scheme, pointer, _changed: told.append(pointer.baseline_version))
    service.refresh()
    build(TilesetStore(tmp_path), "b2", 2)
    service.find("base", "tileset.json")
    assert told == [2]


def test_the_same_build_again_replaces_it(tmp_path: Path) -> None:
    store = TilesetStore(tmp_path)
    build(store, "b1", 1, OLD)
    build(store, "b1", 1, NEW)
    assert sorted(path.name for path in store.build_path("base", "b1").iterdir()) == sorted([NEW, "tileset.json"])


def test_what_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    service = TilesetService(TilesetStore(tmp_path))
    staged = service.stage("b1")
    (staged / "x.glb").write_bytes(b"x")
    service.discard("b1")
    assert list((tmp_path / "base").iterdir()) == []


def test_a_crash_before_the_pointer_leaves_the_older_build_current(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TilesetStore(tmp_path)
    build(store, "b1", 1, OLD)

    def die(_folder: Path, _pointer: Pointer) -> None:
        raise OSError("no space")

    monkeypatch.setattr(store, "_replace_pointer", die)
    with pytest.raises(OSError, match="no space"):
        build(store, "b2", 2, NEW)
    service = TilesetService(TilesetStore(tmp_path))
    assert service.refresh() == Pointer("b1", 1)
    assert service.find("base", OLD).path.is_file()
