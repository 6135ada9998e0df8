"""What part of a topic a client wants: a place, datastreams, observed properties.

Members that are given are combined by *and*.  Two filters that mean the same have the same key, so
that their clients share one encoding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from cim.errors import InvalidInput, LimitExceeded
from cim.live.limits import LiveLimits

_MEMBERS = frozenset({"bbox", "datastreams", "observed_property"})


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """What a filter may ask of a subject; ``lon``, ``lat`` are degrees (WGS 84)."""

    lon: float
    lat: float
    observed_property: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as it was understood; ``bbox`` is west, south, east, north in degrees.

    A box whose west lies east of its east crosses the antimeridian.
    """

    key: str = ""
    bbox: tuple[float, float, float, float] | None = None
    datastreams: frozenset[str] | None = None
    observed_properties: frozenset[str] | None = None

    @property
    def lets_all_through(self) -> bool:
        """Whether nothing was asked for."""
        return not self.key

    def matches(self, subject: str, facts: SubjectFacts | None) -> bool:
        """Tell whether a subject passes; one without facts fails whatever asks for facts."""
        if self.datastreams is not None and subject not in self.datastreams:
            return False
        if self.observed_properties is None and self.bbox is None:
            return True
        if facts is None:
            return False
        if self.observed_properties is not None and facts.observed_property not in self.observed_properties:
            return False
        return self.bbox is None or _inside(self.bbox, facts)


EVERYTHING = Filter()


def _inside(bbox: tuple[float, float, float, float], facts: SubjectFacts) -> bool:
    west, south, east, north = bbox
    if not south <= facts.lat <= north:
        return False
    if west <= east:
        return west <= facts.lon <= east
    return facts.lon >= west or facts.lon <= east


def read_filter(raw: object, limits: LiveLimits) -> Filter:
    """Read the ``filter`` member of a subscription.

    Raises :class:`InvalidInput` (``live-filter``) or :class:`LimitExceeded`.
    """
    if raw is None:
        return EVERYTHING
    if not isinstance(raw, Mapping):
        raise _refused("filter")
    unknown = set(raw) - _MEMBERS
    if unknown:
        raise _refused(str(min(unknown))[:40])
    bbox = _read_bbox(raw["bbox"]) if "bbox" in raw else None
    datastreams = _read_names(raw, "datastreams", "filter_datastreams_max", limits.filter_datastreams_max, limits)
    properties = _read_names(raw, "observed_property", "filter_properties_max", limits.filter_properties_max, limits)
    return make_filter(bbox=bbox, datastreams=datastreams, observed_properties=properties)


def make_filter(
    *,
    bbox: tuple[float, float, float, float] | None = None,
    datastreams: frozenset[str] | None = None,
    observed_properties: frozenset[str] | None = None,
) -> Filter:
    """Return the filter with its canonical key."""
    said: dict[str, object] = {}
    if bbox is not None:
        said["bbox"] = bbox
    if datastreams is not None:
        said["datastreams"] = sorted(datastreams)
    if observed_properties is not None:
        said["observed_property"] = sorted(observed_properties)
    key = orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode("utf-8") if said else ""
    return Filter(key, bbox, datastreams, observed_properties)


def _read_bbox(raw: object) -> tuple[float, float, float, float]:
    if not isinstance(raw, list) or len(raw) != 4:
        raise _refused("bbox")
    numbers: list[float] = []
    for number in raw:
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise _refused("bbox")
        numbers.append(float(number) + 0.0)  # adding 0.0 makes -0.0 and 0.0 one key
    west, south, east, north = numbers
    if not (-180.0 <= west <= 180.0 and -180.0 <= east <= 180.0 and -90.0 <= south <= north <= 90.0):
        raise _refused("bbox")
    return west, south, east, north


def _read_names(
    raw: Mapping[str, object], member: str, limit: str, count_max: int, limits: LiveLimits
) -> frozenset[str] | None:
    if member not in raw:
        return None
    names = raw[member]
    if isinstance(names, str) and member == "observed_property":
        names = [names]
    if not isinstance(names, list):
        raise _refused(member)
    if len(names) > count_max:
        raise LimitExceeded(
            f"A filter may name at most {count_max} in {member}.",
            hint="Subscribe to a bbox instead.",
            limit=limit,
            value=count_max,
        )
    if not all(isinstance(name, str) and 0 < len(name) <= limits.text_length_max for name in names):
        raise _refused(member)
    return frozenset(names)


def _refused(member: str) -> InvalidInput:
    return InvalidInput(
        "That filter cannot be used; see the member named.",
        hint='A filter is {"bbox":[west,south,east,north]}, {"datastreams":[…]} or {"observed_property":[…]}.',
        code="live-filter",
        member=member,
    )
