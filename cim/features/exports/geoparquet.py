"""Features as GeoParquet 1.1 (https://geoparquet.org/releases/v1.1.0/), one group of rows a page.  Pure.

Geometry is WKB, easting or longitude first whatever the system's own order; a box stands beside each feature, so that
readers skip what lies elsewhere.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from cim.features.columns import typed_column
from cim.features.crs import FeatureCrs
from cim.features.model import Collection, Feature
from cim.features.model_types import PropertyType
from cim.geometry.crs import LONLAT, parse_crs

GEOMETRY: Final = "geometry"
BOX: Final = "bbox"
_SIDES: Final = ("xmin", "ymin", "xmax", "ymax")
_ARROW: Final[dict[PropertyType, pa.DataType]] = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
}


def parts(
    pages: Iterable[Sequence[Feature]], collection: Collection, system: FeatureCrs, revision: str
) -> Iterator[bytes]:
    """Yield the bytes of a file; ``pages`` have places in ``system``, easting first."""
    names = {item.name for item in collection.properties}
    clash = {GEOMETRY, BOX, "id"} & names
    kept = [item for item in collection.properties if item.name not in clash]
    schema = pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            *(pa.field(item.name, _ARROW[item.type]) for item in kept),
            pa.field(BOX, pa.struct([pa.field(side, pa.float64()) for side in _SIDES])),
            pa.field(GEOMETRY, pa.binary()),
        ]
    )
    sink = _Sink()
    kinds: set[str] = set()
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd", store_schema=False) as writer:
        for features in pages:
            places: Any = np.empty(len(features), dtype=object)
            places[:] = [feature.geometry for feature in features]
            boxes = shapely.bounds(places).reshape(-1, 4)
            known = ~np.isnan(boxes[:, 0])
            bounds[:2] = np.fmin(bounds[:2], boxes[known, :2].min(axis=0, initial=np.inf))
            bounds[2:] = np.fmax(bounds[2:], boxes[known, 2:].max(axis=0, initial=-np.inf))
            kinds.update(place.geom_type for place in places[known])
            sides = [pa.array(boxes[:, side], mask=~known) for side in range(4)]
            columns = [
                pa.array([feature.id for feature in features], pa.string()),
                *(
                    typed_column([feature.properties.get(item.name) for feature in features], item.type).cast(
                        _ARROW[item.type]
                    )
                    for item in kept
                ),
                pa.StructArray.from_arrays(sides, list(_SIDES), mask=pa.array(~known)),
                pa.array(shapely.to_wkb(places, output_dimension=2).tolist(), pa.binary()),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            yield sink.taken()
        about = {
            "collection": collection.id,
            "baselineVersion": revision,
            "attribution": list(collection.attributions),
            "units": {item.name: item.unit for item in kept if item.unit},
        }
        writer.add_key_value_metadata({"geo": _geo(system, kinds, bounds), "cim": orjson.dumps(about).decode()})
    yield sink.taken()


def _geo(system: FeatureCrs, kinds: set[str], bounds: Any) -> str:
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted(kinds),
        "covering": {BOX: {side: [BOX, side] for side in _SIDES}},
    }
    if np.isfinite(bounds).all():
        column["bbox"] = bounds.tolist()
    if system.code != LONLAT:
        column["crs"] = parse_crs(system.code).to_json_dict()
    return orjson.dumps({"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}).decode()


class _Sink(io.RawIOBase):
    """Gives away what was written to it; knows how much there was."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, content: Any) -> int:
        size = memoryview(content).nbytes
        self._held += content
        self._written += size
        return size

    def close(self) -> None:
        """Stay readable: the file ends when the writer does."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        out = bytes(self._held)
        self._held.clear()
        return out
