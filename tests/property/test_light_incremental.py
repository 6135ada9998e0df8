"""Light after an edit, worked out only where it reaches, is the light of the changed city worked out anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cim.city.model import Attribute, CityObject
from cim.impact.light.compare import BaseLight, assess_light, refine_light
from cim.impact.light.scene import scene_of_objects
from tests.support.light_city import building, equinox, gabled, park, random_city

EDITS = 500
CITIES = 20


def random_edit(
    random: np.random.Generator, objects: dict[str, CityObject], number: int
) -> dict[str, CityObject | None]:
    """One of: demolish, raise, add a block, add a gabled house, add a park."""
    x, y = (float(v) for v in random.uniform(0, 200, 2))
    kind = int(random.integers(5))
    solids = [i for i, o in objects.items() if o.type == "Building"]
    if kind <= 1 and solids:
        chosen = objects[solids[int(random.integers(len(solids)))]]
        if kind == 0:
            return {chosen.id: None}
        height = Attribute(float(random.uniform(3, 90)), "m")
        return {chosen.id: replace(chosen, geometries=(), attributes={**chosen.attributes, "height_m": height})}
    if kind == 2:
        return {f"s:b/{number}": building(f"s:b/{number}", x, y, 15, 12, float(random.uniform(3, 90)), x)}
    if kind == 3:
        return {f"s:g/{number}": gabled(f"s:g/{number}", x, y, 18, 12, float(random.uniform(3, 30)), 5.0)}
    return {f"s:k/{number}": park(f"s:k/{number}", x, y, 40, 30)}


def hours_anew(base: BaseLight, objects: dict[str, CityObject]) -> tuple[BaseLight, dict[str, np.ndarray]]:
    """Steps of sun of every place, open or not, in a city worked out from the start."""
    full = BaseLight(scene_of_objects(list(objects.values())), base.sun, threads=1)
    full.pivot = base.pivot
    rows = np.flatnonzero(full.scene.top_row == np.arange(len(full.scene)))
    plots = full.plots(rows, np.ones(len(full.table), dtype=np.uint8))
    return full, {full.scene.ids[row]: plot.lit.sum(axis=1) for row, plot in zip(rows.tolist(), plots, strict=True)}


@pytest.mark.parametrize("seed", range(CITIES))
def test_what_an_edit_reaches_is_what_changes(seed: int) -> None:
    random = np.random.default_rng(seed)
    city = {one.id: one for one in random_city(16, seed)}
    base = BaseLight(scene_of_objects(list(city.values())), equinox(step_min=30.0), threads=1)
    overlay: dict[str, CityObject | None] = {}
    changed = compared = 0
    for number in range(EDITS // CITIES):
        now = {**city, **{k: v for k, v in overlay.items() if v is not None}}
        overlay |= random_edit(random, {k: v for k, v in now.items() if overlay.get(k, v) is not None}, number)
        if number % 5 == 4:
            overlay.pop(next(iter(overlay)))
        after = {k: v for k, v in {**city, **overlay}.items() if v is not None}
        comparison = assess_light(base, overlay)
        found = {light.id: light for light in comparison.objects}
        full, anew = hours_anew(base, after)
        for identifier, steps in anew.items():
            light = found.get(identifier)
            if identifier in overlay:
                (plot,) = full.plots(
                    np.array([full.scene.row_of[identifier]]), np.ones(len(full.table), dtype=np.uint8)
                )
                expected = steps[plot.open]
            else:
                (plot,) = base.plots(
                    np.array([base.scene.row_of[identifier]]), np.ones(len(base.table), dtype=np.uint8)
                )
                expected = steps[plot.open]
                before = plot.lit[plot.open].sum(axis=1)
                changed += int((before != expected).sum())
                if light is None:
                    assert before.tolist() == expected.tolist(), f"{identifier} changed and was not looked at"
                    continue
                assert (light.before.hours / comparison.step_h).round().tolist() == before.tolist()
            assert (light.after.hours / comparison.step_h).round().tolist() == expected.tolist(), identifier
            compared += len(expected)
        assert {k for k, v in found.items() if v.after is None} <= {k for k, v in overlay.items() if v is None}
    assert compared > 5_000
    assert changed > 100


def test_the_first_answer_is_coarse_and_the_last_complete() -> None:
    city = random_city(16, 3)
    base = BaseLight(scene_of_objects(city), equinox(step_min=15.0), threads=2)
    overlay = {"s:b/1": building("s:b/1", 80, -30, 20, 15, 60.0)}
    coarse, last = refine_light(base, overlay)
    assert (coarse.complete, last.complete) == (False, True)
    assert [light.id for light in coarse.objects] == [light.id for light in last.objects]
    means = [np.mean([o.after.hours.mean() for o in c.objects if o.home]) for c in (coarse, last)]
    assert means[0] == pytest.approx(means[1], abs=0.3)
