"""The sample's ready schemes: made once on the real city, published, sound where they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from cim.accounts.model import Role
from cim.config import Settings
from cim.main import City, open_city, run_job
from ingest.sample.schemes import SITE, make_missing_schemes, sample_schemes


@pytest.fixture(scope="module")
def sample_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data: Path = tmp_path_factory.mktemp("sample-schemes")
    with open_city(data, Settings(data=data)) as opened:
        job = run_job(opened, "sample", {"dataset": "helsinki-sample", "seed": 1}, "Sample city", lambda _job: None)
        assert job["state"] == "succeeded"
    return data


def _published(opened: City) -> dict[str, str]:
    seen = opened.planning.schemes.visible(Role.VISITOR)
    return {one.words.name.en: one.actor.scheme.id for one in seen}


def test_three_schemes_come_with_the_sample_and_only_once(sample_city: Path) -> None:
    with open_city(sample_city, Settings(data=sample_city)) as opened:
        before = _published(opened)
        assert list(before) == ["Mid-rise courtyards", "Towers", "Park first"]
        assert make_missing_schemes(opened.planning.schemes, opened.planning.joining) == []
        assert _published(opened) == before


def test_they_stand_on_the_square_and_break_nothing(sample_city: Path) -> None:
    with open_city(sample_city, Settings(data=sample_city)) as opened:
        schemes = opened.planning.schemes
        index = schemes.city.view.index
        square = index.places[index.row_of[SITE]]
        for scheme_id in _published(opened).values():
            seen = schemes.seen(scheme_id, Role.VISITOR)
            state = seen.state()
            new = [t for t in state.targets if state.exists(t) and state.base.fields(t) is None]
            buildings = [t for t in new if state.type_of(t) == "Building"]
            assert buildings
            found = schemes.findings(seen)
            assert [f for f in found if f.rule.startswith("placing.")] == []
            # Park first closes a street among others: nobody is cut off by that.
            assert [f for f in found if f.rule == "street-isolates"] == []
            for target in buildings:
                rings = state.value(target, "footprint")
                assert all(square.buffer(0.01).covers(shapely.Point(point)) for point in rings[0])


def test_all_that_is_said_is_said_twice_and_says_that_it_is_generated() -> None:
    for plot in sample_schemes():
        words = plot.words
        assert words.name.en
        assert words.name.zh
        assert "Generated" in words.summary.en
        assert "生成" in words.summary.zh
        assert len(words.tour) == 2
