"""Where the models of Boston stand, worked out with nothing of ours: lines of text, pyproj, shapely."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyproj
import shapely

OFFSET_FT = (731_100.0, 2_902_900.0)
H4 = (-71.0748, 42.3501, -71.0562, 42.3638)


def catalogue(boston: Path) -> dict[str, dict[str, str]]:
    """Return the rows of the catalogue by model."""
    with (boston / "buildings3d/ModelCatalog_BOS_H_4_20210719.csv").open(encoding="utf-8-sig") as file:
        return {row["Model_ID"]: row for row in csv.DictReader(file)}


def plans(boston: Path, models: Iterable[str]) -> dict[str, shapely.Geometry]:
    """Return the union of the faces of some models seen from above, EPSG:26986."""
    way = pyproj.Transformer.from_crs(2249, 26986, always_xy=True)
    found = {}
    with zipfile.ZipFile(boston / "buildings3d/BOS_H_4_models_obj.zip") as archive:
        for model in models:
            lines = [line.split() for line in archive.read(f"{model}.obj").decode().splitlines()]
            feet = np.array([line[1:3] for line in lines if line[:1] == ["v"]], dtype=float) + OFFSET_FT
            faces = np.array([[int(one.split("/")[0]) - 1 for one in line[1:]] for line in lines if line[:1] == ["f"]])
            metres = np.column_stack(way.transform(feet[:, 0], feet[:, 1]))
            triangles = shapely.polygons(metres[faces])
            found[model] = shapely.union_all(triangles[shapely.area(triangles) > 1e-3])
    return found


def footprints_2003(boston: Path) -> list[shapely.Geometry]:
    """Return the footprints of 2003 that lie in the tile, EPSG:26986."""
    way = pyproj.Transformer.from_crs(4326, 26986, always_xy=True)
    with gzip.open(boston / "footprints_2003/boston_footprints_merged.geojson.gz") as file:
        features = json.load(file)["features"]
    found = []
    for feature in features:
        outline = feature["geometry"]
        if outline["type"] != "Polygon" or not outline["coordinates"] or len(outline["coordinates"][0]) < 3:
            continue
        ring = np.array(outline["coordinates"][0], dtype=float)[:, :2]
        west, south, east, north = H4
        if ((ring >= (west, south)) & (ring <= (east, north))).all():
            found.append(shapely.make_valid(shapely.Polygon(np.column_stack(way.transform(*ring.T)))))
    return found


def offsets_from_footprints(models: dict[str, shapely.Geometry], footprints: list[shapely.Geometry]) -> np.ndarray:
    """Return the metres between the centroids of a model and of the footprint that shares most of its union."""
    tree = shapely.STRtree(footprints)
    offsets = []
    for model in models.values():
        near = [footprints[row] for row in tree.query(model, predicate="intersects")]
        shares = [one.intersection(model).area / one.union(model).area for one in near]
        if shares and max(shares) >= 0.5:
            offsets.append(model.centroid.distance(near[int(np.argmax(shares))].centroid))
    return np.array(offsets)


def offsets_from_catalogue(models: dict[str, shapely.Geometry], rows: dict[str, dict[str, str]]) -> np.ndarray:
    """Return the metres between the middle of a model's box and its catalogued place."""
    way = pyproj.Transformer.from_crs(4326, 26986, always_xy=True)
    middles = np.array(
        [[(one.bounds[0] + one.bounds[2]) / 2, (one.bounds[1] + one.bounds[3]) / 2] for one in models.values()]
    )
    places = np.array([[float(rows[key]["Centr_Lon"]), float(rows[key]["Centr_Lat"])] for key in models])
    return np.hypot(*(middles - np.column_stack(way.transform(*places.T))).T)
