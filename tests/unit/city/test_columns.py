"""Objects to columns and back lose nothing, whatever their geometry."""

import numpy as np
import pyarrow as pa
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim.city.columns import columns_to_objects, objects_to_columns, surface_table
from cim.city.model import Attribute, CityObject
from cim.findings import Quality
from cim.geometry.surfaces import KINDS, Geometry, Semantics

COORDINATE = st.floats(-1e7, 1e7, allow_nan=False, width=64)
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


@st.composite
def ends(draw: st.DrawFn, count: int) -> np.ndarray:
    """Where groups of at least one item end."""
    inner = draw(st.sets(st.integers(1, max(1, count - 1)), max_size=3)) if count > 1 else set()
    return np.array(sorted(inner | {count}), dtype=np.int32)


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    kind = draw(st.sampled_from(KINDS))
    lod = draw(st.sampled_from(["0", "1", "1.2", "2", "2.2", "3"]))
    rings = draw(st.integers(1, 5))
    sizes = [draw(st.integers(3, 6)) for _ in range(rings)]
    count = sum(sizes)
    coordinates = np.array(draw(st.lists(COORDINATE, min_size=3 * count, max_size=3 * count))).reshape(-1, 3)
    if kind == "MultiPoint":
        return Geometry(kind, lod, coordinates)
    ring_ends = np.cumsum(sizes).astype(np.int32)
    if kind == "MultiLineString":
        return Geometry(kind, lod, coordinates, ring_ends)
    surface_ends = draw(ends(rings))
    surfaces = len(surface_ends)
    semantics = None
    if draw(st.booleans()):
        values = np.array([draw(st.integers(-1, 1)) for _ in range(surfaces)], dtype=np.int32)
        semantics = Semantics(({"type": "RoofSurface", "slope": 3}, {"type": "WallSurface"}), values)
    if kind in ("MultiSurface", "CompositeSurface"):
        return Geometry(kind, lod, coordinates, ring_ends, surface_ends, semantics=semantics)
    shell_ends = draw(ends(surfaces))
    solid_ends = np.empty(0, dtype=np.int32) if kind == "Solid" else draw(ends(len(shell_ends)))
    return Geometry(kind, lod, coordinates, ring_ends, surface_ends, shell_ends, solid_ends, semantics)


@st.composite
def city_objects(draw: st.DrawFn) -> CityObject:
    number = draw(st.integers(0, 10**9))
    attribute = st.builds(
        Attribute,
        value=SCALAR,
        unit=st.sampled_from([None, "m", "m2"]),
        quality=st.sampled_from(list(Quality)),
        interval=st.none() | st.tuples(st.floats(0, 5), st.floats(5, 9)),
        method=st.none() | st.text(max_size=5),
        source=st.sampled_from(["", "other"]),
    )
    return CityObject(
        id=f"set:{number}",
        type="Building",
        place=draw(
            st.sampled_from(
                [None, shapely.box(0, 0, 3, 4), shapely.Point(1.5, 2), shapely.LineString([(0, 0), (5, 5)])]
            )
        ),
        geometries=tuple(draw(st.lists(geometries(), max_size=3))),
        attributes=draw(st.dictionaries(st.text(min_size=1, max_size=8), attribute, max_size=3)),
        parent_id=draw(st.sampled_from([None, "set:parent"])),
    )


def same_geometry(one: Geometry, other: Geometry) -> bool:
    if (one.semantics is None) != (other.semantics is None):
        return False
    if one.semantics is not None and other.semantics is not None:
        assert one.semantics.surfaces == other.semantics.surfaces
        assert one.semantics.values.tolist() == other.semantics.values.tolist()
    arrays = ("coordinates", "ring_ends", "surface_ends", "shell_ends", "solid_ends")
    return (one.kind, one.lod) == (other.kind, other.lod) and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(city_objects(), min_size=1, max_size=6, unique_by=lambda o: o.id))
def test_columns_lose_nothing(objects: list[CityObject]) -> None:
    rows, geometries_ = objects_to_columns(objects)
    back = columns_to_objects(pa.Table.from_batches([rows]), pa.Table.from_batches([geometries_]))
    assert [o.id for o in back] == [o.id for o in objects]
    for before, after in zip(objects, back, strict=True):
        assert after.attributes == before.attributes
        assert after.parent_id == before.parent_id
        assert (after.place is None) == (before.place is None)
        assert before.place is None or after.place.equals(before.place)
        assert len(after.geometries) == len(before.geometries)
        assert all(same_geometry(a, b) for a, b in zip(before.geometries, after.geometries, strict=True))


def test_another_tool_reads_the_surfaces() -> None:
    """The oracle is DuckDB's own WKB reader: a cube's six faces, as WKT."""
    import duckdb

    corners = np.array([[x, y, z] for z in (0.0, 2.0) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))])
    faces = [(3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
    cube = Geometry(
        "Solid",
        "1",
        np.concatenate([corners[list(face)] for face in faces]),
        np.arange(4, 25, 4, dtype=np.int32),
        np.arange(1, 7, dtype=np.int32),
        np.array([6], dtype=np.int32),
    )
    _, geometry = objects_to_columns([CityObject("a:1", "Building", None, (cube,))])
    wkb = geometry["surfaces"].to_pylist()[0]
    ((text,),) = duckdb.connect().execute("SELECT ST_AsText(ST_GeomFromWKB(?))", [wkb]).fetchall()
    assert text.startswith("MULTIPOLYGON Z")
    assert text.count("((") == 6


def test_the_box_covers_place_and_geometries() -> None:
    point = Geometry("MultiPoint", "0", np.array([[9.0, -2.0, 5.0]]))
    rows, _ = objects_to_columns([CityObject("a:1", "Building", shapely.box(0, 0, 3, 4), (point,))])
    box = [rows[name].to_pylist()[0] for name in ("xmin", "ymin", "zmin", "xmax", "ymax", "zmax")]
    assert box == [0.0, -2.0, 5.0, 9.0, 4.0, 5.0]


def test_thin_kinds_are_left_out_of_the_surface_table() -> None:
    point = Geometry("MultiPoint", "0", np.array([[9.0, -2.0, 5.0]]))
    _, geometry = objects_to_columns([CityObject("a:1", "Building", None, (point,))])
    table = surface_table(geometry["kind"].to_pylist(), np.array(geometry["surfaces"].to_pylist(), dtype=object))
    assert len(table.rows) == 0
