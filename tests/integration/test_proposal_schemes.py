"""What a catalogue has as proposed becomes schemes, once, with the models where they are catalogued."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from cim.accounts.model import Role
from cim.city.columns import columns_to_objects
from cim.city.model import Attribute, CityObject
from cim.city.service import CityService
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.errors import InvalidInput
from cim.geometry.surfaces import Geometry, multi_surface
from cim.jobs.model import Job
from cim.live.hub import LiveHub
from cim.ports import SystemClock
from cim.schemes.realise import realise
from cim.wiring.schemes import wire_planning
from ingest.proposal_models import model_of
from ingest.proposal_schemes import ProposalSchemesKind
from ingest.worker import _read_table
from tests.support.scheme_city import AT, X, Y, deliver, house, plain_city


def tower(x: float, height_m: float) -> Geometry:
    foot = np.array([[0, 0, 0], [20, 0, 0], [20, 12, 0], [0, 12, 0]], dtype=float) + np.array([x, Y, 3.0])
    top = foot + np.array([0, 0, height_m])
    walls = [np.stack([foot[i], foot[(i + 1) % 4], top[(i + 1) % 4], top[i]]) for i in range(4)]
    return multi_surface("3", [[foot[::-1]], [top], *([wall] for wall in walls)])


def proposal(key: str, x: float, height_m: float = 60.0) -> CityObject:
    facts = {"name": "New Square", "status": "Approved", "project_id": "7", "lifecycle": "proposed"}
    return CityObject(
        f"test:{key}",
        "+Proposal",
        shapely.box(x, Y, x + 20, Y + 12),
        (tower(x, height_m),),
        {name: Attribute(value) for name, value in facts.items()},
    )


def run(kind: ProposalSchemesKind, job: Job) -> dict[str, object]:
    """Both halves of the job in one process."""
    folder = Path(str(kind.begin(job)["rows"]))
    for one in columns_to_objects(_read_table(folder / "objects.arrow"), _read_table(folder / "geometries.arrow")):
        model = model_of(one)
        if model is not None:
            kind.on_payload(job, model)
    return dict(kind.finish(job, {}))


def test_proposals_become_schemes_once(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as directory, Database.open(directory) as database:
        city = CityService(database)
        planning = wire_planning(database, city, LiveHub("e1", clock=SystemClock()), SystemClock())
        kind = ProposalSchemesKind(city, planning, SystemClock(), tmp_path / "work")
        deliver(city, "first", plain_city())
        job = Job("job1", kind.name, "proposals", AT)
        with pytest.raises(InvalidInput) as caught:
            kind.begin(job)
        assert caught.value.problem_code == "no-proposals"
        leaving = house(7, lifecycle="leaving", status="Permitted Demo")
        objects = [
            *plain_city(),
            leaving,
            proposal("new1", X + 285.0),
            proposal("new2", X + 400.0),
            proposal("flat", 0, 0.5),
        ]
        deliver(city, "second", objects)
        told = run(kind, job)
        assert told["schemes"] == 1
        assert told["demolitions"] == 1
        assert told["refused"] == {"no-model": 1}  # half a metre high is no building
        (seen,) = planning.schemes.visible(Role.VISITOR)
        assert seen.words.name.en == "New Square"
        changed = realise(seen.state(), seen.state().base)
        assert changed.pop("test:b7") is None
        boxes = sorted(one.geometries[0].bounds() for one in changed.values() if one is not None)
        np.testing.assert_allclose(
            boxes,
            [(X + 285, Y, 3, X + 305, Y + 12, 63), (X + 400, Y, 3, X + 420, Y + 12, 63)],
            atol=1e-3,
        )
        assert run(kind, Job("job2", kind.name, "proposals", AT))["scheme_ids"] == told["scheme_ids"]
        assert len(planning.schemes.shelf.actors()) == 1
        assert not list((tmp_path / "work").iterdir())
