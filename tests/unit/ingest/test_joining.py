"""A source that is joined gives facts, not buildings."""

import numpy as np
import pytest
import shapely

from cim.city.columns import objects_to_columns
from cim.city.index import CityIndex
from cim.city.model import Attribute, CityObject
from cim.errors import InvalidInput
from cim.findings import Finding, Quality
from ingest import joining
from ingest.joining import Standing, joined, lay_down, take_up

BOXES = {"new:a": (0, 0, 10, 10), "new:b": (20, 0, 25, 10), "new:c": (25, 0, 30, 10), "new:d": (100, 0, 110, 10)}
STANDING = Standing(list(BOXES), np.array([shapely.box(*one) for one in BOXES.values()], dtype=object))


def footprint(key, box, storeys=3):
    facts = {"storeys_above_ground": Attribute(storeys), "function": Attribute("office")}
    return CityObject(f"old:{key}", "Building", shapely.box(*box), attributes=facts)


def test_each_building_gets_the_facts_of_what_covers_most_of_it():
    sources = [
        footprint("1", (0.2, 0.1, 10.1, 9.9)),
        footprint("2", (19, 0, 31, 10), 5),
        footprint("3", (0, 0, 4, 10)),
        footprint("4", (500, 0, 510, 10)),
        footprint("5", (106, 0, 120, 10)),
        CityObject("old:tree", "SolitaryVegetationObject", shapely.Point(0, 0)),
    ]
    found = list(joined(iter(sources), STANDING))
    made = {one.id: one for one in found if isinstance(one, CityObject)}
    assert list(made) == ["old:tree", "old:1", "old:2@b", "old:2@c"]
    assert made["old:1"].attributes["same_as"].value == "new:a"
    assert made["old:1"].attributes["storeys_above_ground"].quality is Quality.RECORDED
    assert made["old:2@b"].attributes["storeys_above_ground"].quality is Quality.MODELLED
    assert made["old:2@b"].attributes["storeys_above_ground"].value == 5
    assert made["old:2@b"].attributes["function"].quality is Quality.RECORDED
    (told,) = (one for one in found if isinstance(one, Finding))
    assert told.measured == 3
    assert told.params == {"used": 2, "contributions": 3}


def test_the_order_of_the_source_does_not_matter():
    sources = [footprint(str(n), (n % 7, 0, n % 7 + 8, 10)) for n in range(20)]
    one = [made.id for made in joined(iter(sources), STANDING) if isinstance(made, CityObject)]
    other = [made.id for made in joined(iter(sources[::-1]), STANDING) if isinstance(made, CityObject)]
    assert one == other == ["old:0"]


def test_the_outlines_come_back_as_they_were_laid_down(tmp_path, monkeypatch):
    objects = [CityObject(name, "Building", shapely.box(*box)) for name, box in BOXES.items()]
    objects += [CityObject("old:x", "Building", shapely.box(0, 0, 1, 1)), CityObject("new:r", "Road")]
    table, _ = objects_to_columns(objects)
    import pyarrow as pa

    rows = pa.Table.from_batches([table]).append_column("baseline_version", pa.array([1] * len(objects)))
    path = lay_down(CityIndex(rows, 1), "old")
    try:
        back = take_up(path)
    finally:
        path.unlink()
    assert back.ids == STANDING.ids
    assert shapely.equals(back.places, STANDING.places).all()


def test_too_many_are_refused(monkeypatch):
    monkeypatch.setattr(joining, "JOINED_MAX", 2)
    with pytest.raises(InvalidInput) as caught:
        list(joined(iter([footprint(str(n), (0, 0, 1, 1)) for n in range(3)]), STANDING))
    assert caught.value.problem_code == "joined-max"
