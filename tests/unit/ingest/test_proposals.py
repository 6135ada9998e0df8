"""Projects out of a catalogue: who goes for what comes."""

import numpy as np
import pytest
import shapely

from cim.city.model import CityObject
from cim.geometry.surfaces import multi_surface
from ingest.proposal_models import model_of
from ingest.proposals import Entry, projects_of, words_of


def entry(key, project="0", parcel="", x=0.0, name="", status=""):
    return Entry(f"b:{key}", name, status, project, parcel, shapely.box(x, 0, x + 10, 10))


def grouped(coming, going):
    return {
        project.key: ([one.id for one in project.coming], [one.id for one in project.going])
        for project in projects_of(coming, going)
    }


def test_models_of_a_project_stand_together_and_what_is_on_its_parcel_goes_for_it():
    coming = [entry("c2", "7", "p1"), entry("c1", "7", "p9", x=50), entry("c3", x=100)]
    going = [entry("g1", parcel="p1", x=500), entry("g2", parcel="p5", x=600), entry("g3", parcel="p5", x=700)]
    wanted = {
        "b:c3": (["b:c3"], []),
        "parcel-p5": ([], ["b:g2", "b:g3"]),
        "project-7": (["b:c1", "b:c2"], ["b:g1"]),
    }
    assert grouped(coming, going) == wanted
    assert grouped(coming[::-1], going[::-1]) == wanted


def test_what_a_project_covers_goes_for_it():
    assert grouped([entry("c", "7")], [entry("g", x=8.9)]) == {"project-7": (["b:c"], ["b:g"])}
    assert grouped([entry("c", "7")], [entry("g", x=9.2)]) == {"b:g": ([], ["b:g"]), "project-7": (["b:c"], [])}


def test_words():
    (project,) = projects_of(
        [entry("a", "7", name="Phase 2", status="Permitted"), entry("b", "7", name="Square", status="Approved")],
        [entry("c", name="Garage", status="to go")],
    )
    project.coming.append(entry("d", "7", name="Square", status="Approved"))
    words = words_of(project, (-71.06, 42.36), "models of 2021", 2026)
    assert words.name.en == "Square"
    assert "3 to come, 1 to go (Permitted, Approved, to go)" in words.summary.en
    assert "新建3栋，拆除1栋" in words.summary.zh
    assert words.tour[0]["view"].startswith("-71.060000,42.360000,")


def test_a_model_stands_where_its_object_did():
    x, y, z = 236_000.0, 901_000.0, 12.5
    box = np.array([[0, 0, 0], [30, 0, 0], [30, 20, 0], [0, 20, 0]], dtype=float) + np.array([x, y, z])
    top = box + np.array([0, 0, 40.0])
    walls = [np.stack([box[i], box[(i + 1) % 4], top[(i + 1) % 4], top[i]]) for i in range(4)]
    body = multi_surface("3", [[box[::-1]], [top], *([wall] for wall in walls)])
    model = model_of(CityObject("b:x", "+Proposal", geometries=(multi_surface("1", [[box]]), body)))
    assert model.anchor == (x + 15, y + 10)
    assert model.ground_m == z
    triangles = model.triangles
    assert len(triangles) == 12
    np.testing.assert_allclose(triangles.reshape(-1, 3).min(axis=0), [-15, -10, 0], atol=1e-3)
    np.testing.assert_allclose(triangles.reshape(-1, 3).max(axis=0), [15, 10, 40], atol=1e-3)


@pytest.mark.parametrize("geometries", [(), (multi_surface("1", [[np.zeros((3, 3))]]),)])
def test_what_has_no_body_is_no_model(geometries):
    assert model_of(CityObject("b:x", "+Proposal", geometries=geometries)) is None
