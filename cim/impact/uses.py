"""Uses of floors, as the edits of a scheme name them, and how a source's words map to them; pure."""

from __future__ import annotations

from typing import Final

USES: Final = (
    "residential",
    "office",
    "retail",
    "hotel",
    "school",
    "kindergarten",
    "hospital",
    "culture",
    "sport",
    "industry",
    "parking",
    "other",
)
"""Uses that a storey may have; closed list."""

UNKNOWN: Final = "unknown"
"""The use of a building of which the source says only that it is one."""

FLOOR_USES: Final = (*USES, UNKNOWN)

_WORDS: Final = {
    "residential": "apartments residential house detached semidetached_house terrace dormitory bungalow cabin farm "
    "houseboat static_caravan hut housing flats",
    "office": "office offices commercial government civic public administration townhall fire_station police bank",
    "retail": "retail supermarket shop kiosk mall market restaurant pavilion department_store",
    "hotel": "hotel hostel motel guest_house",
    "school": "school university college education",
    "kindergarten": "kindergarten nursery preschool",
    "hospital": "hospital clinic health healthcare",
    "culture": "church cathedral chapel mosque temple synagogue shrine monastery museum library theatre cinema culture "
    "religious castle palace arts_centre",
    "sport": "sport sports stadium sports_centre sports_hall grandstand swimming_pool riding_hall",
    "industry": "industry industrial warehouse manufacture factory hangar workshop",
    "parking": "parking garage garages carport",
    "other": "shed service utility transformer_tower train_station transportation greenhouse glasshouse barn stable "
    "toilets boathouse bunker silo storage_tank water_tower other",
}
USE_OF: Final = {word: use for use, words in _WORDS.items() for word in words.split()}

HIGHER_EDUCATION: Final = frozenset({"university", "college"})
"""Schools whose floors are no places for pupils."""

OPEN_STRUCTURES: Final = frozenset(
    {"roof", "ship", "entrance", "underpass_entrance", "bandstand", "ruins", "atrium", "construction", "bridge"}
)
"""What is mapped as a building and has no floor area of its own."""

GREEN_WORDS: Final = frozenset(
    {
        "park", "garden", "grass", "meadow", "village_green", "recreation_ground", "cemetery", "grave_yard",
        "allotments", "flowerbed", "orchard", "forest", "wood", "scrub", "heath", "grassland", "wetland",
        "shrubbery", "greenery", "nature_reserve", "dog_park", "common", "golf_course", "fell", "tundra",
        "vineyard", "plant_nursery", "farmland", "green",
    }
)  # fmt: skip
"""Functions of green land; a row of trees is a line and has no area."""

PARK_WORDS: Final = frozenset(
    {
        "park", "garden", "village_green", "recreation_ground", "nature_reserve", "dog_park", "common", "forest",
        "wood",
    }
)  # fmt: skip
"""Green land that anybody may walk on: public open space."""

SCHOOL_WORDS: Final = frozenset({"school", "primary_school", "secondary_school"})

GREEN_LAND_USES: Final = frozenset({"park", "green", "green_space", "open_space"})
"""Land uses of a parcel that are green; the national classification's are those that begin with 14."""


def floor_use(function: str) -> str:
    """Return the use that a source's word for a building means; ``unknown`` for none or one without meaning."""
    return USE_OF.get(function.strip().lower(), UNKNOWN)


def is_green_land_use(code: str) -> bool:
    """Tell whether a parcel's planned use is green space: class 14 of the national classification, or a word for it."""
    return code.startswith("14") or code.strip().lower() in GREEN_LAND_USES
