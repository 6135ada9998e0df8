"""Height and crown of a tree in OpenStreetMap, recorded or modelled; pure."""

from __future__ import annotations

from typing import Final

from cim.city.model import Attribute
from cim.findings import Quality
from ingest.readers.osm_tags import Tags, length_m

BROADLEAVED_HEIGHT_M: Final = 9.0
NEEDLELEAVED_HEIGHT_M: Final = 12.0
HEIGHT_RANGE_M: Final = (4.0, 20.0)
CROWN_SHARE_BROADLEAVED: Final = 0.6
CROWN_SHARE_NEEDLELEAVED: Final = 0.35
CROWN_SPREAD: Final = 0.5
METHOD_HEIGHT: Final = "typical height of a street tree of this leaf type"
METHOD_CROWN: Final = "share of the height, by leaf type"


def tree_attributes(tags: Tags) -> dict[str, Attribute]:
    """Return ``height_m`` and ``crown_diameter_m``, metres."""
    needles = tags.get("leaf_type") == "needleleaved" or tags.get("type") == "conifer"
    tagged = length_m(tags.get("height"))
    if tagged is not None:
        height = Attribute(tagged, "m")
    else:
        typical = NEEDLELEAVED_HEIGHT_M if needles else BROADLEAVED_HEIGHT_M
        height = Attribute(typical, "m", Quality.MODELLED, HEIGHT_RANGE_M, METHOD_HEIGHT)
    crown = length_m(tags.get("diameter_crown"))
    if crown is not None:
        return {"height_m": height, "crown_diameter_m": Attribute(crown, "m")}
    assert isinstance(height.value, float)
    share = CROWN_SHARE_NEEDLELEAVED if needles else CROWN_SHARE_BROADLEAVED
    width = round(height.value * share, 2)
    interval = (round(width * (1 - CROWN_SPREAD), 2), round(width * (1 + CROWN_SPREAD), 2))
    return {"height_m": height, "crown_diameter_m": Attribute(width, "m", Quality.MODELLED, interval, METHOD_CROWN)}
