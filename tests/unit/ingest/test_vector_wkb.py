"""What GEOS may be given: whole geometries of one level, and nothing that nests."""

import struct

import numpy as np
import pytest
import shapely

from ingest.readers.vector_wkb import DEEP_BYTES_MIN, is_harmless, kind_of

RING = np.column_stack((np.cos(np.linspace(0, 6, 2000)), np.sin(np.linspace(0, 6, 2000))))
DISC = shapely.Polygon(RING, [RING * 0.5])
SHAPES = [
    shapely.Point(1, 2),
    shapely.LineString(RING),
    DISC,
    shapely.MultiPoint(RING),
    shapely.MultiLineString([RING, RING + 1]),
    shapely.MultiPolygon([DISC, shapely.transform(DISC, lambda xy: xy + 5)]),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.geom_type)
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("options", [{}, {"flavor": "iso"}, {"include_srid": True}])
def test_sound_geometry_passes_and_a_cut_one_does_not(shape, order, options):
    for one in (shape, shapely.force_3d(shape)):
        srid = shapely.set_srid(one, 3067) if "include_srid" in options else one
        blob = shapely.to_wkb(srid, byte_order=order, output_dimension=3, **options)
        assert is_harmless(blob)
        assert kind_of(blob) == shapely.get_type_id(shape) + (shape.geom_type in {"Point", "LineString"})
        if len(blob) > 2 * DEEP_BYTES_MIN:
            assert not is_harmless(blob[:-8])


@pytest.mark.parametrize("code", [4, 5, 6, 7, 1004, 3006])
def test_what_nests_does_not_pass(code):
    assert not is_harmless(struct.pack("<BII", 1, code, 1) * 10_000)


@pytest.mark.parametrize("blob", [b"", b"\x01", b"noise", struct.pack("<BII", 1, 10, 1), b"\x02" + bytes(50)])
def test_what_is_none_does_not_pass(blob):
    assert not is_harmless(blob)
