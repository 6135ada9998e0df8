"""CityJSON in, store, CityJSON out: geometry to a millimetre, levels of detail, semantics and attributes are the same.

The files are compared as plain JSON with the boundaries resolved, not through our own reader.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim.city.columns import columns_to_objects, objects_to_columns
from cim.city.model import CityObject
from cim.features.cityjson import Head, corner_of, document, families, feature
from ingest.readers.registry import reader_for
from ingest.records import ReadContext
from tests.property.test_cityjson_lossless import geometry, written
from tests.support.city_records import objects_of

HEAD = Head("http://www.opengis.net/def/crs/EPSG/0/28992", (90_000.0, 435_000.0, 0.0), "Out")
values = st.text(max_size=8) | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.booleans()
attributes = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8).map(lambda name: f"x{name}"),
    values | st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=4), values, max_size=3),
    max_size=4,
)


def stored(path: Path) -> list[CityObject]:
    """What a file is after reading, as columns, and back."""
    read = list(objects_of(list(reader_for(path).read(path, ReadContext("made")))).values())
    rows, shapes = objects_to_columns(read)
    return columns_to_objects(pa.Table.from_batches([rows]), pa.Table.from_batches([shapes]))


def resolved(boundaries: Any, points: np.ndarray) -> Any:
    if isinstance(boundaries, int):
        return tuple(points[boundaries].tolist())
    found = [resolved(part, points) for part in boundaries]
    while len(found) > 3 and isinstance(found[0], tuple) and found[0] == found[-1]:
        # CityJSON wants rings open; a file that closes them all the same means the same ring.
        found.pop()
    return found


def leaves(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    else:
        for part in value:
            yield from leaves(part)


def shape(value: Any) -> Any:
    return None if isinstance(value, tuple) else [shape(part) for part in value]


def points_of(document: dict[str, Any], vertices: Any = None) -> np.ndarray:
    transform = document["transform"]
    listed = np.array(document["vertices"] if vertices is None else vertices, dtype=float).reshape(-1, 3)
    return listed * transform["scale"] + transform["translate"]


def check_objects(wanted: dict[str, Any], points: np.ndarray, got: dict[str, Any], out_points: np.ndarray) -> None:
    assert {f"made:{name}" for name in wanted} == set(got)
    for name, one in wanted.items():
        other = got[f"made:{name}"]
        assert other["type"] == one["type"]
        assert {f"made:{child}" for child in one.get("children", ())} == set(other.get("children", ()))
        assert [f"made:{parent}" for parent in one.get("parents", ())] == other.get("parents", [])
        for key, value in one.get("attributes", {}).items():
            assert other["attributes"][key] == value, (name, key)
        shapes = [g for g in one.get("geometry", ()) if g["type"] != "GeometryInstance"]
        assert len(shapes) == len(other.get("geometry", ())), name
        for here, there in zip(shapes, other.get("geometry", ()), strict=True):
            assert (here["type"], str(here["lod"])) == (there["type"], there["lod"])
            a, b = resolved(here["boundaries"], points), resolved(there["boundaries"], out_points)
            assert shape(a) == shape(b)
            np.testing.assert_allclose(list(leaves(b)), list(leaves(a)), rtol=0, atol=0.000501)
            assert ("semantics" in here) == ("semantics" in there)
            if "semantics" in here:
                assert there["semantics"]["surfaces"] == here["semantics"]["surfaces"]
                assert there["semantics"]["values"] == here["semantics"]["values"]


@settings(max_examples=100, deadline=None)
@given(st.lists(geometry(), min_size=1, max_size=3), attributes, st.booleans())
def test_what_came_in_goes_out(made: list[Any], facts: dict[str, Any], stream: bool) -> None:
    vertices: list[Any] = []
    geometries = [written(one, vertices) for one in made]
    objects = {
        "a": {"type": "Building", "attributes": facts, "children": ["b"], "geometry": geometries[:1]},
        "b": {"type": "BuildingPart", "parents": ["a"], "geometry": geometries},
    }
    source = {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001, 0.001, 0.01], "translate": [90000, 435000, -3]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/28992"},
        "CityObjects": objects,
        "vertices": vertices,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.city.json"
        path.write_bytes(orjson.dumps(source))
        kept = stored(path)
    if stream:
        (family,) = families(kept)
        line = orjson.loads(orjson.dumps(feature(family, HEAD), option=orjson.OPT_SERIALIZE_NUMPY))
        assert (line["type"], line["id"]) == ("CityJSONFeature", "made:a")
        out, points = line["CityObjects"], points_of(HEAD.document(), line["vertices"])
    else:
        whole = orjson.loads(orjson.dumps(document(kept, HEAD), option=orjson.OPT_SERIALIZE_NUMPY))
        out, points = whole["CityObjects"], points_of(whole)
    check_objects(objects, points_of(source), out, points)


@pytest.mark.reference
def test_rotterdam_comes_out_as_it_went_in(reference: Path, tmp_path: Path) -> None:
    path = reference / "rotterdam" / "3-20-DELFSHAVEN.city.json"
    source = orjson.loads(path.read_bytes())
    kept = stored(path)
    low = np.min([geometry.coordinates.min(axis=0) for one in kept for geometry in one.geometries], axis=0)
    head = Head("http://www.opengis.net/def/crs/EPSG/0/28992", corner_of(low.tolist()), "Delfshaven")
    whole = orjson.loads(orjson.dumps(document(kept, head), option=orjson.OPT_SERIALIZE_NUMPY))
    assert len(whole["CityObjects"]) == len(source["CityObjects"]) > 800
    check_objects(source["CityObjects"], points_of(source), whole["CityObjects"], points_of(whole))
    # And our own reader takes it back.
    again = tmp_path / "again.city.json"
    again.write_bytes(orjson.dumps(whole))
    assert len(stored(again)) == len(kept)
