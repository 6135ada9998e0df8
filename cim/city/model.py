"""City objects: what the city is made of.

Types are those of CityJSON 2.0 (OGC 20-072r5) section 3: ``Building``, ``BuildingPart``, ``Road``,
``WaterBody``, ``PlantCover``, ``SolitaryVegetationObject``, ``LandUse``, ``TransportSquare``,
``Railway`` …; what the standard has no word for carries the extension mark ``+`` (``+TransitStop``,
``+District``, ``+Parcel``, ``+Coverage``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.errors import InvalidInput
from cim.findings import Quality
from cim.geometry.surfaces import Geometry, bounds_of

AttributeValue = str | int | float | bool | None | list[object] | dict[str, object]

COORDINATE_M_MAX: Final = 1e8
"""No place on Earth has a projected coordinate beyond this, metres: larger ones are damage."""

HEIGHT_M_MAX: Final = 12_000.0
"""Above every mountain and every building, metres over any vertical datum."""

RING_VERTICES_MIN: Final = 3
LINE_VERTICES_MIN: Final = 2

VERTICES_MAX: Final = 2_000_000
"""Vertices that one geometry may have."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A fact about an object.

    ``unit`` is a UCUM code or ``None``; ``interval`` the 90 % interval of a modelled value;
    ``source`` the dataset it comes from (``""``: the object's own); ``method`` names how a modelled
    value was made.
    """

    value: AttributeValue
    unit: str | None = None
    quality: Quality = Quality.RECORDED
    interval: tuple[float, float] | None = None
    method: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class CityObject:
    """One version of one thing in the city.

    ``place`` is its position on the map in the working CRS, metres: a footprint, an axis or a point.
    ``geometries`` are its 3D geometries, several levels of detail allowed; an object may have only
    a place.  Well-known attributes have fixed names: ``height_m``, ``ground_m``,
    ``storeys_above_ground``, ``year_of_construction``, ``function``, ``name``, ``address``,
    ``roof_type``, ``roof_height_m``, ``min_height_m``; a source's others keep the source's own names.
    """

    id: str
    type: str
    place: shapely.Geometry | None = None
    geometries: tuple[Geometry, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    parent_id: str | None = None

    @property
    def dataset(self) -> str:
        """The slug before the colon of the id."""
        return self.id.partition(":")[0]


class FirstView(NamedTuple):
    """A look at the city: the place in the middle (degrees, CRS84), Web Mercator zoom, tilt and turn in degrees."""

    longitude: float
    latitude: float
    zoom: float
    pitch_deg: float
    bearing_deg: float


@dataclass(frozen=True, slots=True)
class CityFrame:
    """The one CRS, datum and ground of a city; fixed by its first ingest."""

    slug: str
    title_en: str
    title_zh: str
    crs: str
    vertical_datum: str | None
    ground: str
    """``flat``: heights are above an even ground at 0 m; ``interpolated``: a surface through the
    buildings' ground surfaces; ``terrain``: the reliefs that the city has."""
    time_zone: str
    first_view: FirstView | None = None
    """Where the city is first looked at from; ``None`` leaves it to the viewer."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A feature that was kept out, and why."""

    feature: str
    code: str
    reason: str


def suspects(objects: Sequence[CityObject]) -> NDArray[np.int64]:
    """Return the rows of the objects that :func:`check_object` may refuse, in one pass over all.

    Every object that it would refuse is among them; looking at those alone is the same and much faster.
    """
    geometries = [geometry for city_object in objects for geometry in city_object.geometries]
    owner = np.repeat(np.arange(len(objects)), [len(o.geometries) for o in objects])
    bad = np.zeros(len(objects), dtype=bool)
    if geometries:
        boxes = bounds_of(geometries)
        flat, high = boxes[:, [0, 1, 3, 4]], boxes[:, [2, 5]]
        # A NaN fails every comparison, so these tests find it too.
        sound = (np.abs(flat) < COORDINATE_M_MAX).all(axis=1) & (np.abs(high) < HEIGHT_M_MAX).all(axis=1)
        bad[owner[~sound]] = True
        bad[owner[[_has_odd_sizes(geometry) for geometry in geometries]]] = True
    places = np.array([city_object.place for city_object in objects], dtype=object)
    placed = ~shapely.is_missing(places)
    bounds = shapely.bounds(places).reshape(-1, 4)
    bad |= placed & ~(np.abs(bounds) < COORDINATE_M_MAX).all(axis=1)
    return np.flatnonzero(bad)


def _has_odd_sizes(geometry: Geometry) -> bool:
    ends = geometry.ring_ends
    if len(geometry.coordinates) > VERTICES_MAX or not len(ends):
        return len(geometry.coordinates) > VERTICES_MAX
    least = RING_VERTICES_MIN if geometry.surface_count else LINE_VERTICES_MIN
    return int(ends[0]) < least or bool((ends[1:] - ends[:-1] < least).any())


def check_object(city_object: CityObject) -> None:
    """Refuse what would poison the city: NaN, infinite or absurd coordinates, empty or huge geometry.

    Raises :class:`InvalidInput` with the code that goes into quarantine.
    """
    for geometry in city_object.geometries:
        _check_geometry(geometry)
    place = city_object.place
    if place is None:
        return
    if place.is_empty:
        raise InvalidInput("The footprint is empty.", code="geometry-empty")
    xmin, ymin, xmax, ymax = place.bounds
    if not all(abs(value) < COORDINATE_M_MAX for value in (xmin, ymin, xmax, ymax)):
        raise InvalidInput("A coordinate is not a place on Earth.", code="coordinate-absurd")


def _check_geometry(geometry: Geometry) -> None:
    count = len(geometry.coordinates)
    if count == 0:
        raise InvalidInput("A geometry has no vertices.", code="geometry-empty")
    if count > VERTICES_MAX:
        raise InvalidInput(
            f"A geometry has {count:,} vertices; {VERTICES_MAX:,} are allowed.",
            code="vertices-max",
            count=count,
            limit=VERTICES_MAX,
        )
    sizes = np.diff(geometry.ring_ends, prepend=0)
    least = RING_VERTICES_MIN if geometry.surface_count else LINE_VERTICES_MIN
    if len(sizes) and int(sizes.min()) < least:
        raise InvalidInput("A ring or a line has too few vertices.", code="ring-too-short")
    low = geometry.coordinates.min(axis=0)
    high = geometry.coordinates.max(axis=0)
    bounds = (*low.tolist(), *high.tolist())
    # A NaN fails every comparison, so these tests refuse it too.
    if not all(abs(value) < COORDINATE_M_MAX for value in (bounds[0], bounds[1], bounds[3], bounds[4])):
        raise InvalidInput("A coordinate is not a place on Earth.", code="coordinate-absurd")
    if not all(abs(value) < HEIGHT_M_MAX for value in (bounds[2], bounds[5])):
        raise InvalidInput("A height is beyond any on Earth.", code="height-absurd")
