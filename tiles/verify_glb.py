"""Checks of one GLB: layout, geometry, feature ids, metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tiles.glb import LINES, TRIANGLE_STRIP, TRIANGLES
from tiles.reading import Glb

NORMAL_TOLERANCE: Final = 0.012
"""Unit normals in steps of 1/127 are off by at most this."""
FLOAT: Final = 5126
UNSIGNED: Final = (5121, 5123)
INDEX_TYPES: Final = (5121, 5123, 5125)
METADATA_ALIGNMENT: Final = 8
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_RANGES: Final = {"<i1": 127.0, "<u1": 255.0, "<i2": 32767.0, "<u2": 65535.0}

Found = Iterator[tuple[str, str]]


def check_glb(glb: Glb) -> Found:
    """Yield a code and a detail for each fault."""
    yield from _check_extensions(glb.document)
    for index, primitive in enumerate(glb.primitives()):
        yield from _check_primitive(glb, primitive, str(index))
    yield from _check_metadata(glb)
    yield from _check_alignment(glb)


def _check_extensions(document: dict[str, Any]) -> Found:
    used, required = set(document.get("extensionsUsed", [])), set(document.get("extensionsRequired", []))
    seen: set[str] = set()

    def collect(value: object) -> None:
        if isinstance(value, dict):
            seen.update(value.get("extensions", {}) if isinstance(value.get("extensions"), dict) else {})
            for member in value.values():
                collect(member)
        elif isinstance(value, list):
            for member in value:
                collect(member)

    collect(document)
    for name in sorted(seen - used):
        yield "extension-undeclared", name
    quantised = any(
        document["accessors"][p["attributes"]["POSITION"]]["componentType"] != FLOAT
        for mesh in document.get("meshes", [])
        for p in mesh["primitives"]
    )
    if quantised and "KHR_mesh_quantization" not in (used & required):
        yield "quantization-undeclared", ""


def _check_primitive(glb: Glb, primitive: dict[str, Any], where: str) -> Found:
    attributes = primitive["attributes"]
    accessors = glb.document["accessors"]
    for name, index in attributes.items():
        values = glb.accessor(index)
        view = glb.document["bufferViews"][accessors[index]["bufferView"]]
        if int(view.get("byteStride", values.shape[1] * values.itemsize)) % 4 or view.get("byteOffset", 0) % 4:
            yield "attribute-alignment", f"{where} {name}"
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            yield "not-finite", f"{where} {name}"
    counts = {accessors[index]["count"] for index in attributes.values()}
    if len(counts) != 1:
        yield "attribute-counts", where
        return
    yield from _check_bounds(accessors[attributes["POSITION"]], glb.accessor(attributes["POSITION"]), where)
    if "NORMAL" in attributes:
        yield from _check_normals(glb, attributes["NORMAL"], where)
    yield from _check_indices(glb, primitive, counts.pop(), where)
    yield from _check_features(glb, primitive, where)


def _check_bounds(accessor: dict[str, Any], values: NDArray[Any], where: str) -> Found:
    if (
        "min" not in accessor
        or "max" not in accessor
        or (values.min(axis=0).tolist() != accessor["min"] or values.max(axis=0).tolist() != accessor["max"])
    ):
        yield "position-bounds", where


def _check_normals(glb: Glb, index: int, where: str) -> Found:
    accessor, stored = glb.document["accessors"][index], glb.accessor(index)
    if stored.dtype.kind != "f" and not accessor.get("normalized", False):
        yield "normal-type", where
        return
    normals = stored.astype(np.float64) / _RANGES.get(stored.dtype.str.replace("|", "<"), 1.0)
    if (np.abs(np.linalg.norm(normals, axis=1) - 1.0) > NORMAL_TOLERANCE).any():
        yield "normal-length", where


def _check_indices(glb: Glb, primitive: dict[str, Any], vertices: int, where: str) -> Found:
    mode = primitive.get("mode", TRIANGLES)
    # A strip has as many triangles as vertices but two.
    per = {LINES: 2, TRIANGLE_STRIP: 1}.get(mode, 3)
    least = 3 if mode == TRIANGLE_STRIP else 0
    if "indices" not in primitive:
        if vertices % per or vertices < least:
            yield "primitive-count", where
        return
    if glb.document["accessors"][primitive["indices"]]["componentType"] not in INDEX_TYPES:
        yield "index-type", where
        return
    indices = glb.accessor(primitive["indices"])
    if len(indices) % per or len(indices) < least:
        yield "primitive-count", where
    if len(indices) and int(indices.max()) >= vertices:
        yield "index-range", where


def _check_features(glb: Glb, primitive: dict[str, Any], where: str) -> Found:
    extension = primitive.get("extensions", {}).get("EXT_mesh_features")
    if extension is None:
        return
    tables = [table for table, _ in glb.tables()]
    for feature in extension["featureIds"]:
        index = primitive["attributes"].get(f"_FEATURE_ID_{feature.get('attribute')}")
        if index is None:
            yield "feature-attribute", where
            continue
        if glb.document["accessors"][index]["componentType"] not in {FLOAT, *UNSIGNED}:
            yield "feature-type", where
            continue
        ids = glb.accessor(index).astype(np.float64)
        if not 0 <= int(feature.get("propertyTable", -1)) < len(tables):
            yield "feature-table", where
            continue
        rows = int(tables[feature["propertyTable"]]["count"])
        if feature.get("featureCount") != rows:
            yield "feature-count", where
        if not np.isfinite(ids).all() or (ids != np.rint(ids)).any():
            yield "feature-fraction", where
        elif len(ids) and (ids.min() < 0 or ids.max() >= rows):
            yield "feature-range", where


def _check_metadata(glb: Glb) -> Found:
    extension = glb.document.get("extensions", {}).get("EXT_structural_metadata")
    if extension is None:
        yield "metadata-missing", ""
        return
    schema = extension.get("schema", {})
    if not _NAME.fullmatch(str(schema.get("id", ""))):
        yield "schema-id", ""
    for name, members in schema.get("classes", {}).items():
        if not _NAME.fullmatch(name) or not members.get("properties"):
            yield "schema-class", name
        for prop, definition in members.get("properties", {}).items():
            yield from _check_definition(prop, definition)
    for table, class_ in glb.tables():
        yield from _check_table(glb, table, class_.get("properties", {}))


def _check_definition(name: str, definition: dict[str, Any]) -> Found:
    if not _NAME.fullmatch(name):
        yield "schema-property", name
    if definition.get("required") and "noData" in definition:
        yield "schema-no-data", name
    if (definition.get("type") == "STRING") == ("componentType" in definition):
        yield "schema-type", name


def _check_table(glb: Glb, table: dict[str, Any], properties: dict[str, Any]) -> Found:
    if not properties:
        yield "table-class", str(table.get("class"))
    for name in sorted(set(properties) ^ set(table["properties"])):
        yield "table-property", name
    for name in sorted(set(properties) & set(table["properties"])):
        prop, definition = table["properties"][name], properties[name]
        if definition["type"] == "STRING":
            texts = glb.texts(prop, table["count"])
            if not glb.view(prop["values"]):
                yield "string-empty-view", name
            if name == "id" and table.get("class") == "CityObject":
                yield from _check_ids(texts)
        else:
            numbers = glb.numbers(prop, definition, table["count"])
            if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
                yield "not-finite", name


def _check_ids(ids: list[str]) -> Found:
    if len(set(ids)) != len(ids):
        yield "id-twice", "in one tile"
    if "" in ids:
        yield "id-empty", ""


def _check_alignment(glb: Glb) -> Found:
    for table, _ in glb.tables():
        for name, prop in table["properties"].items():
            for member in ("values", "stringOffsets", "arrayOffsets"):
                if (
                    member in prop
                    and glb.document["bufferViews"][prop[member]].get("byteOffset", 0) % METADATA_ALIGNMENT
                ):
                    yield "metadata-alignment", name
