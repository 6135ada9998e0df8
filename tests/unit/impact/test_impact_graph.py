"""The graph, ranges, verdicts, and factor sets."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from cim.errors import IntegrityError
from cim.findings import Quality, Verdict
from cim.impact.factors import parse_set, set_name
from cim.impact.graph import SITE, Case, Graph, Node, read_node, touched_inputs, verdict_of
from cim.impact.indicators import indicator_graph
from cim.impact.light.nodes import light_nodes
from cim.impact.model import Outcome, Range, Target, Title
from cim.units import is_unit
from tests.support.impact_city import box, drawn, factor_set, house, stock_of, thing, town

FACTORS = Path(__file__).resolve().parents[4] / "shared" / "rules" / "factors.yaml"


def node(identifier: str, *inputs: str, rank: int = 0) -> Node:
    return Node(identifier, "1", Title(identifier, identifier), inputs, "none", lambda _: Outcome(None), rank=rank)


def test_an_edit_reaches_what_depends_on_it_and_no_more() -> None:
    graph = Graph(
        [node("c", "b", rank=3), node("a", "buildings", rank=1), node("b", "a", rank=2), node("d", "streets")]
    )
    assert [found.id for found in graph.reached({"buildings"})] == ["a", "b", "c"]
    assert [found.id for found in graph.reached({"streets"})] == ["d"]
    assert graph.reached(set()) == ()
    with pytest.raises(ValueError, match="asks for"):
        Graph([node("a", "nowhere")])
    with pytest.raises(ValueError, match="one id"):
        Graph([node("a"), node("a")])


def test_a_closed_street_reaches_walks_and_not_the_floor_area() -> None:
    ids = {found.id for found in indicator_graph().reached({"streets"})}
    assert {"people.access_park", "people.street_connection"} <= ids
    assert not ids & {"land.floor_area", "people.dwellings", "sky.view_factor"}
    assert "land.floor_area_ratio" in {found.id for found in indicator_graph().reached({SITE})}


def test_only_what_differs_is_touched() -> None:
    base = stock_of(town(20))
    one = {"s:b/1": drawn("s:b/1", box(0, 0, 5, 5), [[3.0, "office"]])}
    again = {"s:b/1": drawn("s:b/1", box(0, 0, 5, 5), [[3.0, "office"]])}
    assert touched_inputs(base, one, again) == set()
    assert touched_inputs(base, {}, one) == {"buildings"}
    assert touched_inputs(base, one, {**one, "t:row/1": None}) == {"streets"}
    assert (
        touched_inputs(base, one, {**one, "s:t/1": thing("s:t/1", "SolitaryVegetationObject", box(0, 0, 1, 1))})
        == set()
    )


def test_ranges_keep_their_corners() -> None:
    assert Range(2.0, 1.0, 3.0) * Range(-1.0, -2.0, 1.0) == Range(-2.0, -6.0, 3.0)
    assert Range(2.0, 1.0, 3.0).scaled(-2.0) == Range(-4.0, -6.0, -2.0)
    assert Range(4.0, 2.0, 8.0).over(Range(2.0, 1.0, 4.0)) == Range(2.0, 0.5, 8.0)
    assert Range.exact(3.0).interval() is None


@pytest.mark.parametrize(
    ("value", "target", "verdict"),
    [
        (Range(2.0, 1.8, 2.2), Target("x", max=2.5), Verdict.PASS),
        (Range(2.0, 1.8, 2.2), Target("x", max=2.1), Verdict.DISCUSS),
        (Range(2.0, 1.8, 2.2), Target("x", min=2.5), Verdict.FAIL),
        (Range(2.0, 1.8, 2.2), Target("x", min=1.9, max=2.5), Verdict.DISCUSS),
        (Range(2.0, 1.8, 2.2), Target("x"), None),
        (None, Target("x", min=1.0), None),
    ],
)
def test_a_verdict_judges_the_whole_interval(value, target, verdict) -> None:
    assert verdict_of(value, target) is verdict


def test_a_reading_says_everything_about_its_number() -> None:
    base = stock_of([house("t:a", box(0, 0, 10, 10), function="apartments", storeys_above_ground=3)])
    stock = base.with_changes({"s:b/1": drawn("s:b/1", box(40, 0, 10, 10), [[3.0, "residential"]] * 7)})
    read = read_node(indicator_graph().nodes["people.dwellings"], Case(stock, factor_set(), stock.touched_units), 4)
    told = read.as_json()
    assert (told["value"], told["base"], told["delta"], told["sequence"]) == (9, 3, 6, 4)
    assert told["interval"][0] < 9 < told["interval"][1]
    assert told["delta_interval"][0] < 6 < told["delta_interval"][1]
    assert told["quality"] == Quality.MODELLED
    assert told["method"] == "population"
    assert told["sources"]
    assert {factor["jurisdiction"] for factor in told["factors"]} == {"US-CA", "generic"}


def test_every_unit_is_one_that_the_city_uses() -> None:
    graph = indicator_graph(light_nodes(SimpleNamespace()))
    assert any(name.startswith("light.") for name in graph.nodes)
    assert {found.unit for found in graph.nodes.values() if not is_unit(found.unit)} == set()


def test_every_indicator_has_a_page_and_both_names() -> None:
    pages = Path(__file__).resolve().parents[3] / "docs" / "methods"
    for found in indicator_graph().nodes.values():
        page = pages / f"{found.method}.md"
        assert page.is_file(), found.method
        assert found.title.zh in page.read_text("utf-8"), found.id
        assert found.id in page.read_text("utf-8"), found.id


@pytest.mark.parametrize("name", ["helsinki-sample", "cn", "generic"])
def test_sets_are_whole(name: str) -> None:
    found = factor_set(name)
    assert all(factor.low <= factor.value <= factor.high for factor in found.factors.values())
    assert set(found.targets) <= set(indicator_graph().nodes)
    assert set(found.factors) == set(factor_set("generic").factors)


def test_a_set_that_contradicts_itself_is_refused() -> None:
    factor = {
        "id": "f",
        "value": 2,
        "low": 3,
        "high": 4,
        "unit": "1",
        "source": "s",
        "jurisdiction": "x",
        "range": "source",
    }
    document = {"id": "x", "jurisdiction": "x", "currency": "x", "factors": [factor], "roles": {}, "targets": []}
    with pytest.raises(IntegrityError):
        parse_set(document)
    with pytest.raises(IntegrityError):
        parse_set({**document, "factors": [{**factor, "low": 1}], "roles": {"a": "nothing"}})


def test_a_city_has_its_own_set_its_countrys_or_the_generic_one() -> None:
    assert set_name("helsinki", "ETRS89 / GK25FIN") == "helsinki-sample"
    assert set_name("wuhan", "CGCS2000 / 3-degree Gauss-Kruger CM 114E") == "cn"
    assert set_name("delfshaven", "Amersfoort / RD New") == "generic"


@pytest.mark.reference
@pytest.mark.skipif(not FACTORS.is_file(), reason="the factor pack is not beside the checkout")
def test_figures_are_those_of_the_factor_pack() -> None:
    """Every figure of a set that is not our own assumption stands in the pack, with its unit and jurisdiction."""
    yaml = pytest.importorskip("yaml")
    import json

    pack = {item["id"]: item for item in yaml.safe_load(FACTORS.read_text("utf-8"))["factors"]}
    root = Path(__file__).resolve().parents[3] / "cim" / "impact" / "factor_sets"
    for path in sorted(root.glob("*.json")):
        for item in json.loads(path.read_text("utf-8"))["factors"]:
            if item["id"].startswith("own-"):
                assert item["source"].startswith("Own assumption")
                continue
            theirs = pack[item["id"]]
            assert item["source_unit"] == theirs["unit"]
            assert item.get("source_value") == theirs.get("value")
            assert item["jurisdiction"] == (theirs["jurisdiction"] if theirs["jurisdiction"] != "-" else "generic")
            if item["range"] == "source":
                assert (item["low"], item["high"]) == (theirs["low"], theirs["high"])
