"""Vector files made by tests: the same features as GeoPackage, Shapefile, FlatGeobuf, GeoJSON and GeoParquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely

DRIVERS = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".fgb": "FlatGeobuf", ".geojson": "GeoJSON"}
MIDDLE = (24.94, 60.17)


def squares(count: int, side: float = 0.0002, at: tuple[float, float] = MIDDLE) -> list[shapely.Geometry]:
    """Squares in a row, degrees; each as wide as the gap after it."""
    return [shapely.box(at[0] + 2 * side * i, at[1], at[0] + 2 * side * i + side, at[1] + side) for i in range(count)]


def write_layer(
    path: Path,
    shapes: Sequence[shapely.Geometry | None],
    columns: Mapping[str, Sequence[Any]] | None = None,
    *,
    crs: str | None = "EPSG:4326",
    layer: str | None = None,
    append: bool = False,
    **options: Any,
) -> Path:
    """Write one layer in the format that the name's ending says."""
    columns = columns or {"n": list(range(len(shapes)))}
    if path.suffix == ".parquet":
        return write_parquet(path, shapes, columns, crs)
    kinds = {shape.geom_type for shape in shapes if shape is not None}
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(shapes, dtype=object)),
        [np.array(values, dtype=_dtype(values)) for values in columns.values()],
        list(columns),
        layer=layer or path.stem,
        driver=DRIVERS[path.suffix],
        geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown",
        crs=crs,
        append=append,
        **options,
    )
    return path


def _dtype(values: Sequence[Any]) -> Any:
    kinds = {type(value) for value in values}
    return np.int64 if kinds == {int} else np.float64 if kinds <= {float, int} else object


def write_parquet(
    path: Path, shapes: Sequence[shapely.Geometry | None], columns: Mapping[str, Sequence[Any]], crs: str | None
) -> Path:
    """Write GeoParquet 1.1 by Arrow, with the CRS as PROJJSON."""
    said = None if crs is None else pyproj.CRS.from_user_input(crs).to_json_dict()
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": [], "crs": said}},
    }
    wkb = shapely.to_wkb(np.array(shapes, dtype=object)).tolist()
    table = pa.table({**{name: pa.array(values) for name, values in columns.items()}, "geometry": wkb})
    pq.write_table(table.replace_schema_metadata({"geo": orjson.dumps(geo)}), path, row_group_size=100)
    return path


def write_geojson(path: Path, features: Sequence[tuple[Any, Mapping[str, Any]]], **members: Any) -> Path:
    """Write features given as geometry members and properties; nothing is checked."""
    body = {
        "type": "FeatureCollection",
        **members,
        "features": [{"type": "Feature", "properties": dict(p), "geometry": g} for g, p in features],
    }
    path.write_bytes(orjson.dumps(body))
    return path


def polygon(*rings: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return a polygon's members."""
    return {"type": "Polygon", "coordinates": [[list(point) for point in ring] for ring in rings]}
