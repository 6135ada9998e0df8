"""The building stock: how many square metres of which use stand where.

OpenStreetMap says of most buildings only that they are buildings.  Those become a mixed inner-city
block: shops on the ground floor, above it offices or homes, drawn from the seed by the building's
own id, so that one building's use does not depend on another's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.model import CityObject
from ingest.sample.factors import USES, factor
from ingest.sample.streets import Skeleton

FloatArray = NDArray[np.float64]

STOREY_HEIGHT_M: Final = 3.2
"""Floor to floor, where a height is known and the storeys are not."""

NET_TO_GROSS: Final = 0.85
"""Net floor area over gross (factor ``uf-efficiency``, UrbanFootprint v1.3)."""

FOOTPRINT_M2_MIN: Final = 60.0
"""A building smaller than this is a kiosk or a shed and joins no network."""

OFFICE_SHARE: Final = 0.5
"""Share of the buildings of unknown use that have offices above the shops; the others have homes."""

_USE_OF: Final = {
    "apartments": "multi_res",
    "residential": "multi_res",
    "house": "multi_res",
    "dormitory": "multi_res",
    "hotel": "hotel",
    "office": "office",
    "commercial": "office",
    "public": "office",
    "civic": "office",
    "government": "office",
    "retail": "retail",
    "supermarket": "retail",
    "kiosk": "retail",
    "train_station": "retail",
    "school": "school",
    "kindergarten": "school",
    "university": "university",
    "college": "university",
    "museum": "museum",
    "church": "museum",
    "cathedral": "museum",
    "chapel": "museum",
    "hospital": "hospital",
}
_NO_USE: Final = frozenset({"roof", "shed", "garage", "garages", "ship", "entrance", "underpass_entrance", "bandstand"})


@dataclass(frozen=True, slots=True)
class Stock:
    """Buildings that use water, power and streets.

    ``ids`` has n entries; ``xy`` (n, 2) metres, a point inside the footprint; ``floor_m2`` (n, u)
    net floor area by use in the order of :data:`~ingest.sample.factors.USES`; ``names`` as on the map.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    xy: FloatArray
    floor_m2: FloatArray

    @property
    def persons(self) -> FloatArray:
        """People by building and use, shape (n, u): design occupancy (factors ``cea-occ-*``)."""
        per_person = np.array([factor(f"cea-occ-{use}") for use in USES], dtype=np.float64)
        return np.asarray(self.floor_m2 / per_person, dtype=np.float64)


def build_stock(objects: Iterable[CityObject], seed: int) -> Stock:
    """Gather the buildings, largest footprints and small ones alike, in order of their ids."""
    ids, names, places, floors = [], [], [], []
    for item in sorted(objects, key=lambda one: one.id):
        if item.type != "Building" or item.place is None or item.place.area < FOOTPRINT_M2_MIN:
            continue
        function = _text(item, "function").lower()
        if function in _NO_USE:
            continue
        gross = float(item.place.area) * storeys_of(item)
        ids.append(item.id)
        names.append(_text(item, "name") or _text(item, "address"))
        places.append(shapely.point_on_surface(item.place))
        floors.append(gross * NET_TO_GROSS * use_shares(item.id, function, storeys_of(item), seed))
    xy = shapely.get_coordinates(places).reshape(-1, 2)
    return Stock(tuple(ids), tuple(names), xy, np.array(floors, dtype=np.float64).reshape(-1, len(USES)))


def name_by_street(stock: Stock, skeleton: Skeleton) -> Stock:
    """Give buildings without a name or address the name of the nearest named street."""
    named = [link for link in skeleton.links if link.name]
    if not named or not stock.ids:
        return stock
    lines = shapely.STRtree([shapely.LineString(link.line) for link in named])
    nearest = lines.nearest(shapely.points(stock.xy)).tolist()
    names = tuple(name or named[row].name for name, row in zip(stock.names, nearest, strict=True))
    return replace(stock, names=names)


def storeys_of(item: CityObject) -> float:
    """Return the storeys above ground: as known, else from the height, else one."""
    for name, metres in (("storeys_above_ground", 1.0), ("height_m", STOREY_HEIGHT_M)):
        attribute = item.attributes.get(name)
        if attribute is not None and isinstance(attribute.value, int | float):
            return max(1.0, float(attribute.value) / metres)
    return 1.0


def use_shares(identifier: str, function: str, storeys: float, seed: int) -> FloatArray:
    """Return the share of each use in a building's floor area, summing to one, shape (u,)."""
    shares = np.zeros(len(USES))
    known = _USE_OF.get(function)
    if known is not None:
        shares[USES.index(known)] = 1.0
        return shares
    ground = min(0.5, 1.0 / storeys)
    shares[USES.index("retail")] = 0.8 * ground
    shares[USES.index("restaurant")] = 0.2 * ground
    above = "office" if chance(identifier, seed) < OFFICE_SHARE else "multi_res"
    shares[USES.index(above)] += 1.0 - ground
    return shares


def chance(identifier: str, seed: int) -> float:
    """Return a number in [0, 1) that depends on an id and the seed only."""
    digest = hashlib.blake2b(f"{seed}/{identifier}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64


def _text(item: CityObject, name: str) -> str:
    attribute = item.attributes.get(name)
    return attribute.value if attribute is not None and isinstance(attribute.value, str) else ""
