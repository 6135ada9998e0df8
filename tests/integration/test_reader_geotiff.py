"""Terrain from GeoTIFF: heights within the stated error of the raster, at its places; bad files are clear errors."""

import numpy as np
import pyproj
import pytest
import rasterio
from rasterio.transform import from_origin
from scipy.interpolate import LinearNDInterpolator

from cim.errors import CimError, InvalidInput, LimitExceeded, UnsupportedFormat
from ingest.readers import geotiff, limits
from ingest.records import SourceHeader
from tests.support.city_server import run_cim
from tests.support.gml_city import objects_in, of_kind, records

UTM = "EPSG:25832"
WEST, NORTH, CELL = 500_000.0, 5_400_000.0, 2.0


def hill(x, y):
    return 100 + 12 * np.sin(x / 90) + 7 * np.cos(y / 60) + 0.02 * x


def write(path, heights, *, crs=UTM, transform=None, **more):
    transform = transform or from_origin(WEST, NORTH, CELL, CELL)
    with rasterio.open(
        path, "w", driver="GTiff", height=heights.shape[0], width=heights.shape[1], count=1, dtype=heights.dtype,
        crs=crs, transform=transform, **more,
    ) as out:  # fmt: skip
        out.write(heights, 1)
    return path


def raster(rows=700, columns=600):
    y, x = np.mgrid[0:rows, 0:columns]
    return hill((x + 0.5) * CELL, (y + 0.5) * CELL).astype("float32")


def test_every_cell_is_within_the_error_that_is_stated(tmp_path):
    heights = raster()
    heights[100:140, 200:260] = -9999
    found = records(write(tmp_path / "dem.tif", heights, nodata=-9999, compress="deflate"))
    header = of_kind(found, SourceHeader)[0]
    assert (header.working_crs, header.ground) == (UTM, "terrain")
    objects = objects_in(found)
    assert {o.type for o in objects.values()} == {"TINRelief"}
    assert "block/0-0" in objects
    assert "block/1-1" in objects
    assert all(g.surface_count <= 20_000 for o in objects.values() for g in o.geometries)
    stated = max(o.attributes["vertical_error_m"].value for o in objects.values())
    assert 0.05 < stated <= geotiff.VERTICAL_ERROR_M
    corners = np.concatenate([g.coordinates for o in objects.values() for g in o.geometries])
    assert len(corners) < 3 * 2 * heights.size / 4
    # Where its corners stand is the raster's own business: the middle of the cell.
    column, row = np.round((corners[:, 0] - WEST) / CELL - 0.5), np.round((NORTH - corners[:, 1]) / CELL - 0.5)
    np.testing.assert_allclose(corners[:, 0], WEST + (column + 0.5) * CELL, atol=1e-6)
    np.testing.assert_allclose(corners[:, 2], heights[row.astype(int), column.astype(int)], atol=1e-4)
    # An oracle that knows nothing of the triangulation: the true hill under the middle of each triangle.
    middles = corners.reshape(-1, 3, 3).mean(axis=1)
    true = hill(middles[:, 0] - WEST, NORTH - middles[:, 1])
    assert np.abs(middles[:, 2] - true).max() < geotiff.VERTICAL_ERROR_M + 0.05
    place = objects["block/0-0"].place
    gap = np.array([WEST + 230 * CELL, NORTH - 120 * CELL])
    assert not place.covers(__import__("shapely").Point(gap))


def test_blocks_fit_without_cracks(tmp_path):
    objects = objects_in(records(write(tmp_path / "dem.tif", raster(600, 600))))
    seam = WEST + (geotiff.BLOCK_CELLS + 0.5) * CELL
    along = []
    for name in ("block/0-0", "block/0-1"):
        corners = np.concatenate(
            [g.coordinates for i, o in objects.items() if i.startswith(name) for g in o.geometries]
        )
        on_seam = np.unique(corners[np.abs(corners[:, 0] - seam) < 1e-6].round(6), axis=0)
        along.append(on_seam[on_seam[:, 1] > NORTH - 1000])
    assert len(along[0]) > 400
    np.testing.assert_array_equal(*along)


def test_feet_become_metres_and_degrees_the_working_crs(tmp_path):
    heights = np.full((9, 9), 100.0, dtype="float32")
    feet = objects_in(
        records(write(tmp_path / "a.tif", heights, crs="EPSG:2249", transform=from_origin(7.7e5, 2.9e6, 10, 10)))
    )
    corners = np.concatenate([g.coordinates for o in feet.values() for g in o.geometries])
    assert corners[:, 2] == pytest.approx(100 * 1200 / 3937)
    degrees = write(tmp_path / "b.tif", heights, crs="EPSG:4326", transform=from_origin(139.7, 35.3, 1e-4, 1e-4))
    found = records(degrees)
    corners = np.concatenate([g.coordinates for o in objects_in(found).values() for g in o.geometries])
    way = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32654")
    east, north = way.transform(35.3 - 0.5e-4, 139.7 + 0.5e-4)
    assert np.hypot(*(corners[:, :2] - [east, north]).T).min() < 1e-3


def test_the_error_may_be_chosen(tmp_path):
    path = write(tmp_path / "dem.tif", raster(200, 200))
    counts = [
        sum(
            g.surface_count
            for o in objects_in(records(path, options={"vertical_error_m": e})).values()
            for g in o.geometries
        )
        for e in (0.05, 1.0)
    ]
    assert counts[0] > 1.3 * counts[1]
    with pytest.raises(InvalidInput):
        records(path, options={"vertical_error_m": "none"})


def test_the_error_is_said_on_the_command_line(tmp_path):
    path = write(tmp_path / "dem.tif", raster(200, 200))
    told = [
        run_cim("ingest", str(path), "--json", "--vertical-error", error, "--data", str(tmp_path / "data"))
        for error in ("2", "0.001")
    ]
    assert [one.returncode for one in told] == [0, 1]
    assert "at least 0.01 m" in told[1].stderr


def refused(path, **context):
    with pytest.raises(CimError) as caught:
        records(path, **context)
    assert caught.value.message
    assert "Traceback" not in caught.value.message
    return caught.value


def test_rasters_that_cannot_be_used(tmp_path, monkeypatch):
    plain = raster(40, 40)
    assert refused(write(tmp_path / "a.tif", plain, crs=None)).problem_code == "crs-missing"
    assert "--crs" in refused(tmp_path / "a.tif").hint
    assert records(tmp_path / "a.tif", source_crs=UTM)
    identity = rasterio.Affine.identity()
    assert refused(write(tmp_path / "b.tif", plain, transform=identity)).problem_code == "raster-unplaced"
    with rasterio.open(
        tmp_path / "c.tif", "w", driver="GTiff", height=9, width=9, count=3, dtype="uint8", crs=UTM,
        transform=from_origin(WEST, NORTH, 1, 1), photometric="RGB",
    ) as out:  # fmt: skip
        out.write(np.zeros((3, 9, 9), dtype="uint8"))
    assert isinstance(refused(tmp_path / "c.tif"), UnsupportedFormat)
    whole = write(tmp_path / "d.tif", raster(300, 300), compress="deflate").read_bytes()
    for share in (0.02, 0.3, 0.7, 0.98):
        cut = tmp_path / "cut.tif"
        cut.write_bytes(whole[: int(len(whole) * share)])
        assert refused(cut).problem_code in {"file-damaged", "crs-missing", "raster-unplaced"}
    damaged = bytearray(whole)
    for at in range(200, len(damaged), 37):
        damaged[at] ^= 0xFF
    (tmp_path / "e.tif").write_bytes(damaged)
    refused(tmp_path / "e.tif")
    (tmp_path / "f.tif").write_bytes(b"")
    assert refused(tmp_path / "f.tif").problem_code == "file-empty"
    monkeypatch.setattr(geotiff, "RASTER_CELLS_MAX", 100)
    assert refused(tmp_path / "d.tif").params["limit"] == "RASTER_CELLS_MAX"


def test_a_tiff_that_claims_to_be_immense_is_refused_at_once(tmp_path):
    path = tmp_path / "big.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=400_000, width=400_000, count=1, dtype="float32", crs=UTM, tiled=True,
        transform=from_origin(WEST, NORTH, 1, 1), sparse_ok=True, bigtiff="yes",
    ):  # fmt: skip
        pass
    error = refused(path)
    assert isinstance(error, LimitExceeded)
    assert error.params["limit"] == "RASTER_CELLS_MAX"
    assert limits.RASTER_CELLS_MAX < 400_000**2


def test_what_is_no_number_and_what_no_mountain_reaches_is_left_out(tmp_path):
    heights = raster(64, 64)
    heights[10, 10], heights[20, 20], heights[30, 30] = np.nan, np.inf, 1e30
    objects = objects_in(records(write(tmp_path / "dem.tif", heights)))
    corners = np.concatenate([g.coordinates for o in objects.values() for g in o.geometries])
    assert np.isfinite(corners).all()
    assert corners[:, 2].max() < 200
    assert np.isfinite(LinearNDInterpolator(corners[:, :2], corners[:, 2])(WEST + 21, NORTH - 21))
