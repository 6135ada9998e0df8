"""What a building says of who it is: its names, the ids that it says it has elsewhere, its parcel (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from cim.city.matching import Footprints

MEANT_ATTRIBUTE: Final = "same_as"
"""The attribute, of either side, that holds the id or native id of the same building in another source."""

PARCEL_ATTRIBUTES: Final = ("parcel_id", "parcelid", "pid_long", "parcel")
"""Names, in lower case, under which sources give the parcel that a building stands on; the first that is there counts.
A declared field mapping brings others under ``parcel_id``."""

_PARCEL_MARKS: Final = ("parcel", "pid_long")


def native_id(identifier: str) -> str:
    """Return the id that an object has in its own source."""
    return identifier.partition(":")[2]


def meant_by(facts: Mapping[str, Mapping[str, Any]], attribute: str) -> tuple[str, ...]:
    """Return the ids that a building says it has elsewhere: a text, or a list of them."""
    value = facts.get(attribute, {}).get("v")
    values = value if isinstance(value, list) else [value]
    return tuple(str(one).strip() for one in values if isinstance(one, str | int) and str(one).strip())


def parcel_of(facts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the parcel of a building, ``""`` for none; zeros in front of a number are one source's habit."""
    lower = {name.lower(): name for name in facts}
    for attribute in PARCEL_ATTRIBUTES:
        value = facts[lower[attribute]].get("v") if attribute in lower else None
        if isinstance(value, str | int) and not isinstance(value, bool) and (text := str(value).strip()):
            return (text.lstrip("0") or "0") if text.isdigit() else text
    return ""


def footprints(
    ids: Sequence[str],
    texts: Sequence[str],
    places: NDArray[np.object_],
    names: Sequence[Sequence[str]],
    attribute: str = MEANT_ATTRIBUTE,
) -> Footprints:
    """Return buildings ready to be matched; ``texts`` are their attributes as JSON.

    Most buildings say nothing of elsewhere: only the JSON of those that do is read.
    """
    meant: list[tuple[str, ...]] = []
    parcels: list[str] = []
    for text in texts:
        lower = text.lower()
        if f'"{attribute.lower()}"' in lower or any(mark in lower for mark in _PARCEL_MARKS):
            facts = orjson.loads(text)
            meant.append(meant_by(facts, attribute))
            parcels.append(parcel_of(facts))
        else:
            meant.append(())
            parcels.append("")
    return Footprints(ids, places, names, meant, parcels)
