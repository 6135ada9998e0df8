"""Every fault that validators were seen to find or to miss is planted here and must be found by our own checks."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from tests.support.tile_city import CRS, grid_city, tables
from tiles.build import build_tileset
from tiles.frame import TileFrame
from tiles.verify import verify_tileset

IDS = {o.id for o in grid_city(30)}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("tiles")
    build_tileset(*tables(grid_city(30)), TileFrame(CRS, "flat", "Test", 1), out, compress=False)
    return {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}


@pytest.fixture
def copy(built, tmp_path):
    for name, content in built.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def codes(directory, ids=IDS):
    return {fault.code for fault in verify_tileset(directory, ids)}


def leaf(directory):
    return next((directory / "buildings").glob("*.glb"))


def unpack(path):
    content = path.read_bytes()
    size = struct.unpack_from("<I", content, 12)[0]
    return json.loads(content[20 : 20 + size]), bytearray(content[28 + size :])


def pack(path, document, binary, pad=b" "):
    text = json.dumps(document).encode()
    text += pad * (-len(text) % 4)
    total = 28 + len(text) + len(binary)
    path.write_bytes(
        struct.pack("<4sII", b"glTF", 2, total)
        + struct.pack("<I4s", len(text), b"JSON") + text
        + struct.pack("<I4s", len(binary), b"BIN\0") + bytes(binary)
    )  # fmt: skip


def first(document, name, primitive=0):
    return document["meshes"][0]["primitives"][primitive]["attributes"][name]


def poke(document, binary, accessor, offset, content):
    view = document["bufferViews"][document["accessors"][accessor]["bufferView"]]
    binary[view["byteOffset"] + offset : view["byteOffset"] + offset + len(content)] = content


def column(document, name):
    return document["extensions"]["EXT_structural_metadata"]["propertyTables"][0]["properties"][name]


def properties(document):
    return document["extensions"]["EXT_structural_metadata"]["schema"]["classes"]["CityObject"]["properties"]


def feature_ids(document):
    return document["meshes"][0]["primitives"][0]["extensions"]["EXT_mesh_features"]["featureIds"][0]


def test_what_was_built_has_no_fault(copy):
    assert verify_tileset(copy, IDS) == []


def plant_uint_ids(d, b):
    d["accessors"][first(d, "_FEATURE_ID_0")]["componentType"] = 5125


def plant_id_out_of_range(d, b):
    poke(d, b, first(d, "_FEATURE_ID_0"), 0, struct.pack("<f", 30.0))


def plant_id_fraction(d, b):
    poke(d, b, first(d, "_FEATURE_ID_0"), 0, struct.pack("<f", 1.5))


def plant_feature_count_too_large(d, b):
    feature_ids(d)["featureCount"] = 31


def plant_feature_count_too_small(d, b):
    feature_ids(d)["featureCount"] = 29


def plant_feature_table(d, b):
    feature_ids(d)["propertyTable"] = 1


def plant_feature_attribute(d, b):
    feature_ids(d)["attribute"] = 7


def plant_schema_id(d, b):
    del d["extensions"]["EXT_structural_metadata"]["schema"]["id"]


def plant_property_name(d, b):
    properties(d)["roof-type"] = properties(d).pop("roof")
    table = d["extensions"]["EXT_structural_metadata"]["propertyTables"][0]["properties"]
    table["roof-type"] = table.pop("roof")


def plant_property_missing_in_table(d, b):
    del d["extensions"]["EXT_structural_metadata"]["propertyTables"][0]["properties"]["year"]


def plant_property_missing_in_class(d, b):
    del properties(d)["year"]


def plant_required_with_no_data(d, b):
    properties(d)["id"]["noData"] = ""


def plant_component_on_string(d, b):
    properties(d)["name"]["componentType"] = "UINT8"


def plant_class_without_properties(d, b):
    d["extensions"]["EXT_structural_metadata"]["schema"]["classes"]["CityObject"]["properties"] = {}


def plant_nan_in_table(d, b):
    view = d["bufferViews"][column(d, "height_m")["values"]]
    b[view["byteOffset"] : view["byteOffset"] + 4] = struct.pack("<f", float("nan"))


def plant_bad_utf8(d, b):
    b[d["bufferViews"][column(d, "id")["values"]]["byteOffset"]] = 0xFF


def plant_descending_offsets(d, b):
    view = d["bufferViews"][column(d, "id")["stringOffsets"]]
    b[view["byteOffset"] + 2 : view["byteOffset"] + 4] = struct.pack("<H", 60000)


def plant_empty_text_view(d, b):
    offsets = d["bufferViews"][column(d, "roof")["stringOffsets"]]["byteOffset"]
    assert set(b[offsets : offsets + 31]) == {0}
    d["bufferViews"][column(d, "roof")["values"]]["byteLength"] = 0


def plant_offset_type(d, _b):
    column(d, "id")["stringOffsetType"] = "UINT32"


def plant_short_column(d, b):
    d["bufferViews"][column(d, "year")["values"]]["byteLength"] -= 2


def plant_unaligned_metadata(d, b):
    d["bufferViews"][column(d, "height_m")["values"]]["byteOffset"] += 4


def plant_equal_ids(d, b):
    member = column(d, "id")
    ends_view, values_view = d["bufferViews"][member["stringOffsets"]], d["bufferViews"][member["values"]]
    ends = struct.unpack_from("<3H", b, ends_view["byteOffset"])
    at = values_view["byteOffset"]
    assert ends[1] - ends[0] == ends[2] - ends[1]
    b[at + ends[1] : at + ends[2]] = b[at + ends[0] : at + ends[1]]


def plant_wrong_bounds(d, b):
    d["accessors"][first(d, "POSITION")]["max"][0] += 1


def plant_no_bounds(d, b):
    del d["accessors"][first(d, "POSITION")]["min"]


def plant_zero_normal(d, b):
    poke(d, b, first(d, "NORMAL"), 0, bytes(3))


def plant_plain_normals(d, b):
    del d["accessors"][first(d, "NORMAL")]["normalized"]


def plant_unpadded_normals(d, b):
    d["bufferViews"][d["accessors"][first(d, "NORMAL")]["bufferView"]]["byteStride"] = 3


def plant_index_out_of_range(d, b):
    count = d["accessors"][first(d, "POSITION")]["count"]
    offset = len(b)
    b.extend(struct.pack("<4I", 0, 1, count, 0))
    d["bufferViews"].append({"buffer": 0, "byteOffset": offset, "byteLength": 12})
    d["accessors"].append(
        {"bufferView": len(d["bufferViews"]) - 1, "componentType": 5125, "count": 3, "type": "SCALAR"}
    )
    d["meshes"][0]["primitives"][0]["indices"] = len(d["accessors"]) - 1
    d["buffers"][0]["byteLength"] = len(b)


def plant_undeclared_extension(d, b):
    d["extensionsUsed"].remove("EXT_mesh_features")


def plant_undeclared_quantization(d, b):
    d["extensionsRequired"] = []


def plant_nan_height(d, b):
    poke(d, b, first(d, "_HEIGHT"), 0, struct.pack("<f", float("nan")))


def plant_geometry_outside(d, b):
    d["nodes"][0]["translation"][0] += 5.0


def plant_view_beyond_buffer(d, b):
    d["bufferViews"][0]["byteLength"] += 10_000_000


def plant_long_buffer(d, b):
    d["buffers"][0]["byteLength"] -= 4


def plant_strip_without_a_triangle(d, b):
    strip = next(p for p in d["meshes"][0]["primitives"] if p["mode"] == 5)
    for accessor in strip["attributes"].values():
        d["accessors"][accessor]["count"] = 2


PLANTED = {
    plant_uint_ids: "feature-type", plant_id_out_of_range: "feature-range", plant_id_fraction: "feature-fraction",
    plant_feature_count_too_large: "feature-count", plant_feature_count_too_small: "feature-count",
    plant_feature_table: "feature-table", plant_feature_attribute: "feature-attribute", plant_schema_id: "schema-id",
    plant_property_name: "schema-property", plant_property_missing_in_table: "table-property",
    plant_property_missing_in_class: "table-property", plant_required_with_no_data: "schema-no-data",
    plant_component_on_string: "schema-type", plant_class_without_properties: "schema-class",
    plant_strip_without_a_triangle: "primitive-count",
    plant_nan_in_table: "not-finite", plant_bad_utf8: "string-utf8", plant_descending_offsets: "string-offsets",
    plant_short_column: "table-size", plant_empty_text_view: "string-empty-view",
    plant_offset_type: "string-offsets", plant_unaligned_metadata: "metadata-alignment", plant_equal_ids: "id-twice",
    plant_wrong_bounds: "position-bounds", plant_no_bounds: "position-bounds", plant_zero_normal: "normal-length",
    plant_plain_normals: "normal-type", plant_unpadded_normals: "attribute-alignment",
    plant_index_out_of_range: "index-range", plant_undeclared_extension: "extension-undeclared",
    plant_undeclared_quantization: "quantization-undeclared", plant_nan_height: "not-finite",
    plant_geometry_outside: "geometry-outside", plant_view_beyond_buffer: "accessor-range",
    plant_long_buffer: "buffer-length",
}  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_in_a_tile_is_found(copy, plant):
    path = leaf(copy)
    document, binary = unpack(path)
    plant(document, binary)
    pack(path, document, binary)
    found = codes(copy)
    assert PLANTED[plant] in found or (plant is plant_view_beyond_buffer and "view-range" in found)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda content: content[:-4], "glb-length"),
        (lambda content: content + b"\0\0\0\0", "glb-length"),
        (lambda content: b"glTX" + content[4:], "glb-magic"),
        (lambda content: content[:4] + struct.pack("<I", 1) + content[8:], "glb-length"),
        (lambda content: b"", "glb-magic"),
    ],
)
def test_a_spoilt_container_is_found(copy, spoil, code):
    path = leaf(copy)
    path.write_bytes(spoil(path.read_bytes()))
    assert code in codes(copy)


def test_json_padded_with_zeros_is_found(copy):
    path = leaf(copy)
    document, binary = unpack(path)
    document["asset"]["extras"] = ""
    while len(json.dumps(document)) % 4 == 0:
        document["asset"]["extras"] += "x"
    pack(path, document, binary, pad=b"\0")
    assert "glb-padding" in codes(copy)


def tileset(plant):
    def apply(directory):
        path = directory / "buildings/tileset.json"
        document = json.loads(path.read_text())
        plant(document)
        path.write_text(json.dumps(document))

    return apply


def shrink(document):
    document["root"]["boundingVolume"]["box"][3] /= 2


def child_outside(document):
    root = document["root"]
    child = json.loads(json.dumps({k: root[k] for k in ("boundingVolume", "geometricError")}))
    child["boundingVolume"]["box"][0] += 100
    root["children"] = [child]


def child_coarser(document):
    root = document["root"]
    root["children"] = [{"boundingVolume": root["boundingVolume"], "geometricError": root["geometricError"] + 1}]


def row_major(document):
    document["root"]["transform"] = np.array(document["root"]["transform"]).reshape(4, 4).T.reshape(-1).tolist()


@pytest.mark.parametrize(
    ("plant", "code"),
    [
        (lambda d: d["asset"].update(version="1.0"), "asset-version"),
        (lambda d: d["root"]["content"].update(uri="gone.glb"), "content-missing"),
        (lambda d: d["root"].update(content={"url": "a.glb"}), "content-uri"),
        (lambda d: d["root"].update(refine="replace"), "refine"),
        (lambda d: d["root"].pop("geometricError"), "geometric-error"),
        (lambda d: d["root"].update(geometricError=-1), "geometric-error"),
        (lambda d: d.update(geometricError=-1), "geometric-error"),
        (lambda d: d["root"].update(children=[]), "children-empty"),
        (lambda d: d["root"]["boundingVolume"]["box"].pop(), "volume"),
        (shrink, "geometry-outside"), (child_outside, "volume-nesting"), (child_coarser, "geometric-error-order"),
        (row_major, "transform"),
    ],
)  # fmt: skip
def test_a_planted_fault_in_the_tree_is_found(copy, plant, code):
    tileset(plant)(copy)
    assert code in codes(copy)


def test_ids_are_compared_with_the_stores(copy):
    assert codes(copy, IDS | {"test:lost"}) == {"id-missing"}
    assert codes(copy, set(list(IDS)[1:])) == {"id-foreign"}


def test_one_building_in_two_leaves_is_found(copy):
    path = copy / "buildings/tileset.json"
    document = json.loads(path.read_text())
    root = document["root"]
    twin = {key: root[key] for key in ("boundingVolume", "geometricError", "content")}
    root["children"] = [twin, dict(twin)]
    path.write_text(json.dumps(document))
    assert "id-twice" in codes(copy)


def test_a_tileset_that_is_not_there_is_a_fault(tmp_path):
    assert codes(tmp_path, None) == {"tileset-json"}
