"""Views as pydeck specifications: what to draw, from where; the client decides how.

The client's allow-list of classes is in ``viewer/web/src/map/spec.ts``.  A specification is data:
no expression (``@@=``), no function, and every source a path of this server.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pydeck

from cim.features.model import LIMIT_MAX, Collection
from cim.features.model_types import Bbox

TILE_PX: Final = 512
"""Pixels of the world at zoom 0 in the Web Mercator of deck.gl."""

FRAME_PX: Final = 1_000
"""The shorter side of the window that the first view is fitted to."""

PITCH_DEG: Final = 50.0
BEARING_DEG: Final = -24.0
ZOOM_MIN: Final = 11.0
ZOOM_MAX: Final = 16.0
BUILDINGS_ZOOM_MIN: Final = 16.0
"""From here on blocks, streets and single buildings are told apart; a large city does not open as a speck."""
LARGE_CITY: Final = 100_000
"""From so many buildings on the distance is drawn coarser: the first picture stays below 5 MB."""
LARGE_CITY_ERROR_PX: Final = 20
"""What a merged block of a large city may be off on the screen; Cesium allows 16 everywhere."""
HEIGHTS_NAME: Final = "ground/heights.json"
"""Where the tiles of a city that is not flat have the heights of its ground."""
TILT_ZOOM: Final = 1.2
"""A tilted view shows the far side anyway, so it may begin this much nearer."""


@dataclass(frozen=True, slots=True)
class ViewCity:
    """What a view needs to know of a city.

    ``bbox`` west, south, east, north in degrees; ``collections`` the ids of those that are not empty,
    ``generated`` of those among them that were made up for the sample, or whose values were.
    """

    bbox: Bbox
    baseline_version: int
    collections: frozenset[str] = frozenset()
    generated: frozenset[str] = frozenset()
    first_view: tuple[float, float, float, float, float] | None = None
    """Longitude, latitude, zoom, pitch, bearing that the city says it is first looked at from."""
    middle: tuple[float, float] | None = None
    """Where most buildings are, degrees."""
    scheme: str = "base"
    buildings: int = 0
    """How many there are."""
    is_flat: bool = True
    """The ground is even, at 0 m."""


VIEWS: Final = ("explore",)


def view_document(name: str, summary: Mapping[str, Any], collections: Sequence[Collection]) -> dict[str, Any] | None:
    """Return a view of the city by its name, ``None`` for one that does not exist.

    ``summary`` is what ``/api/v1/city`` says (``bbox``, ``baseline_version``, ``first_view``,
    ``middle`` and ``counts`` are read);
    ``collections`` are those that the feature source offers: a layer is drawn for each that is not
    empty.
    """
    bbox = summary["bbox"]
    if name not in VIEWS or bbox is None:
        return None
    west, south, east, north = bbox
    city = view_city((west, south, east, north), summary["baseline_version"], collections)
    first, middle = summary.get("first_view"), summary.get("middle")
    return explore_view(
        replace(
            city,
            first_view=None if first is None else tuple(first),
            middle=None if middle is None else (middle[0], middle[1]),
            buildings=summary.get("counts", {}).get("Building", 0),
            is_flat=summary.get("ground", "flat") == "flat",
        )
    )


def view_city(bbox: Bbox, baseline_version: int, collections: Sequence[Collection]) -> ViewCity:
    """Return what a view needs from the collections; those without an extent are empty."""
    held = [item for item in collections if item.bbox is not None]
    return ViewCity(
        bbox,
        baseline_version,
        frozenset(item.id for item in held),
        frozenset(item.id for item in held if item.generated or item.generated_values),
    )


def explore_view(city: ViewCity) -> dict[str, Any]:
    """Return the specification of ``/explore``."""
    longitude, latitude, zoom, pitch, bearing = first_view(city)
    deck = pydeck.Deck(
        layers=list(_layers(city)),
        views=[pydeck.View(type="MapView", controller=True)],
        initial_view_state=pydeck.ViewState(
            longitude=longitude, latitude=latitude, zoom=zoom, pitch=pitch, bearing=bearing
        ),
        map_provider=None,
        map_style=None,
        tooltip=False,
    )
    spec: dict[str, Any] = json.loads(deck.to_json())
    # pydeck writes the keys of services that it finds in the environment, and the provider's null.
    for foreign in ("mapProvider", "mapStyle", "mapboxKey", "googleMapsKey", "cartoKey"):
        spec.pop(foreign, None)
    return {**spec, "cim": {"bbox": list(city.bbox), "baseline_version": city.baseline_version, "view": "explore"}}


def first_view(city: ViewCity) -> tuple[float, float, float, float, float]:
    """Return longitude, latitude, zoom, pitch, bearing of the first sight.

    The city's own, if it says one; else the middle of its buildings, near enough that they show as
    buildings; a city of networks alone is shown whole.
    """
    if city.first_view is not None:
        return city.first_view
    west, south, east, north = city.bbox
    longitude, latitude = city.middle or ((west + east) / 2, (south + north) / 2)
    zoom = fit_zoom(city.bbox)
    if city.middle is not None:
        zoom = max(zoom, BUILDINGS_ZOOM_MIN)
    return round(longitude, 6), round(latitude, 6), zoom, PITCH_DEG, BEARING_DEG


def fit_zoom(bbox: Bbox) -> float:
    """Return the zoom at which a box fills the first view, to a tenth."""
    west, south, east, north = bbox
    span_deg = max((east - west), (north - south) / math.cos(math.radians((south + north) / 2)), 1e-6)
    zoom = math.log2(FRAME_PX * 360.0 / (TILE_PX * span_deg)) + TILT_ZOOM
    return round(min(ZOOM_MAX, max(ZOOM_MIN, zoom)), 1)


def _layers(city: ViewCity) -> list[pydeck.Layer]:
    """Return the layers in the order of the layer list; those without features are left out."""
    layers = []
    if city.collections & _DRAWN_AS_TILES:
        layers.append(_tiles(city, "ground"))
    if "buildings" in city.collections:
        layers.append(_tiles(city, "buildings"))
    layers.extend(
        _features(city, layer_id, class_, collection, hints)
        for layer_id, class_, collection, hints in _FEATURE_LAYERS
        if collection in city.collections
    )
    return layers


_FEATURE_LAYERS: Final[tuple[tuple[str, str, str, Mapping[str, Any]], ...]] = (
    ("trees", "TreeLayer", "trees", {"min_zoom": 14.8}),
    ("water-network", "PathLayer", "water-links", {"visible": False, "min_zoom": 13}),
    ("power-network", "PathLayer", "power-links", {"visible": False, "min_zoom": 13}),
    ("traffic", "PathLayer", "street-links", {"visible": False, "min_zoom": 13}),
    ("sensors", "ScatterplotLayer", "sensors", {"min_zoom": 12}),
    ("streets-labels", "TextLayer", "streets", {"min_zoom": 14.8}),
    ("labels", "TextLayer", "districts", {"min_zoom": 11}),
)
"""Layer id, class, collection, hints.  Networks start hidden: the first sight is the city."""

_DRAWN_AS_TILES: Final = frozenset({"buildings", "streets", "railways", "land-use", "water", "green"})
"""Collections that tiles are built from; a city of networks alone has none."""

_LABELLED: Final = ("green", "water", "land-use", "buildings")
"""Collections whose names are written beside those of the districts, as far as there is room."""

_NODES: Final = {"water-links": "water-nodes", "power-links": "power-nodes"}


def _hints(city: ViewCity, layer_id: str, collection: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": f"layer.{layer_id}",
        "legend": layer_id,
        "generated": collection in city.generated,
        "visible": True,
        **extra,
    }


def _tiles(city: ViewCity, layer_id: str) -> pydeck.Layer:
    large = layer_id == "buildings" and city.buildings >= LARGE_CITY
    more: dict[str, Any] = {"screen_error_px": LARGE_CITY_ERROR_PX} if large else {}
    if layer_id == "ground" and not city.is_flat:
        more["heights"] = f"/tiles/{city.scheme}/{HEIGHTS_NAME}"
    return pydeck.Layer(
        "CityTile3DLayer",
        f"/tiles/{city.scheme}/{layer_id}/tileset.json",
        id=layer_id,
        pickable=layer_id == "buildings",
        cim=_hints(city, layer_id, layer_id, {"min_zoom": 0, **more}),
    )


def _items(city: ViewCity, collection: str) -> str:
    mount = "/ogc" if city.scheme == "base" else f"/s/{city.scheme}/ogc"
    return f"{mount}/collections/{collection}/items?limit={LIMIT_MAX}"


def _features(city: ViewCity, layer_id: str, class_: str, collection: str, extra: Mapping[str, Any]) -> pydeck.Layer:
    hints = _hints(city, layer_id, collection, extra)
    sources = [_items(city, name) for name in _LABELLED if name in city.collections] if layer_id == "labels" else []
    if sources:
        hints["sources"] = sources
    nodes = _NODES.get(collection, "")
    if nodes in city.collections:
        hints["nodes"] = _items(city, nodes)
    return pydeck.Layer(class_, _items(city, collection), id=layer_id, pickable=class_ != "TextLayer", cim=hints)
