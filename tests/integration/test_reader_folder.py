"""Folders, archives and folders of vector tiles: what is read and in which order, what is not, what is refused."""

import io
import tarfile
import zipfile
from collections import Counter

import pytest
import shapely

from cim.city.model import Quarantined
from cim.errors import LimitExceeded, NotFound, UnsupportedFormat
from ingest.readers import folder_archive
from ingest.records import SourceHeader
from tests.integration.test_reader_vector import objects, of, read, refused
from tests.support.city_records import objects_of
from tests.support.corpus.formats import CUBE
from tests.support.made_cityjson import write_document
from tests.support.made_tiles import EXTENT, box, tile, write_tiles
from tests.support.made_vector import squares, write_layer


def bureau(folder):
    """A folder as a bureau has it."""
    folder.mkdir()
    write_layer(folder / "parcels.shp", squares(3), {"pid": ["1", "2", "3"]})
    (folder / "sub").mkdir()
    write_layer(folder / "sub" / "buildings.geojson", squares(2), {"id": ["a", "b"], "floors": [2, 3]})
    (folder / "readme.txt").write_text("Dear colleague")
    (folder / "plan.pdf").write_bytes(b"%PDF-1.7")
    return folder


def packed(folder, target):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return target


def tarred(folder, target):
    with tarfile.open(target, "w:gz") as archive:
        archive.add(folder, folder.name)
    return target


@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz"])
def test_everything_in_a_folder_goes_in(tmp_path, form):
    path = bureau(tmp_path / "city")
    if form == "zip":
        path = packed(path, tmp_path / "city.zip")
    elif form == "tar.gz":
        path = tarred(path, tmp_path / "city.tar.gz")
    records = read(path)
    assert Counter(type_ for type_, _, _ in objects(records).values()) == {"Building": 2, "+Parcel": 3}
    assert "test-buildings:a" in objects(records)
    assert {h.dataset: h.source_file for h in of(records, SourceHeader)} == {
        "test-parcels": "parcels.shp", "test-buildings": "sub/buildings.geojson",
    }  # fmt: skip
    left = {fault.feature: fault.reason for fault in of(records, Quarantined)}
    assert set(left) == {"readme.txt", "plan.pdf"}
    assert "PDF" in left["plan.pdf"]


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_models_beside_other_sources_are_read_and_the_others_are_not_lost(tmp_path, form):
    """More models than other files: an archive of them would once have been read for its models alone."""
    path = tmp_path / "delivery"
    path.mkdir()
    for number in range(9):
        (path / f"house{number}.obj").write_text(CUBE)
    parcels = [shapely.box(500_000 + 50 * i, 5_400_000, 500_040 + 50 * i, 5_400_040) for i in range(3)]
    write_layer(path / "parcels.fgb", parcels, {"pid": ["1", "2", "3"]}, crs="EPSG:25832")
    write_document(path / "blocks.json", 3)
    (path / "notes.txt").write_text("as agreed")
    source = packed(path, tmp_path / "delivery.zip") if form == "zip" else path
    records = read(source, source_crs="EPSG:25832")
    headers = {header.dataset: header.source_file for header in of(records, SourceHeader)}
    assert headers == {
        "test-delivery": "delivery", "test-parcels": "parcels.fgb", "test-blocks": "blocks.json",
    }  # fmt: skip
    assert sum(key.startswith("test-delivery:") for key in objects_of(records)) == 9
    assert "notes.txt" in {fault.feature for fault in of(records, Quarantined)}


def test_an_archive_of_models_says_what_else_is_in_it(tmp_path):
    path = hostile(
        tmp_path / "models.zip",
        *((f"m{number}.obj", CUBE.encode()) for number in range(3)),
        ("catalogue.csv", b"id,year\nm0,1999\n"),
        ("plan.dwg", b"AC1032 drawing"),
        ("m0.mtl", b"newmtl wall"),
    )
    records = read(path, source_crs="EPSG:25832")
    assert of(records, SourceHeader)[0].reader == "obj"
    assert [(fault.feature, fault.code) for fault in of(records, Quarantined)] == [("plan.dwg", "not-read")]
    inner = hostile(tmp_path / "inner.zip", ("b.geojson", b"{}")).read_bytes()
    nested = hostile(tmp_path / "nested.zip", *((f"m{i}.obj", CUBE.encode()) for i in range(3)), ("more.zip", inner))
    faults = of(read(nested, source_crs="EPSG:25832"), Quarantined)
    assert [fault.feature for fault in faults] == ["more.zip"]
    assert "inside an archive" in faults[0].reason


def test_one_file_alone_keeps_the_name_of_the_dataset(tmp_path):
    (tmp_path / "in").mkdir()
    write_layer(tmp_path / "in" / "buildings.shp", squares(2), {"id": ["a", "b"]})
    assert set(objects(read(packed(tmp_path / "in", tmp_path / "city.zip")))) == {"test:a", "test:b"}


def test_a_file_without_crs_does_not_keep_out_the_others(tmp_path):
    path = bureau(tmp_path / "city")
    (path / "parcels.prj").unlink()
    records = read(path)
    assert len(objects(records)) == 2
    fault = next(one for one in of(records, Quarantined) if one.feature == "parcels.shp")
    assert "--crs" in fault.reason


def test_the_first_file_decides_on_the_crs(tmp_path):
    path = bureau(tmp_path / "city")
    write_document(path / "blocks.city.json", 3)
    headers = of(read(path), SourceHeader)
    assert headers[0].source_file == "blocks.city.json"
    assert {header.working_crs for header in headers} == {"EPSG:28992"}


def hostile(target, *members):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return target


@pytest.mark.parametrize("name", ["../out.geojson", "/etc/cron.d/x", "a/../../b", "..\\b", "c:\\x", "a" * 2000])
def test_a_name_that_leads_out_refuses_the_archive(tmp_path, name):
    path = hostile(tmp_path / "a.zip", ("ok.txt", b"x"), (name, b"x"))
    assert refused(path).problem_code == "archive-path"
    assert not (tmp_path.parent / "out.geojson").exists()


def test_a_tar_that_leads_out_or_links(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("link.geojson")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        good = write_layer(tmp_path / "b.geojson", squares(1))
        archive.add(good, "b.geojson")
    assert {fault.feature for fault in of(read(path), Quarantined)} == {"link.geojson"}
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("../x"), io.BytesIO())
    assert refused(path).problem_code == "archive-path"


def test_a_zip_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_archive, "INFLATION_FREE_BYTES", 1024**2)
    path = hostile(tmp_path / "a.zip", *((f"{i}.txt", bytes(4 * 1024**2)) for i in range(4)))
    error = refused(path)
    assert isinstance(error, LimitExceeded)
    assert error.params["limit"] == "INFLATION_RATIO_MAX"


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_archive, "MEMBERS_MAX", 5)
    path = hostile(tmp_path / "a.zip", *((f"{i}.txt", b"") for i in range(6)))
    assert refused(path).params["limit"] == "MEMBERS_MAX"


def test_an_archive_in_an_archive_is_listed_and_one_in_a_folder_is_read(tmp_path):
    path = bureau(tmp_path / "city")
    (tmp_path / "more").mkdir()
    write_layer(tmp_path / "more" / "trees.geojson", [shapely.Point(24.94, 60.17)])
    packed(tmp_path / "more", path / "trees.zip")
    found = objects(read(path))
    assert Counter(type_ for type_, _, _ in found.values())["SolitaryVegetationObject"] == 1
    records = read(packed(path, tmp_path / "city.zip"))
    assert len(objects(records)) == 5
    assert any("inside an archive" in fault.reason for fault in of(records, Quarantined))


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("pack", [packed, tarred])
def test_a_truncated_archive_is_refused(tmp_path, pack, share):
    path = pack(bureau(tmp_path / "city"), tmp_path / ("a.zip" if pack is packed else "a.tar.gz"))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert refused(path).problem_code in {"file-damaged", "unsupported-format"}


def test_links_in_a_folder_are_not_followed(tmp_path):
    path = bureau(tmp_path / "city")
    (path / "root").symlink_to("/")
    (path / "users.geojson").symlink_to("/etc/passwd")
    left = {fault.feature for fault in of(read(path), Quarantined)}
    assert {"root", "users.geojson"} <= left


def test_a_folder_of_nothing(tmp_path):
    assert isinstance(refused(tmp_path), NotFound)
    (tmp_path / "a.txt").write_text("x")
    assert isinstance(refused(tmp_path), UnsupportedFormat)


def test_what_tiles_cut_is_joined(tmp_path):
    left = tile([(7, 12.0, box(EXTENT - 100, 100, 160, 50)), (8, 3.5, box(10, 10, 20, 20))])
    right = tile([(7, 12.0, box(-60, 100, 160, 50)), (9, 4.5, box(500, 10, 20, 20)), (9, 4.5, box(520, 10, 20, 20))])
    path = write_tiles(tmp_path / "tokyo", {(58203, 25802): left, (58204, 25802): right})
    found = objects(read(path))
    assert set(found) == {"test:7", "test:8", "test:9"}
    assert {name: members["height_m"]["v"] for name, (_, _, members) in found.items()} == {
        "test:7": 12.0, "test:8": 3.5, "test:9": 4.5,
    }  # fmt: skip
    # 200 by 50 units of a tile of 611.496 m at zoom 16, shortened by the latitude.
    unit = 40075016.686 / 2**16 / EXTENT
    shape = found["test:7"][1]
    assert shape.geom_type == "Polygon"
    assert shape.area / (200 * 50 * unit**2) == pytest.approx(0.66, abs=0.02)
    assert found["test:9"][1].area / (40 * 20 * unit**2) == pytest.approx(0.66, abs=0.02)


def test_tiles_without_ids_or_cut_short_are_refused(tmp_path):
    whole = tile([(7, 12.0, box(100, 100, 160, 50))])
    path = write_tiles(tmp_path / "a", {(1, 1): tile([(None, 12.0, box(0, 0, 9, 9))])})
    assert refused(path).problem_code == "tile-no-ids"
    path = write_tiles(tmp_path / "b", {(1, 1): whole[:-9]})
    assert refused(path).problem_code == "file-damaged"


@pytest.mark.reference
def test_central_tokyo(reference):
    records = read(reference / "tokyo" / "tokyo_central_z16_subset.tar.gz")
    header = of(records, SourceHeader)[0]
    assert header.working_crs == "EPSG:32654"
    found = objects(records)
    assert len(found) == 258_072
    assert max(members["height_m"]["v"] for _, _, members in found.values()) == pytest.approx(333, abs=1)
