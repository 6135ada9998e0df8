"""CityJSON geometry of every type, written by this test, survives reading, columns and objects."""

import tempfile
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cim.city.columns import columns_to_objects, objects_to_columns
from cim.city.model import Quarantined
from ingest.readers.registry import reader_for
from ingest.records import ReadContext
from tests.support.city_records import objects_of

MEANINGS = [{"type": "WallSurface"}, {"type": "RoofSurface", "slope": 12}, {"type": "GroundSurface"}]
vertex = st.tuples(*(st.integers(0, 100_000) for _ in range(3)))
lods = st.sampled_from(["0", "1", "1.2", "2.2"])


@st.composite
def rings(draw, least=3):
    return draw(st.lists(vertex, min_size=least, max_size=6, unique=True))


surfaces = st.lists(rings(), min_size=1, max_size=3)
surface_lists = st.lists(surfaces, min_size=1, max_size=4)
shells = st.lists(surface_lists, min_size=1, max_size=2)
solids = st.lists(shells, min_size=1, max_size=2)


@st.composite
def geometry(draw):
    kind = draw(
        st.sampled_from(
            [
                "MultiPoint",
                "MultiLineString",
                "MultiSurface",
                "CompositeSurface",
                "Solid",
                "MultiSolid",
                "CompositeSolid",
            ]
        )
    )
    nested = {
        "MultiPoint": st.lists(vertex, min_size=1, max_size=5),
        "MultiLineString": st.lists(rings(least=2), min_size=1, max_size=3),
        "MultiSurface": surface_lists,
        "CompositeSurface": surface_lists,
        "Solid": shells,
    }.get(kind, solids)
    boundaries = draw(nested)
    return {"type": kind, "lod": draw(lods), "boundaries": boundaries, "meant": draw(st.booleans())}


def flat(value, depth):
    return [value] if depth == 0 else [leaf for part in value for leaf in flat(part, depth - 1)]


DEPTH = {"MultiPoint": 1, "MultiLineString": 2, "MultiSurface": 3, "CompositeSurface": 3, "Solid": 4}


def written(made, vertices):
    """Return the CityJSON of a geometry, its vertices replaced by indices."""

    def index(value, depth):
        if depth == 0:
            vertices.append(list(value))
            return len(vertices) - 1
        return [index(part, depth - 1) for part in value]

    depth = DEPTH.get(made["type"], 5)
    out = {"type": made["type"], "lod": made["lod"], "boundaries": index(made["boundaries"], depth)}
    if made["meant"] and depth >= 3:

        def values(part, level, count=[0]):  # noqa: B006 -- a counter
            if level == 0:
                count[0] += 1
                return [None, 0, 1, 2][count[0] % 4]
            return [values(inner, level - 1) for inner in part]

        out["semantics"] = {"surfaces": MEANINGS, "values": values(made["boundaries"], depth - 2)}
    return out


@settings(max_examples=150, deadline=None)
@given(st.lists(geometry(), min_size=1, max_size=4), st.booleans())
def test_every_geometry_type_is_kept_whole(made, stream):
    vertices = []
    geometries = [written(one, vertices) for one in made]
    body = {"type": "GenericCityObject", "attributes": {"Straße": "ü"}, "geometry": geometries}
    head = {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001, 0.001, 0.01], "translate": [90000, 435000, -3]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/28992"},
    }
    with tempfile.TemporaryDirectory() as folder:
        if stream:
            path = Path(folder) / "made.city.jsonl"
            feature = {"type": "CityJSONFeature", "id": "a", "CityObjects": {"a": body}, "vertices": vertices}
            path.write_bytes(
                orjson.dumps({**head, "CityObjects": {}, "vertices": []}) + b"\n" + orjson.dumps(feature) + b"\n"
            )
        else:
            path = Path(folder) / "made.city.json"
            path.write_bytes(orjson.dumps({**head, "CityObjects": {"a": body}, "vertices": vertices}))
        records = list(reader_for(path).read(path, ReadContext("made")))
    assert not [record for record in records if isinstance(record, Quarantined)]
    (read,) = objects_of(records).values()
    rows, shapes = objects_to_columns([read])
    (back,) = columns_to_objects(pa.Table.from_batches([rows]), pa.Table.from_batches([shapes]))
    assert back.attributes["Straße"].value == "ü"
    assert len(back.geometries) == len(made)
    for want, source, got in zip(made, geometries, back.geometries, strict=True):
        check(want, source, got)


def check(want, source, got):
    kind, boundaries = want["type"], want["boundaries"]
    depth = DEPTH.get(kind, 5)
    points = np.array(flat(boundaries, depth)) * [0.001, 0.001, 0.01] + [90000, 435000, -3]
    assert (got.kind, got.lod) == (kind, want["lod"])
    np.testing.assert_array_equal(got.coordinates, points)
    if depth >= 2:
        np.testing.assert_array_equal(got.ring_ends, np.cumsum([len(ring) for ring in flat(boundaries, depth - 1)]))
    if depth >= 3:
        np.testing.assert_array_equal(got.surface_ends, np.cumsum([len(s) for s in flat(boundaries, depth - 2)]))
    if depth >= 4:
        np.testing.assert_array_equal(got.shell_ends, np.cumsum([len(s) for s in flat(boundaries, depth - 3)]))
    if depth >= 5:
        np.testing.assert_array_equal(got.solid_ends, np.cumsum([len(s) for s in flat(boundaries, depth - 4)]))
    if "semantics" in source:
        values = flat(source["semantics"]["values"], depth - 2)
        assert got.semantics.values.tolist() == [-1 if value is None else value for value in values]
        assert list(got.semantics.surfaces) == MEANINGS
    elif depth >= 3:
        assert got.semantics is None
