"""The massing library: building forms made from a few numbers, for the first hour of a scheme.

A form becomes volumes: prisms that stand on the ground side by side and never inside each other, so
that floor areas add up exactly.  A tower on a podium is therefore a podium with a hole and a tower in it.

Forms of a fixed shape (slab, tower, L, U, courtyard, podium and tower, row houses) stand with the middle
of their plan on ``anchor``, turned by ``bearing_deg``; a perimeter block follows the border of the site
it is given.  Lengths are metres in the working CRS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import shapely
from shapely import affinity

from cim.errors import InvalidInput, NotFound

Storeys = tuple[tuple[float, str], ...]

STOREY_M: Final = 3.2
"""Floor to floor of homes and offices above the ground floor, metres (as ``ingest/sample``)."""
GROUND_STOREY_M: Final = 4.5
"""Floor to floor of a ground floor with shops, metres: usual clear height 3.5 to 4 m and the floor above."""
GAP_M: Final = 6.0
"""Opening that lets people and fire engines into a closed courtyard, metres: a 4 m lane and its margins."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of a form, with its bounds; ``unit`` is a UCUM code, ``"1"`` for counts."""

    name: str
    unit: str
    default: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Volume:
    """A prism: plan (counter-clockwise, working CRS), storeys from below, and the roof's word."""

    footprint: shapely.Polygon
    storeys: Storeys
    roof: str = "flat"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a form stands: the middle of its plan, how it is turned, clockwise from north; or its site."""

    anchor: tuple[float, float]
    bearing_deg: float = 0.0
    site: shapely.Polygon | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the library: id, names, numbers, whether it wants a site, and how it is made."""

    id: str
    title_en: str
    title_zh: str
    parameters: tuple[Parameter, ...]
    needs_site: bool
    make: Callable[[Mapping[str, float], Place, str], list[Volume]]


def _length(name: str, default: float, minimum: float, maximum: float) -> Parameter:
    return Parameter(name, "m", default, minimum, maximum)


def _count(name: str, default: int, maximum: int) -> Parameter:
    return Parameter(name, "1", default, 1, maximum)


def stack(count: float, use: str, *, shops: bool = False) -> Storeys:
    """Return ``count`` storeys of a use; with ``shops`` the lowest is a taller one of shops."""
    above = ((STOREY_M, use),) * int(count)
    return ((GROUND_STOREY_M, "retail"), *above[1:]) if shops and above else above


def build_massing(form_id: str, numbers: Mapping[str, float], place: Place, use: str) -> list[Volume]:
    """Return the volumes of a form; numbers that are not given take their defaults.

    Raises :class:`NotFound` (``massing``) for an unknown form and :class:`InvalidInput` for a number
    that the form has not (``massing-parameter``), one out of bounds (``massing-bounds``), a missing
    site (``massing-site``), or numbers that leave nothing to build (``massing-empty``).
    """
    form = FORMS.get(form_id)
    if form is None:
        raise NotFound("The massing library has no such form.", code="massing", form=form_id)
    if form.needs_site and place.site is None:
        raise InvalidInput("This form follows the border of a site: give a parcel or draw one.", code="massing-site")
    volumes = [volume for volume in form.make(_checked(form, numbers), place, use) if volume.footprint.area > 1.0]
    if not volumes:
        raise InvalidInput("These numbers leave nothing to build.", code="massing-empty", form=form_id)
    return volumes


def _checked(form: Form, numbers: Mapping[str, float]) -> dict[str, float]:
    known = {parameter.name: parameter for parameter in form.parameters}
    result = {name: parameter.default for name, parameter in known.items()}
    for name, value in numbers.items():
        parameter = known.get(name)
        if parameter is None:
            raise InvalidInput("The form has no such number.", code="massing-parameter", form=form.id, parameter=name)
        # A NaN fails this comparison too.
        if not parameter.minimum <= value <= parameter.maximum:
            raise InvalidInput(
                "A number of the form is out of its bounds.",
                code="massing-bounds",
                form=form.id,
                parameter=name,
                minimum=parameter.minimum,
                maximum=parameter.maximum,
            )
        result[name] = float(value)
    return result


def _plan(shape: shapely.Geometry, place: Place) -> list[shapely.Polygon]:
    """Turn and move a plan drawn about the origin, x to the east and y to the north."""
    turned = affinity.rotate(shape, -place.bearing_deg, origin=(0.0, 0.0))
    return polygons_of(affinity.translate(turned, *place.anchor))


def polygons_of(shape: shapely.Geometry) -> list[shapely.Polygon]:
    """Return the polygons of a shape, counter-clockwise, without lines and points."""
    parts = shapely.get_parts(shapely.normalize(shape))
    return [shapely.orient_polygons(part) for part in parts if part.geom_type == "Polygon"]


def _block(width_m: float, depth_m: float) -> shapely.Polygon:
    return shapely.box(-width_m / 2, -depth_m / 2, width_m / 2, depth_m / 2)


def _prisms(shapes: Sequence[shapely.Polygon], storeys: Storeys, roof: str = "flat") -> list[Volume]:
    return [Volume(shape, storeys, roof) for shape in shapes]


def _slab(n: Mapping[str, float], place: Place, use: str) -> list[Volume]:
    return _prisms(_plan(_block(n["length_m"], n["depth_m"]), place), stack(n["storeys"], use))


def _tower(n: Mapping[str, float], place: Place, use: str) -> list[Volume]:
    return _prisms(_plan(_block(n["width_m"], n["depth_m"]), place), stack(n["storeys"], use))


def _l_shape(n: Mapping[str, float], place: Place, use: str) -> list[Volume]:
    outer = _block(n["length_m"], n["width_m"])
    notch = affinity.translate(outer, n["depth_m"], n["depth_m"])
    return _prisms(_plan(outer - notch, place), stack(n["storeys"], use))


def _u_shape(n: Mapping[str, float], place: Place, use: str) -> list[Volume]:
    outer = _block(n["length_m"], n["width_m"])
    court = affinity.translate(_block(n["length_m"] - 2 * n["depth_m"], n["width_m"]), 0.0, n["depth_m"])
    return _prisms(_plan(outer - court, place), stack(n["storeys"], use))


def _courtyard(n: Mapping[str, float], place: Place, use: str) -> list[Volume]:
    outer = _block(n["length_m"], n["width_m"])
    ring = outer - _block(n["length_m"] - 2 * n["depth_m"], n["width_m"] - 2 * n["depth_m"])
    way_in = shapely.box(-GAP_M / 2, -n["width_m"], GAP_M / 2, 0.0)
    return _prisms(_plan(ring - way_in, place), stack(n["storeys"], use, shops=True))


def _podium_tower(n: Mapping[str, float], place: Place, use: str) -> list[Volume]:
    podium = _block(n["length_m"], n["width_m"])
    tower = _block(min(n["tower_m"], n["length_m"] - 4), min(n["tower_m"], n["width_m"] - 4))
    low = ((GROUND_STOREY_M, "retail"),) * int(n["podium_storeys"])
    return [
        *_prisms(_plan(podium - tower, place), low),
        *_prisms(_plan(tower, place), (*low, *stack(n["storeys"], use))),
    ]


def _row_houses(n: Mapping[str, float], place: Place, use: str) -> list[Volume]:
    count, width = int(n["houses"]), n["width_m"]
    first = -width * count / 2
    half = n["depth_m"] / 2
    houses = [shapely.box(first + i * width, -half, first + (i + 1) * width, half) for i in range(count)]
    return [volume for house in houses for volume in _prisms(_plan(house, place), stack(n["storeys"], use), "gabled")]


def _perimeter(n: Mapping[str, float], place: Place, use: str) -> list[Volume]:
    assert place.site is not None  # build_massing has refused a missing site
    outer = shapely.buffer(place.site, -n["setback_m"], join_style="mitre")
    ring = outer - shapely.buffer(outer, -n["depth_m"], join_style="mitre")
    low_x, low_y, high_x, _ = ring.bounds if not ring.is_empty else (0.0, 0.0, 0.0, 0.0)
    middle = (low_x + high_x) / 2
    centre_y = outer.centroid.y if not outer.is_empty else 0.0
    way_in = shapely.box(middle - GAP_M / 2, low_y - 1.0, middle + GAP_M / 2, centre_y)
    return _prisms(polygons_of(ring - way_in), stack(n["storeys"], use, shops=True))


FORMS: Final[Mapping[str, Form]] = {
    form.id: form
    for form in (
        Form(
            "slab", "Slab", "板式",
            (_length("length_m", 48, 10, 120), _length("depth_m", 13, 6, 30), _count("storeys", 6, 60)),
            False, _slab,
        ),
        Form(
            "tower", "Tower", "塔式",
            (_length("width_m", 24, 10, 60), _length("depth_m", 24, 10, 60), _count("storeys", 18, 120)),
            False, _tower,
        ),
        Form(
            "courtyard", "Courtyard block", "围合院落",
            (_length("length_m", 54, 30, 150), _length("width_m", 48, 30, 150), _length("depth_m", 12, 6, 20),
             _count("storeys", 6, 20)),
            False, _courtyard,
        ),
        Form(
            "perimeter", "Perimeter block on the parcel", "沿街周边式",
            (_length("setback_m", 3, 0, 30), _length("depth_m", 13, 6, 25), _count("storeys", 6, 20)),
            True, _perimeter,
        ),
        Form(
            "podium-tower", "Tower on a podium", "裙房塔楼",
            (_length("length_m", 54, 20, 150), _length("width_m", 36, 20, 150), _length("tower_m", 24, 12, 60),
             _count("podium_storeys", 2, 6), _count("storeys", 16, 120)),
            False, _podium_tower,
        ),
        Form(
            "l-shape", "L-shaped block", "L 形",
            (_length("length_m", 48, 15, 120), _length("width_m", 36, 15, 120), _length("depth_m", 13, 6, 25),
             _count("storeys", 6, 40)),
            False, _l_shape,
        ),
        Form(
            "u-shape", "U-shaped block", "U 形",
            (_length("length_m", 54, 24, 120), _length("width_m", 36, 15, 120), _length("depth_m", 12, 6, 20),
             _count("storeys", 6, 40)),
            False, _u_shape,
        ),
        Form(
            "row-houses", "Row houses", "联排住宅",
            (_count("houses", 8, 40), _length("width_m", 6.5, 4, 12), _length("depth_m", 11, 6, 20),
             _count("storeys", 3, 5)),
            False, _row_houses,
        ),
    )
}  # fmt: skip
"""The library by id, in the order in which it is shown."""
