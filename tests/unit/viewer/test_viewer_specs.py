from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cim.features.model import Collection
from viewer.specs import ViewCity, explore_view, fit_zoom, view_document

BBOX = (24.925, 60.155, 24.965, 60.178)
ALL = [
    "buildings", "trees", "water-nodes", "water-links", "power-nodes", "power-links", "street-nodes", "street-links",
    "sensors", "streets", "districts",
]  # fmt: skip
SPEC_TS = Path(__file__).parents[3] / "viewer/web/src/map/spec.ts"


def full() -> dict[str, Any]:
    return explore_view(ViewCity(BBOX, 3, frozenset(ALL), frozenset({"sensors", "water-links"})))


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)


@pytest.mark.parametrize("variable", ["MAPBOX_API_KEY", "MapboxAccessToken", "GOOGLE_MAPS_API_KEY"])
def test_no_expression_no_foreign_host_no_key(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "a-secret-key")
    for text in strings(full()):
        assert not text.startswith("@@=")
        assert "@@function" not in text
        assert "://" not in text
        assert "a-secret-key" not in text


def test_every_source_is_a_path_of_this_server() -> None:
    for layer in full()["layers"]:
        assert re.match(r"/(tiles|ogc)/", layer["data"])
        nodes = layer["cim"].get("nodes")
        assert nodes is None or nodes.startswith("/ogc/collections/")


def test_every_class_is_on_the_clients_list() -> None:
    roles = SPEC_TS.read_text().partition("const ROLES")[2].partition("};")[0]
    allowed = set(re.findall(r"^\s+(\w+):", roles, re.MULTILINE))
    assert {layer["@@type"] for layer in full()["layers"]} <= allowed
    assert [view["@@type"] for view in full()["views"]] == ["MapView"]


def test_layers_come_in_the_order_of_the_list_with_their_hints() -> None:
    layers = full()["layers"]
    assert [layer["id"] for layer in layers] == [
        "ground", "buildings", "trees", "water-network", "power-network", "traffic", "sensors", "streets-labels",
        "labels",
    ]  # fmt: skip
    for layer in layers:
        assert layer["cim"]["title"] == f"layer.{layer['id']}"
        assert {"legend", "generated", "visible", "min_zoom"} <= set(layer["cim"])
    assert {layer["id"] for layer in layers if layer["cim"]["generated"]} == {"sensors", "water-network"}


def test_names_come_from_all_collections_that_hold_any() -> None:
    labels = next(layer for layer in full()["layers"] if layer["id"] == "labels")
    assert labels["cim"]["sources"] == ["/ogc/collections/buildings/items?limit=10000"]
    assert all("sources" not in layer["cim"] for layer in full()["layers"] if layer["id"] != "labels")


def test_values_that_were_made_up_mark_a_layer_of_real_streets() -> None:
    streets = Collection("street-links", "Streets", bbox=BBOX, generated=False, generated_values=True)
    spec = view_document("explore", {"bbox": BBOX, "baseline_version": 1}, [streets])
    assert spec is not None
    assert next(layer for layer in spec["layers"] if layer["id"] == "traffic")["cim"]["generated"]


def test_a_city_of_buildings_only_has_no_empty_layers() -> None:
    summary = {"bbox": BBOX, "baseline_version": 1}
    collections = [Collection("buildings", "Buildings", bbox=BBOX), Collection("trees", "Trees", bbox=None)]
    spec = view_document("explore", summary, collections)
    assert spec is not None
    assert [layer["id"] for layer in spec["layers"]] == ["ground", "buildings"]
    assert spec["cim"] == {"bbox": list(BBOX), "baseline_version": 1, "view": "explore"}


def test_no_such_view_and_no_city() -> None:
    assert view_document("plan", {"bbox": BBOX, "baseline_version": 1}, []) is None
    assert view_document("explore", {"bbox": None, "baseline_version": 0}, []) is None


def test_a_scheme_has_its_own_sources() -> None:
    spec = explore_view(ViewCity(BBOX, 3, frozenset(ALL), scheme="tall-tower"))
    assert {layer["data"].split("/")[2] for layer in spec["layers"]} == {"tall-tower"}


def test_the_first_view_looks_at_the_middle_and_holds_the_city() -> None:
    view = full()["initialViewState"]
    assert (view["longitude"], view["latitude"]) == (24.945, 60.1665)
    assert 14 < view["zoom"] <= 16
    assert fit_zoom((0, 0, 0, 0)) == 16.0


def test_a_city_opens_where_it_says_else_in_the_middle_of_its_buildings() -> None:
    wide = (24.0, 60.0, 25.5, 60.6)
    buildings = Collection("buildings", "Buildings", bbox=wide)
    summary = {"bbox": wide, "baseline_version": 1, "middle": [24.94, 60.17], "first_view": None}
    spec = view_document("explore", summary, [buildings])
    assert spec is not None
    view = spec["initialViewState"]
    assert (view["longitude"], view["latitude"]) == (24.94, 60.17)
    assert view["zoom"] > fit_zoom(wide) + 1
    spec = view_document("explore", {**summary, "first_view": [24.9441, 60.1708, 16.25, 52.0, -22.0]}, [buildings])
    assert spec is not None
    view = spec["initialViewState"]
    shown = [view[key] for key in ("longitude", "latitude", "zoom", "pitch", "bearing")]
    assert shown == [24.9441, 60.1708, 16.25, 52.0, -22.0]
    assert fit_zoom((-180, -80, 180, 80)) == 11.0


def test_the_specification_is_plain_json() -> None:
    assert json.loads(json.dumps(full(), allow_nan=False)) == full()


def test_the_distance_of_a_large_city_is_drawn_coarser() -> None:
    def error_px(buildings: int) -> object:
        spec = explore_view(ViewCity(BBOX, 1, frozenset({"buildings", "streets"}), buildings=buildings))
        hints = {layer["id"]: layer["cim"] for layer in spec["layers"]}
        assert "screen_error_px" not in hints["ground"]
        return hints["buildings"].get("screen_error_px")

    assert error_px(99_999) is None
    assert error_px(100_000) == 20


def test_a_city_that_is_not_flat_says_where_its_heights_are() -> None:
    def hints(*, is_flat: bool) -> dict[str, Any]:
        spec = explore_view(ViewCity(BBOX, 1, frozenset({"buildings", "trees"}), is_flat=is_flat))
        return {layer["id"]: layer["cim"].get("heights") for layer in spec["layers"]}

    assert set(hints(is_flat=True).values()) == {None}
    assert hints(is_flat=False) == {"ground": "/tiles/base/ground/heights.json", "buildings": None, "trees": None}
    summary = {"bbox": BBOX, "baseline_version": 1, "ground": "terrain"}
    found = Collection("buildings", "Buildings", "", bbox=BBOX)
    document = view_document("explore", summary, [found])
    assert document is not None
    assert document["layers"][0]["cim"]["heights"] == "/tiles/base/ground/heights.json"
