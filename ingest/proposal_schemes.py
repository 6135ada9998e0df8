"""The job that makes schemes of what a city's catalogue has as proposed, with the real models."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import shapely

from cim.accounts.model import Who
from cim.city.service import CityService
from cim.errors import CimError, InvalidInput
from cim.jobs.model import Job, JobLimits, Recovery
from cim.ports import Clock
from cim.schemes.service import Wish
from cim.wiring.schemes import Planning
from ingest.proposals import Entry, Project, ProposedModel, projects_of, words_of
from ingest.readers.catalogue import LEAVING, LIFECYCLE, PROPOSAL
from ingest.workspace import Workspace, write_table

AUTHOR: Final = "catalogue"
PROPOSALS_MAX: Final = 2_000
"""Models that schemes are made of in one job."""


class ProposalSchemesKind:
    """Makes one published scheme of each project: its models added, what goes for it demolished.

    ``params``: ``dataset`` (``null`` for all), ``publish``.  A second run makes only what has changed.
    """

    name = "proposal-schemes"
    entry = "ingest.worker:model_proposals"
    steps = ("models",)
    limits = JobLimits()

    def __init__(self, city: CityService, planning: Planning, clock: Clock, workspace: Path) -> None:
        self._city = city
        self._schemes = planning.schemes
        self._joining = planning.joining
        self._models = planning.models
        self._clock = clock
        self._workspace = Workspace(workspace, "proposals")
        self._read: dict[str, dict[str, ProposedModel]] = {}

    def begin(self, job: Job) -> Mapping[str, object]:
        """Lay the proposals down and return where; raises :class:`InvalidInput` where there are none."""
        coming, going = self._entries(job)
        if not coming and not going:
            raise InvalidInput(
                "The city has no proposals from a catalogue.",
                hint="Ingest a collection of models whose mapping declares status.proposed or status.leaving.",
                code="no-proposals",
            )
        if len(coming) > PROPOSALS_MAX:
            raise InvalidInput(
                f"The city has {len(coming):,} proposals; {PROPOSALS_MAX:,} become schemes at once.",
                hint="Name one dataset.",
                code="proposals-max",
                limit=PROPOSALS_MAX,
            )
        self._read[job.id] = {}
        folder = self._workspace.lay_out(job)
        objects, geometries = self._city.rows_at(self._city.baseline_version, [one.id for one in coming])
        write_table(folder / "objects.arrow", objects)
        write_table(folder / "geometries.arrow", geometries)
        return {"rows": str(folder)}

    def _entries(self, job: Job) -> tuple[list[Entry], list[Entry]]:
        """Return what is to come and what is to go."""
        index = self._city.view.index
        dataset = job.params.get("dataset")
        rows = [
            *index.rows_of_type.get(PROPOSAL, []),
            *(row for row in index.rows_of_type.get("Building", []) if f'"{LIFECYCLE}"' in index.attributes_json(row)),
        ]
        coming: list[Entry] = []
        going: list[Entry] = []
        for row in rows:
            if dataset is not None and index.ids[row].partition(":")[0] != dataset:
                continue
            said = {name: str(attribute.value or "") for name, attribute in index.attributes(row).items()}
            entry = Entry(
                index.ids[row],
                said.get("name", ""),
                said.get("status", ""),
                said.get("project_id", ""),
                said.get("parcel_id", ""),
                index.places[row],
            )
            if index.types[row] == PROPOSAL:
                coming.append(entry)
            elif said.get(LIFECYCLE) == LEAVING:
                going.append(entry)
        return coming, going

    def on_payload(self, job: Job, payload: object) -> None:
        """Keep a model until all are there."""
        if not isinstance(payload, ProposedModel):
            raise TypeError(type(payload).__name__)
        self._read[job.id][payload.id] = payload

    def finish(self, job: Job, summary: Mapping[str, object]) -> Mapping[str, object]:
        """Make the schemes, publish them, and return how many and what could not be done."""
        models = self._read.pop(job.id)
        self._workspace.clear(job)
        projects = projects_of(*self._entries(job))
        refused: Counter[str] = Counter()
        made = [
            self._scheme(project, models, refused, publish=job.params.get("publish") is not False)
            for project in projects
        ]
        return {
            **summary,
            "schemes": len(made),
            "models": sum(len(project.coming) for project in projects),
            "demolitions": sum(len(project.going) for project in projects),
            "scheme_ids": made,
            "refused": dict(refused),
        }

    def _scheme(
        self, project: Project, models: Mapping[str, ProposedModel], refused: Counter[str], *, publish: bool
    ) -> str:
        key = _key(project, models)
        middle = shapely.union_all([entry.place for entry in project.entries if entry.place is not None]).centroid
        lon, lat = self._city.working.to_lonlat(np.array([[middle.x, middle.y]]))[0].tolist()
        words = words_of(project, (lon, lat), self._title(project), self._clock.now().year)
        scheme_id = self._schemes.create(words, Who(AUTHOR, key)).scheme.id
        wishes = [Wish("building.demolish", entry.id) for entry in project.going]
        for entry in project.coming:
            model = models.get(entry.id)
            if model is None:
                refused["no-model"] += 1
                continue
            digest = self._models.hold(model.triangles)
            params = {"model": digest, "anchor": list(model.anchor), "ground_m": round(model.ground_m, 3)}
            wishes.append(Wish("model.add", None, {**params, "name": entry.name or project.name, "use": "other"}))
        for number, wish in enumerate(wishes):
            try:
                self._schemes.edit(scheme_id, wish, Who(AUTHOR, f"{key}-{number}"))
            except CimError as error:
                refused[error.problem_code] += 1
        if publish:
            self._joining.publish(scheme_id, Who(AUTHOR, f"{key}-publish"))
        return scheme_id

    def _title(self, project: Project) -> str:
        slug = project.entries[0].id.partition(":")[0]
        return next((one.title for one in self._city.view.datasets if one.dataset == slug), slug)

    def abort(self, job: Job) -> None:
        """Forget the models; schemes that were made stay."""
        self._read.pop(job.id, None)
        self._workspace.clear(job)

    def recover(self, job: Job) -> Recovery:
        """Begin again: a write that was made is found by its key."""
        self._workspace.clear(job)
        return Recovery.RESUME


def _key(project: Project, models: Mapping[str, ProposedModel]) -> str:
    """Return a name of a project as it is: the same catalogue makes no scheme twice."""
    digest = hashlib.sha256(project.key.encode())
    for entry in project.entries:
        digest.update(f"\n{entry.id} {entry.status}".encode())
        if entry.id in models:
            digest.update(models[entry.id].triangles.tobytes())
    return f"catalogue-{digest.hexdigest()[:24]}"
