"""Features of the city and of its schemes, put together."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from cim.city.service import CityService
from cim.errors import NotFound
from cim.features.baseline import BaselineFeatures
from cim.features.model import FeatureSource
from cim.features.scheme import SchemeFeatures
from cim.features.service import FeatureService
from cim.networks.model import Network
from cim.ports import Clock
from cim.schemes.model import BASE
from cim.sensing.model import Datastream
from cim.wiring.schemes import Planning

SOURCES_KEPT_MAX: Final = 8
"""States of schemes whose collections are remembered."""


class SchemeSources:
    """Gives the collections of the city, or of a scheme as somebody may see it."""

    def __init__(self, base: BaselineFeatures, planning: Planning) -> None:
        self._base = base
        self._planning = planning
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, SchemeFeatures] = OrderedDict()

    def __call__(self, scheme: str, authorization: str) -> FeatureSource | None:
        """Return the collections, ``None`` for a scheme that is not there for who shows this authorization."""
        if scheme == BASE:
            return self._base
        role = self._planning.accounts.role_in(authorization)
        try:
            seen = self._planning.schemes.seen(scheme, role)
        except NotFound:
            return None
        head = seen.head
        revision = f"{self._base.revision}-{scheme}-{head}"
        with self._guard:
            kept = self._kept.get(revision)
            if kept is not None:
                self._kept.move_to_end(revision)
                return kept
        state = seen.state(head)
        made = SchemeFeatures(self._base, self._planning.schemes.realised(state), revision)
        with self._guard:
            self._kept[revision] = made
            while len(self._kept) > SOURCES_KEPT_MAX:
                self._kept.popitem(last=False)
        return made


def wire_features(
    city: CityService,
    planning: Planning,
    networks: Callable[[int], Iterable[Network]],
    datastreams: Callable[[], Sequence[Datastream]],
    *,
    version: str,
    clock: Clock,
) -> tuple[BaselineFeatures, FeatureService]:
    """Return the collections of the city, and the service that answers for it and for its schemes."""
    base = BaselineFeatures(city, networks, datastreams)

    def title() -> str:
        frame = city.view.frame
        return "City" if frame is None else frame.title_en

    return base, FeatureService(SchemeSources(base, planning), title=title, version=version, clock=clock)


def extent_of(city: CityService, features: BaselineFeatures) -> Mapping[str, Any]:
    """Return where a city lies that has networks but no objects; nothing for any other."""
    boxes = [item.bbox for item in features.collections() if item.bbox is not None]
    if city.view.index.bbox() is not None or not boxes:
        return {}
    west, south, east, north = (choose(box[side] for box in boxes) for side, choose in enumerate((min, min, max, max)))
    origin = {"lon": (west + east) / 2, "lat": (south + north) / 2, "height_m": 0.0}
    return {"bbox": [west, south, east, north], "origin": origin}
