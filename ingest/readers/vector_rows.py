"""Features of a batch as rows of objects: ids, attributes as JSON, places; pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import Any, Final

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from cim.city.model import Quarantined
from cim.city.rows import ObjectRows, geometry_rows
from cim.errors import InvalidInput
from cim.ids import object_id
from ingest.mapping import BUILDING, SKIP, TARGETS, TEXTS, LayerMapping
from ingest.readers.osm_ground import road_kind
from ingest.readers.osm_trees import (
    BROADLEAVED_HEIGHT_M,
    CROWN_SHARE_BROADLEAVED,
    CROWN_SPREAD,
    HEIGHT_RANGE_M,
    METHOD_CROWN,
    METHOD_HEIGHT,
)
from ingest.readers.vector_heights import KnownStoreys, height_members
from ingest.readers.vector_shapes import Placed, reason_of
from ingest.readers.vector_values import key_of, member_of, numbers, texts

TREE: Final = "SolitaryVegetationObject"
USE_UNKNOWN: Final = ""
HASH_BYTES: Final = 8
_GROUND: Final = {
    "Road": "road_street", "Railway": "rail", "WaterBody": "water", "PlantCover": "green", "TransportSquare": "plaza",
}  # fmt: skip
_OWN: Final = TARGETS | {"ground_kind", "geometry_repaired"}

Members = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """What was noticed in a layer besides what each feature says of itself."""

    repairs: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    unusable: Counter[str] = field(default_factory=Counter)
    encoding: int = 0


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Makes rows of one layer; ``prefix`` stands before native ids where a file has several layers."""

    dataset: str
    layer: str
    prefix: str
    mappings: Mapping[str, LayerMapping]
    known: KnownStoreys
    keyed: bool
    tally: Tally

    def make(
        self, placed: Placed, wkb: list[bytes | None], numbers_: list[int], columns: Mapping[str, list[Any]]
    ) -> tuple[ObjectRows | None, list[Quarantined]]:
        """Return the rows of a batch, and what is kept out; ``columns`` hold JSON values."""
        natives = self._natives(wkb, numbers_, columns, placed.dimensions)
        types = self._types(columns, placed.dimensions)
        faults: list[Quarantined] = []
        kept: list[int] = []
        ids: list[str] = []
        for row, dimension in enumerate(placed.dimensions):
            if types[row] == SKIP:
                self.tally.left_out += 1
                continue
            code = placed.faults.get(row)
            name = f"{self.layer}: {natives[row] or f'feature {numbers_[row]}'}"[:120]
            if code is not None:
                faults.append(Quarantined(name, code, reason_of(code)))
            elif dimension != "area" and types[row] == BUILDING:
                faults.append(Quarantined(name, "building-no-footprint", "A building needs an outline."))
            else:
                try:
                    ids.append(object_id(self.dataset, self.prefix + (natives[row] or "")))
                    kept.append(row)
                except InvalidInput as error:
                    faults.append(Quarantined(name, error.problem_code, error.message))
        return (self._rows(kept, ids, types, placed, columns) if kept else None), faults

    def _rows(
        self, kept: list[int], ids: list[str], types: list[str], placed: Placed, columns: Mapping[str, list[Any]]
    ) -> ObjectRows:
        chosen = {name: [values[row] for row in kept] for name, values in columns.items()}
        places = placed.shapes[kept]
        attributes: list[Members] = [{} for _ in kept]
        groups: dict[tuple[str, str], list[int]] = {}
        for at, row in enumerate(kept):
            groups.setdefault((placed.dimensions[row], types[row]), []).append(at)
        for (dimension, type_), where in groups.items():
            self._attributes(type_, self.mappings[dimension], where, chosen, places, attributes)
        for at, row in enumerate(kept):
            if row in placed.repairs:
                attributes[at]["geometry_repaired"] = {"v": placed.repairs[row]}
                self.tally.repairs[placed.repairs[row]] += 1
        return ObjectRows(
            ids=ids,
            types=[types[row] for row in kept],
            parents=[None] * len(ids),
            attributes=[orjson.dumps(members).decode() for members in attributes],
            places=places,
            geometries=geometry_rows([], [], []),
        )

    def _of(self, dimension: str) -> LayerMapping:
        """Return the mapping of a feature; any of the layer's where its shape could not be read."""
        return self.mappings.get(dimension) or next(iter(self.mappings.values()))

    def _types(self, columns: Mapping[str, list[Any]], dimensions: list[str]) -> list[str]:
        types = []
        for row, dimension in enumerate(dimensions):
            mapping = self._of(dimension)
            told = key_of(columns[mapping.type_by.column][row]) if mapping.type_by is not None else None
            types.append(mapping.type_of(told))
        return types

    def _natives(
        self,
        wkb: list[bytes | None],
        numbers_: list[int],
        columns: Mapping[str, list[Any]],
        dimensions: list[str],
    ) -> list[str | None]:
        """Return the source's own ids; where it has none, a digest of the shape, which outlives a new order."""
        natives: list[str | None] = []
        for row, dimension in enumerate(dimensions):
            mapping = self._of(dimension)
            key = None if mapping.id is None else key_of(columns[mapping.id][row])
            blob = wkb[row]
            if self.keyed and mapping.id is None:
                key = str(numbers_[row])
            elif key is None and blob is not None:
                key = f"g{hashlib.blake2b(blob, digest_size=HASH_BYTES).hexdigest()}"
            natives.append(key)
        return natives

    def _attributes(
        self,
        type_: str,
        mapping: LayerMapping,
        where: list[int],
        columns: Mapping[str, list[Any]],
        places: NDArray[np.object_],
        out: list[Members],
    ) -> None:
        """Fill the members of the rows of one type."""
        read: dict[str, NDArray[np.float64]] = {}
        for target, rule in mapping.attributes.items():
            values = [columns[rule.column][row] for row in where]
            if target in TEXTS or (target not in TARGETS and rule.unit is None):
                said = texts(values) if target in TEXTS else values
                _fill(out, where, target, [None if value is None else {"v": value} for value in said])
                continue
            read[target] = numbers(target, rule, values)
            pairs = zip(where, values, read[target].tolist(), strict=True)
            lost = [row for row, value, number in pairs if value is not None and isnan(number)]
            self.tally.unusable[target] += len(lost)
            for row in lost:
                # What cannot be read as it should stays as it was said.
                out[row][_free(rule.column)] = {"v": columns[rule.column][row]}
        if type_ == BUILDING:
            self._heights(where, places, read, out)
        elif type_ == TREE:
            _tree(where, read, out)
        for target, values_ in read.items():
            _fill(out, where, target, [None if np.isnan(v) else member_of(target, v) for v in values_.tolist()])
        _ground(type_, where, out)
        if mapping.keep:
            _keep(mapping, where, columns, out)

    def _heights(
        self,
        where: list[int],
        places: NDArray[np.object_],
        read: dict[str, NDArray[np.float64]],
        out: list[Members],
    ) -> None:
        nothing = np.full(len(where), np.nan)
        uses = [str(out[row].get("function", {}).get("v") or USE_UNKNOWN) for row in where]
        xy = shapely.get_coordinates(shapely.centroid(places[where]))
        heights, storeys = height_members(
            read.pop("height_m", nothing), read.pop("storeys_above_ground", nothing), uses, xy, self.known
        )
        _fill(out, where, "height_m", heights)
        _fill(out, where, "storeys_above_ground", storeys)


def _fill(out: list[Members], where: list[int], target: str, members: list[Members] | list[Members | None]) -> None:
    for row, member in zip(where, members, strict=True):
        if member is not None:
            out[row][target] = member


def _tree(where: list[int], read: dict[str, NDArray[np.float64]], out: list[Members]) -> None:
    """Give trees a height and a crown, by the rule of OpenStreetMap trees."""
    nothing = np.full(len(where), np.nan)
    heights, crowns = read.pop("height_m", nothing), read.pop("crown_diameter_m", nothing)
    for row, height, crown in zip(where, heights.tolist(), crowns.tolist(), strict=True):
        known = not np.isnan(height)
        tall = height if known else BROADLEAVED_HEIGHT_M
        modelled = {"q": "modelled", "i": list(HEIGHT_RANGE_M), "m": METHOD_HEIGHT}
        out[row]["height_m"] = {"v": round(tall, 2), "u": "m", **({} if known else modelled)}
        if not np.isnan(crown):
            out[row]["crown_diameter_m"] = {"v": round(crown, 2), "u": "m"}
            continue
        width = round(tall * CROWN_SHARE_BROADLEAVED, 2)
        span = [round(width * (1 - CROWN_SPREAD), 2), round(width * (1 + CROWN_SPREAD), 2)]
        out[row]["crown_diameter_m"] = {"v": width, "u": "m", "q": "modelled", "i": span, "m": METHOD_CROWN}


def _ground(type_: str, where: list[int], out: list[Members]) -> None:
    """Say what the ground is painted with."""
    kind = _GROUND.get(type_)
    if kind is None:
        return
    of_road: Callable[[Members], str] = _road_kind if type_ == "Road" else lambda _members: kind
    for row in where:
        out[row]["ground_kind"] = {"v": of_road(out[row])}


def _road_kind(members: Members) -> str:
    return road_kind(str(members.get("highway", {}).get("v"))) or "road_street"


def _keep(mapping: LayerMapping, where: list[int], columns: Mapping[str, list[Any]], out: list[Members]) -> None:
    """Take the other columns over by their own names."""
    used = {rule.column for rule in mapping.attributes.values()}
    for name, values in columns.items():
        if name in used:
            continue
        free = _free(name)
        for row in where:
            if values[row] is not None:
                out[row][free] = {"v": values[row]}


def _free(column: str) -> str:
    """Return the name of a column where it does not stand for a fixed meaning."""
    return f"source_{column}" if column in _OWN else column
