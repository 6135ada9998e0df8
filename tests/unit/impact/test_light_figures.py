"""What is said of a comparison of light, on a street of two houses: by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from cim.errors import InvalidInput
from cim.findings import Severity, Verdict
from cim.impact.graph import Case
from cim.impact.light.compare import BaseLight, assess_light
from cim.impact.light.figures import figures_of
from cim.impact.light.nodes import light_document, light_nodes
from cim.impact.light.scene import scene_of_objects
from cim.impact.light.standards import SAMPLE, light_standards
from cim.impact.model import Outcome
from cim.units import is_unit
from tests.support.impact_city import factor_set, stock_of
from tests.support.light_city import building, equinox, park

HOME, PARK, TOWER = "t:home", "t:park", "s:b/1"


@pytest.fixture
def base() -> BaseLight:
    city = [building(HOME, 0, 0, 40, 10, 13.0), park(PARK, 60, 0, 30, 30)]
    return BaseLight(scene_of_objects(city), equinox(step_min=10.0), threads=1)


def test_a_tower_to_the_south_takes_the_neighbours_noon(base: BaseLight) -> None:
    standard = light_standards().get(SAMPLE)
    nothing = figures_of(assess_light(base, {}, sites=np.array([[*base.scene.box[0, [0, 1, 3, 4]]]])), standard)
    assert nothing.losers == ()
    assert nothing.findings == ()
    assert nothing.losing.value == 0
    found = figures_of(assess_light(base, {TOWER: building(TOWER, -20, -30, 80, 10, 60.0)}), standard)
    (loser,) = found.losers
    assert (loser.object_id, loser.side, loser.home) == (HOME, "s", True)
    # From half past six to half past five the sun is above 5 degrees: the south side saw all of it in front of it.
    assert loser.before_h == pytest.approx(10.5, abs=0.4)
    # What is left are mornings and evenings, past the ends of the tower.
    assert loser.after_h < 3.0
    assert found.losing.value == 1
    assert found.losing.low <= 1 <= found.losing.high
    assert found.facade_h is not None
    assert nothing.facade_h is not None
    # The tower's own façades count in the neighbourhood too, so compare what it left of the neighbour's south.
    assert found.facades[HOME] < nothing.facades[HOME]
    assert nothing.homes_share is not None
    assert nothing.homes_share.value == pytest.approx(100.0)


def test_windows_that_fall_below_the_rule_are_findings_with_a_witness(base: BaseLight) -> None:
    standard = light_standards().get("cn-gb50180-great-cold-2h")
    found = figures_of(assess_light(base, {TOWER: building(TOWER, -120, -30, 280, 10, 60.0)}), standard)
    finding = next(f for f in found.findings if f.object_id == HOME)
    assert finding.rule == "light/cn-gb50180-great-cold-2h"
    assert finding.limit == 2.0
    assert finding.measured is not None
    assert finding.measured < 2.0
    assert finding.unit == "h"
    assert finding.margin == pytest.approx(finding.measured - 2.0)
    # Only an excerpt of the clause was seen, so nothing fails by it alone.
    assert (finding.severity, finding.verdict) == (Severity.DISCUSS, Verdict.DISCUSS)
    witness = shapely.from_wkb(finding.witness_wkb)
    assert shapely.distance(shapely.force_2d(witness), base.scene.faces.lids[0]) == pytest.approx(0.1, abs=0.01)
    assert finding.params["case"] == "neighbour"


def test_a_park_in_the_shadow_of_a_tower(base: BaseLight) -> None:
    standard = light_standards().get(SAMPLE)
    found = figures_of(assess_light(base, {TOWER: building(TOWER, 60, -12, 30, 10, 40.0)}), standard)
    (green,) = found.parks
    assert green.object_id == PARK
    assert green.before_h is not None
    assert green.after_h is not None
    assert green.after_h < green.before_h
    assert 0 < green.shaded_m2 <= 900
    assert found.shaded_park_m2.value == green.shaded_m2
    assert found.shaded_park_m2.low <= green.shaded_m2 <= found.shaded_park_m2.high


def test_a_storey_between_two_walls_is_told_of_the_new_building(base: BaseLight) -> None:
    overlay = {
        TOWER: building(TOWER, 0, -30, 40, 10, 7.0),
        "s:b/2": building("s:b/2", -60, -42, 200, 10, 40.0),
        "s:b/3": building("s:b/3", -60, -18, 200, 10, 40.0),
    }
    found = figures_of(assess_light(base, overlay), light_standards().get(SAMPLE))
    dark = [f for f in found.findings if f.object_id == TOWER]
    assert [f.params["case"] for f in dark] == ["own"]
    assert dark[0].params["storeys"] == 2


def test_nodes_read_one_comparison_and_the_document_names_the_losers(base: BaseLight) -> None:
    standard = light_standards().get(SAMPLE)
    figures = figures_of(assess_light(base, {TOWER: building(TOWER, -20, -30, 80, 10, 60.0)}), standard)

    class Desk:
        asked = 0

        def refine(self, case: Case):
            Desk.asked += 1
            yield figures

        def standard(self, case: Case):
            return standard

    case = Case(stock_of([]), factor_set())
    read = {node.id: node.compute(case) for node in light_nodes(Desk())}
    assert set(read) == {
        "light.facade_sun_hours", "light.homes_sun", "light.ground_sun_hours", "light.shadow_on_parks",
        "light.neighbours_losing",
    }  # fmt: skip
    assert all(isinstance(outcome, Outcome) and outcome.value is not None for outcome in read.values())
    assert read["light.neighbours_losing"].breakdown[0].key == HOME
    assert read["light.homes_sun"].findings == figures.findings
    document = light_document(figures, standard, base.sun, 7)
    assert document["sequence"] == 7
    assert document["day"] == "2026-03-20"
    assert document["losers"][0]["object_id"] == HOME
    assert document["losers"][0]["before_h"] > document["losers"][0]["after_h"]
    assert set(document["facades"]) == {HOME, TOWER}


def test_every_indicator_of_light_is_on_the_method_page() -> None:
    pages = Path(__file__).resolve().parents[3] / "docs" / "methods"
    for node in light_nodes(None):
        text = (pages / f"{node.method}.md").read_text("utf-8")
        assert node.id in text
        assert node.title.zh in text
        assert is_unit(node.unit)


def test_rules_are_data_with_sources_and_the_sample_says_that_it_is_its_own() -> None:
    standards = light_standards()
    assert standards.of_factor_set("cn").solar_longitude_deg == 300.0
    assert standards.of_factor_set("helsinki-sample").evidence == "own"
    for standard in standards.by_id.values():
        assert standard.source
        assert standard.title.en
        assert standard.title.zh
        assert standard.hours[0] < standard.hours[1]
        assert standard.homes_h_min > 0
    with pytest.raises(InvalidInput) as refused:
        standards.get("nowhere")
    assert refused.value.problem_code == "light-standard"
