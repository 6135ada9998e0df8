"""The city as light sees it: which solids, homes, parks and ground; and the service over a baseline."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pytest
import shapely

from cim.city.columns import objects_to_columns
from cim.city.model import Attribute, CityFrame, CityObject
from cim.geometry.crs import WorkingFrame
from cim.geometry.ground import even_ground, ground_through
from cim.geometry.ragged import rings_of
from cim.geometry.triangles import cut_surfaces, newell
from cim.impact.graph import Case, Graph, refine_node
from cim.impact.light.compare import BaseLight
from cim.impact.light.receivers import receivers_of
from cim.impact.light.scene import scene_of_objects
from cim.impact.light.service import LightService
from cim.impact.model import State
from tests.support.impact_city import factor_set, stock_of
from tests.support.light_city import CRS, EAST, NORTH, building, equinox, gabled, park


def test_parts_stand_for_their_building_and_what_they_leave_stays() -> None:
    outline = building("t:a", 0, 0, 30, 10, 30.0)
    parts = [
        CityObject(f"t:{name}", "BuildingPart", place=shapely.box(EAST + x, NORTH, EAST + x + 10, NORTH + 10),
                   attributes={"height_m": Attribute(height)}, parent_id="t:a")
        for name, x, height in (("p", 0, 30.0), ("q", 10, 10.0))
    ]  # fmt: skip
    scene = scene_of_objects([outline, *parts])
    assert scene.top_row.tolist() == [0, 0, 0]
    rest = scene.faces.lid_owner == 0
    assert shapely.area(scene.faces.lids[rest]).tolist() == pytest.approx([100.0])
    # The outline has the height of its highest part; what no part covers takes their mean.
    assert scene.faces.planes[rest][0, 2] == pytest.approx(20.0)
    covered = scene_of_objects([replace(outline, place=shapely.box(EAST, NORTH, EAST + 20, NORTH + 10)), *parts])
    assert not (covered.faces.lid_owner == 0).any()


def test_homes_and_parks_by_what_sources_and_schemes_say() -> None:
    def use(word: str) -> CityObject:
        return replace(building(f"t:{word}", 0, 0, 9, 9, 9.0), attributes={"function": Attribute(word)})

    drawn = replace(
        building("s:b/1", 0, 0, 9, 9, 9.0),
        attributes={"function": Attribute("retail"), "storeys": Attribute([[4.0, "retail"], [3.0, "residential"]])},
    )
    scene = scene_of_objects(
        [use("apartments"), use("office"), use("yes"), use("roof"), drawn, park("t:k", 0, 0, 9, 9)]
    )
    assert scene.home.tolist() == [True, False, True, False, True, False]
    assert [p is not None for p in scene.park] == [False] * 5 + [True]


def test_places_stand_before_every_storey_and_never_within_a_roof() -> None:
    scene = scene_of_objects([gabled("t:g", 0, 0, 20, 10, 7.0, 4.0)])
    receivers = receivers_of(scene, np.array([0]))
    column = receivers.column_of
    south = receivers.side[column] == 4
    assert sorted(set(receivers.z[south].tolist())) == pytest.approx([0.9, 4.1])
    assert receivers.xyn[column[south], 1] == pytest.approx(NORTH - 0.1)
    # The gable reaches higher in its middle, but not so high that a third floor's window fits below the slope.
    gable = receivers.side[column] == 2
    assert receivers.z[gable].max() == pytest.approx(7.3)
    assert len(receivers.z[south]) == 2 * 5


def test_ground_follows_the_feet_and_shades() -> None:
    slope = np.column_stack([a.ravel() for a in np.meshgrid(np.arange(0, 200, 10.0), np.arange(0, 200, 10.0))])
    feet = np.column_stack((slope + np.array([EAST, NORTH]), slope[:, 0] * 0.1))
    ground = ground_through(feet)
    assert ground.height_m(feet[150:250]) == pytest.approx(feet[150:250, 2], abs=0.5)
    assert even_ground(3.0).height_m(feet[:2]).tolist() == [3.0, 3.0]
    assert ground_through(np.empty((0, 3))).is_even
    hill = replace(ground, levels_m=np.where(ground.levels_m > 12.0, 60.0, 0.0))
    west = building("t:w", 40, 80, 12, 12, 9.0)
    lit = []
    for under in (even_ground(), hill):
        base = BaseLight(scene_of_objects([west], ground=under), equinox(), threads=1)
        (plot,) = base.plots(np.array([0]), np.ones(len(base.table), dtype=np.uint8))
        east = plot.receivers.side[plot.receivers.column_of] == 2
        lit.append(int(plot.lit[east].sum()))
    assert lit[1] < lit[0]


def test_surfaces_with_notches_and_holes_are_cut_to_their_area() -> None:
    notch = np.array([[0, 0, 0], [4, 0, 0], [4, 0, 4], [2, 0, 1], [0, 0, 4]], dtype=np.float64)
    hole = np.array([[1, 0, 0.2], [2, 0, 0.2], [2, 0, 0.6], [1, 0, 0.6]], dtype=np.float64)
    normal = newell(notch)
    for rings, area in (([notch], 10.0), ([notch, hole], 9.6), ([notch[:3]], 8.0)):
        triangles, surface = cut_surfaces(rings_of([rings]))
        assert set(surface.tolist()) == {0}
        assert (np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]) @ normal > 0).all()
        sides = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
        assert np.linalg.norm(sides, axis=1).sum() / 2 == pytest.approx(area)


@dataclass
class City:
    """A baseline without a database."""

    objects: list[CityObject]
    baseline_version: int = 1

    @property
    def working(self) -> WorkingFrame:
        return WorkingFrame(CRS)

    def snapshot(self, version=None):
        rows, geometries = objects_to_columns(self.objects)
        frame = CityFrame("t", "T", "T", CRS, None, "flat", "Europe/Helsinki")
        tables = pa.Table.from_batches([rows]), pa.Table.from_batches([geometries])
        return type("Snapshot", (), {"frame": frame, "objects": tables[0], "geometries": tables[1]})()


def test_the_service_reads_cases_of_the_graph() -> None:
    parcel = CityObject("t:lot", "+Parcel", place=shapely.box(EAST - 50, NORTH - 50, EAST + 50, NORTH + 50))
    objects = [building("t:home", 0, 0, 40, 10, 13.0), park("t:park", 60, 0, 30, 30), parcel]
    service = LightService(City(objects))
    graph = Graph(service.nodes())
    stock = stock_of(objects)
    overlay = {"s:b/1": building("s:b/1", -120, -30, 280, 10, 60.0)}
    changed = stock.with_changes(overlay)
    assert changed.touched_units
    case = Case(changed, factor_set(), changed.touched_units, overlay)
    steps = list(refine_node(graph.nodes["light.facade_sun_hours"], case, 3))
    assert [reading.state for reading in steps] == [State.PENDING, State.READY]
    told = {name: list(refine_node(node, case, 3))[-1] for name, node in graph.nodes.items()}
    assert told["light.neighbours_losing"].value == 1
    assert told["light.neighbours_losing"].base.value == 0
    assert told["light.facade_sun_hours"].delta < 0
    assert told["light.homes_sun"].delta < 0
    assert told["light.ground_sun_hours"].base.value > 0
    document = service.document(case, 3)
    assert [loser["object_id"] for loser in document["losers"]] == ["t:home"]
    service.warm()
