"""What would poison the city is refused feature by feature."""

import numpy as np
import pytest
import shapely

from cim.city.model import VERTICES_MAX, CityObject, check_object, suspects
from cim.errors import InvalidInput
from cim.geometry.surfaces import Geometry, multi_surface

TRIANGLE = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])


def with_vertex(value: float, axis: int) -> Geometry:
    ring = TRIANGLE.copy()
    ring[1, axis] = value
    return multi_surface("1", [[ring]])


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (with_vertex(float("nan"), 0), "coordinate-absurd"),
        (with_vertex(float("inf"), 1), "coordinate-absurd"),
        (with_vertex(1e9, 0), "coordinate-absurd"),
        (with_vertex(float("nan"), 2), "height-absurd"),
        (with_vertex(20_000.0, 2), "height-absurd"),
        (Geometry("MultiPoint", "0", np.empty((0, 3))), "geometry-empty"),
        (multi_surface("1", [[TRIANGLE[:2]]]), "ring-too-short"),
        (Geometry("MultiPoint", "0", np.zeros((VERTICES_MAX + 1, 3))), "vertices-max"),
    ],
)
def test_poison_is_refused(geometry: Geometry, code: str) -> None:
    sound = CityObject("a:0", "Building", shapely.box(0, 0, 1, 1), (multi_surface("1", [[TRIANGLE]]),))
    poisoned = CityObject("a:1", "Building", None, (multi_surface("1", [[TRIANGLE]]), geometry))
    assert suspects([sound, poisoned, sound]).tolist() == [1], "the pass over all finds it"
    with pytest.raises(InvalidInput) as caught:
        check_object(CityObject("a:1", "Building", None, (geometry,)))
    assert caught.value.problem_code == code


def test_an_absurd_place_is_refused() -> None:
    with pytest.raises(InvalidInput):
        check_object(CityObject("a:1", "Building", shapely.box(0, 0, 1e9, 1)))
    with pytest.raises(InvalidInput):
        check_object(CityObject("a:1", "Building", shapely.Polygon()))
    bare = CityObject("a:0", "Building")
    for place in (shapely.box(0, 0, 1e9, 1), shapely.Polygon(), shapely.Point(float("nan"), 0)):
        assert suspects([bare, CityObject("a:1", "Building", place)]).tolist() == [1]


def test_a_sound_object_passes() -> None:
    check_object(CityObject("a:1", "Building", shapely.box(0, 0, 1, 1), (multi_surface("1", [[TRIANGLE]]),)))
