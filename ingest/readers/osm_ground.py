"""What an OpenStreetMap feature is in the city: CityJSON type, function, and kind of ground; pure.

Keys and values are those of https://wiki.openstreetmap.org/wiki/Map_features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingest.readers.osm_tags import Tags, is_below_ground

ROAD_MOTORWAY: Final = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
ROAD_ARTERIAL: Final = frozenset(
    {"primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link"}
)
ROAD_STREET: Final = frozenset({"unclassified", "residential", "living_street", "service", "road", "busway"})
ROAD_PATH: Final = frozenset(
    {"footway", "path", "cycleway", "steps", "pedestrian", "track", "bridleway", "trail", "crossing"}
)
RAILS: Final = frozenset({"rail", "tram", "light_rail", "subway", "narrow_gauge", "monorail", "funicular"})

AREA_KEYS: Final = (
    "building",
    "building:part",
    "landuse",
    "natural",
    "leisure",
    "amenity",
    "highway",
    "place",
    "railway",
    "public_transport",
    "waterway",
    "man_made",
    "area:highway",
)
"""A polygon without any of these is not read."""

_WATER: Final = {
    "natural": {"water", "bay"},
    "landuse": {"basin", "reservoir", "pond"},
    "waterway": {"riverbank", "dock"},
    "leisure": {"swimming_pool"},
}
_FOREST: Final = {"landuse": {"forest"}, "natural": {"wood"}}
_PITCH: Final = {"leisure": {"pitch", "track", "playground", "sports_centre", "stadium"}}
_GREEN: Final = {
    "landuse": {
        "grass", "meadow", "village_green", "recreation_ground", "cemetery", "allotments", "flowerbed", "orchard",
        "farmland", "vineyard", "plant_nursery", "greenfield", "greenery",
    },
    "leisure": {"park", "garden", "golf_course", "nature_reserve", "dog_park", "common"},
    "natural": {"scrub", "heath", "grassland", "wetland", "shrubbery", "fell", "tundra"},
    "amenity": {"grave_yard"},
}  # fmt: skip
_PARKING: Final = {"amenity": {"parking", "bicycle_parking", "motorcycle_parking"}, "landuse": {"parking"}}
_PLAZA: Final = {
    "highway": {"pedestrian", "footway", "platform", "path", "cycleway", "crossing", "living_street"},
    "place": {"square"},
    "amenity": {"marketplace"},
    "railway": {"platform"},
    "public_transport": {"platform"},
    "man_made": {"pier", "bridge", "breakwater", "quay"},
}
_PAVED: Final = {"highway": {"service", "residential", "unclassified", "services"}}
_LAND: Final = {"natural": {"bare_rock", "scree", "shingle", "sand", "beach", "rock"}}

_RULES: Final = (
    ("water", "WaterBody", _WATER),
    ("forest", "PlantCover", _FOREST),
    ("pitch", "LandUse", _PITCH),
    ("parking", "TransportSquare", _PARKING),
    ("plaza", "TransportSquare", _PLAZA),
    ("parking", "TransportSquare", _PAVED),
    ("green", "PlantCover", _GREEN),
    ("land", "LandUse", _LAND),
)
_LANDUSE_KEYS: Final = ("landuse", "amenity", "leisure", "place", "natural")
_NO_LAND: Final = frozenset({"tree", "tree_row", "cliff", "coastline", "peninsula", "strait", "city", "suburb", "bay"})
_FURNITURE: Final = frozenset(
    {
        "bench", "waste_basket", "vending_machine", "post_box", "bicycle_parking", "waste_disposal", "recycling",
        "clock", "fountain", "hunting_stand", "shelter", "telephone", "atm", "drinking_water", "life_ring",
        "motorcycle_parking", "parking_space", "parking_entrance", "lounger", "table", "grit_bin", "disused_parking",
    }
)  # fmt: skip
_STOPS: Final = (
    ("railway", {"tram_stop", "station", "halt", "subway_entrance"}),
    ("highway", {"bus_stop"}),
    ("amenity", {"ferry_terminal", "bus_station"}),
    ("public_transport", {"platform", "station"}),
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a feature is: ``ground_kind`` is ``None`` where it is no part of the ground's picture."""

    type: str
    function: str
    ground_kind: str | None = None


def area_meaning(tags: Tags, *, from_way: bool) -> Meaning | None:
    """Return what a polygon is, ``None`` for what the city has no use for (a loop road, a fence)."""
    if _is_loop(tags, from_way=from_way):
        return None
    below = is_below_ground(tags)
    for ground_kind, type_, rule in _RULES:
        for key, values in rule.items():
            value = tags.get(key)
            if value in values:
                return Meaning(type_, value, None if below else ground_kind)
    for key in _LANDUSE_KEYS:
        value = tags.get(key)
        if value is not None and value not in _NO_LAND and value not in _FURNITURE:
            return Meaning("LandUse", value)
    return None


def _is_loop(tags: Tags, *, from_way: bool) -> bool:
    """Closed ways of these keys are lines unless they say that they are areas."""
    if not from_way or tags.get("area") == "yes":
        return False
    if tags.get("highway", "platform") != "platform":
        return True
    return tags.get("railway") in RAILS or "barrier" in tags


def line_meaning(tags: Tags, *, closed: bool) -> Meaning | None:
    """Return what a line is: Road, Railway, Waterway; ``None`` for others."""
    below = is_below_ground(tags)
    highway = tags.get("highway")
    if highway is not None and not (closed and tags.get("area") == "yes"):
        kind = road_kind(highway)
        if kind is not None:
            return Meaning("Road", highway, None if below else kind)
    railway = tags.get("railway")
    if railway in RAILS:
        return Meaning("Railway", railway, None if below or railway == "subway" else "rail")
    waterway = tags.get("waterway")
    if waterway in {"river", "stream", "canal", "drain", "ditch"}:
        return Meaning("Waterway", waterway)
    if tags.get("natural") == "tree_row":
        return Meaning("PlantCover", "tree_row")
    return None


def road_kind(highway: str) -> str | None:
    """Return the kind of ground that a class of road is painted as."""
    for kind, values in (
        ("road_motorway", ROAD_MOTORWAY),
        ("road_arterial", ROAD_ARTERIAL),
        ("road_street", ROAD_STREET),
        ("road_path", ROAD_PATH),
    ):
        if highway in values:
            return kind
    return None


def point_meaning(tags: Tags) -> Meaning | None:
    """Return what a point is: a tree, a stop, a school or another amenity."""
    if tags.get("natural") == "tree":
        return Meaning("SolitaryVegetationObject", "tree")
    for key, values in _STOPS:
        value = tags.get(key)
        if value in values:
            return Meaning("+TransitStop", value)
    amenity = tags.get("amenity")
    if amenity is not None and amenity not in _FURNITURE and not amenity.startswith(("parking", "disused")):
        return Meaning("+Amenity", amenity)
    return None
