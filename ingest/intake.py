"""Jobs that take sources into the city: the parent's half, which stores what the child reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from cim.city.merging.naming import MEANT_ATTRIBUTE
from cim.city.merging.service import Declared
from cim.city.model import CityFrame, FirstView, Quarantined
from cim.city.priority import read_priority
from cim.city.service import Also, CityService
from cim.city.store import Act
from cim.city.terrain import TERRAIN_GROUND, TERRAIN_TYPE
from cim.errors import InvalidInput, LimitExceeded
from cim.findings import Finding, Provenance, Verdict, to_discuss
from cim.geometry.crs import WorkingFrame
from cim.jobs.model import Job, JobLimits, QuarantineEntry, Recovery
from cim.jobs.service import append_quarantine
from cim.networks.model import Network
from cim.networks.service import snapshot_of
from cim.ports import Clock
from cim.quality.codes import Policy
from cim.quality.model import QualityNotes
from cim.quality.service import recording
from cim.sensing.model import Datastream, ObservationBatch, StateSeries
from cim.sensing.service import SensingService
from ingest.joining import lay_down
from ingest.prepared import ObjectBatch
from ingest.records import SourceHeader

QUARANTINE_KEPT_MAX: Final = 10_000
"""Quarantined features that a job keeps by name; beyond it they are only counted."""

OBSERVATIONS_MAX: Final = 5_000_000
"""Observations of one file; they are held until all is published together."""


@dataclass(slots=True)
class _Intake:
    """What one running job has handed over besides the objects that are staged."""

    headers: list[SourceHeader] = field(default_factory=list)
    networks: list[Network] = field(default_factory=list)
    datastreams: list[Datastream] = field(default_factory=list)
    states: list[StateSeries] = field(default_factory=list)
    observations: list[ObservationBatch] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    quarantined_by_code: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    notes: QualityNotes | None = None
    objects: int = 0
    reliefs: int = 0
    observation_count: int = 0
    standing: Path | None = None
    """Outlines of the city's buildings, laid down for the child of a source that is joined."""

    def note(self, judgement: Finding | QualityNotes) -> None:
        """Keep what was found, or the report of it all."""
        if isinstance(judgement, QualityNotes):
            self.notes = judgement
        else:
            self.findings.append(judgement)


class IntakeKind:
    """A kind of job that reads a source in a child process and publishes it as one baseline.

    ``params`` of the job: ``path``, ``dataset``, ``title_en``, ``title_zh``, ``time_zone``,
    ``first_view`` (as :class:`FirstView`), ``source_crs``, ``working_crs``, ``network_id``, ``vertical_error_m``
    (each may be ``null``), ``seed`` (for the sample), ``priority`` and ``match_id`` (see
    :class:`cim.city.merging.service.Declared`).
    ``invalid`` is a :class:`cim.quality.codes.Policy`; ``join`` is for :mod:`ingest.joining`.
    Nothing is seen before the whole is published; a job that fails, is cancelled or was interrupted
    leaves the city as it was.
    """

    limits = JobLimits()

    def __init__(
        self,
        name: str,
        entry: str,
        steps: Sequence[str],
        city: CityService,
        sensing: SensingService,
        clock: Clock,
        on_published: Callable[[], None],
    ) -> None:
        self.name = name
        self.entry = entry
        self.steps = tuple(steps)
        self._city = city
        self._sensing = sensing
        self._clock = clock
        self._on_published = on_published
        self._running: dict[str, _Intake] = {}

    def begin(self, job: Job) -> Mapping[str, object]:
        """Forget what an earlier attempt left, and tell the child the CRS and time zone that the city has."""
        _declared(job)
        self._city.discard(job.id)
        self._running[job.id] = _Intake()
        frame = self._city.view.frame
        params = {**job.params, "invalid": _policy(job).value, "year_now": self._clock.now().year}
        if job.params.get("join"):
            self._running[job.id].standing = lay_down(self._city.view.index, str(job.params["dataset"]))
            params["standing"] = str(self._running[job.id].standing)
        return params if frame is None else {**params, "working_crs": frame.crs, "time_zone": frame.time_zone}

    def on_payload(self, job: Job, payload: object) -> None:
        """Stage objects; keep the rest until all is published."""
        intake = self._running[job.id]
        match payload:
            case ObjectBatch():
                self._city.stage(job.id, intake.objects, payload.objects, payload.geometries)
                intake.reliefs += payload.objects["type"].to_pylist().count(TERRAIN_TYPE)
                intake.objects += payload.objects.num_rows
            case SourceHeader():
                self._check_frame(payload)
                intake.headers.append(payload)
            case Network():
                intake.networks.append(payload)
            case Datastream():
                intake.datastreams.append(payload)
            case StateSeries():
                intake.states.append(payload)
            case ObservationBatch():
                self._hold(intake, payload)
            case Quarantined():
                intake.quarantined_by_code[payload.code] += 1
                if len(intake.quarantined) < QUARANTINE_KEPT_MAX:
                    intake.quarantined.append(payload)
            case Finding() | QualityNotes():
                intake.note(payload)
            case _:
                raise TypeError(type(payload).__name__)

    @staticmethod
    def _hold(intake: _Intake, batch: ObservationBatch) -> None:
        intake.observation_count += len(batch.datastream_ids)
        if intake.observation_count > OBSERVATIONS_MAX:
            raise LimitExceeded(
                f"A file may hold {OBSERVATIONS_MAX:,} observations. The city is unchanged.",
                hint="Split it and ingest the parts one by one.",
                limit="observations_max",
                value=OBSERVATIONS_MAX,
            )
        intake.observations.append(batch)

    def _check_frame(self, header: SourceHeader) -> None:
        WorkingFrame(header.working_crs)  # refuses what is not projected and metric, before anything is kept
        frame = self._city.view.frame
        if frame is not None and frame.crs != header.working_crs:
            raise InvalidInput(
                f"The city is kept in {frame.crs}, the source came in {header.working_crs}.",
                hint="Take the source into a data directory of its own.",
                code="city-crs",
                crs=frame.crs,
            )

    def finish(self, job: Job, summary: Mapping[str, object]) -> Mapping[str, object]:
        """Publish everything in one transaction and return what it did to the city."""
        intake = self._running[job.id]
        if not intake.headers:
            raise InvalidInput(
                "The source said nothing of itself.", hint="Look whether the file is empty.", code="source-empty"
            )
        if not (intake.objects or intake.networks or intake.datastreams or intake.observations):
            raise InvalidInput(
                "There is nothing in the source that the city can keep. The city is unchanged.",
                hint=_what_was_wrong(intake.quarantined_by_code),
                code="source-empty",
            )
        now = self._clock.now()
        datasets = [self._dataset(job, header, summary) for header in intake.headers]
        act = Act(job.id, job.actor, job.kind, now)
        published = self._city.publish(act, self._frame(job, intake), datasets, self._also(job, intake), _declared(job))
        self._forget(job)
        self._on_published()
        return {
            "baseline_version": published.baseline_version,
            "added": published.added,
            "changed": published.changed,
            "removed": published.removed,
            "unchanged": published.unchanged,
            "quarantined": intake.quarantined_by_code.total(),
            "quarantined_by_code": dict(intake.quarantined_by_code.most_common()),
            "findings": dict(
                Counter(one.rule for one in intake.findings if one.verdict is not Verdict.PASS).most_common()
            ),
            "networks": [network.id for network in intake.networks],
            "datastreams": len(intake.datastreams),
            **({} if intake.notes is None else intake.notes.summary()),
            **self._city.merge_counts(job.id),
            **published.attached_summary(),
        }

    def _also(self, job: Job, intake: _Intake) -> list[Also]:
        entries = [
            QuarantineEntry(
                dataset=str(job.params["dataset"]),
                native_id=quarantined.feature,
                source_file=_file_name(job),
                code=quarantined.code,
                detail=quarantined.reason,
            )
            for quarantined in intake.quarantined
        ]
        also: list[Also] = [snapshot_of(network) for network in intake.networks]
        now = self._clock.now()
        also.append(lambda connection, _version: append_quarantine(connection, job.id, entries, now))
        if intake.datastreams:
            states = {f"{job.params['dataset']}-{number}": series for number, series in enumerate(intake.states)}
            register = self._sensing.registration(intake.datastreams, states)
            also.append(lambda connection, _version: register(connection))
        if intake.observations:
            record = self._sensing.recording(intake.datastreams, intake.observations)
            also.append(lambda connection, _version: record(connection))
        if intake.notes is not None:
            also.append(recording(job.id, now, intake.notes))
        return also

    def _frame(self, job: Job, intake: _Intake) -> CityFrame:
        present = self._city.view.frame
        if present is not None:
            return replace(present, ground=_ground(present.ground, intake))
        first = intake.headers[0]
        # A source that says no title of its own is called by its file: the city goes without the endings.
        view = job.params.get("first_view")
        # One in a folder or an archive lends the city neither: that is called by the folder.
        own = first.source_file.rpartition("/")[2] or _file_name(job)
        named = _file_name(job).partition(".")[0] if first.title == own else first.title
        return CityFrame(
            slug=str(job.params["dataset"]),
            title_en=str(job.params.get("title_en") or named),
            title_zh=str(job.params.get("title_zh") or job.params.get("title_en") or named),
            crs=first.working_crs,
            vertical_datum=first.vertical_datum,
            ground=_ground(first.ground, intake),
            time_zone=str(job.params.get("time_zone") or "UTC"),
            first_view=FirstView(*view) if isinstance(view, list) else None,
        )

    def _dataset(self, job: Job, header: SourceHeader, summary: Mapping[str, object]) -> Provenance:
        return Provenance(
            dataset=header.dataset or str(job.params["dataset"]),
            title=header.title,
            source_file=header.source_file or _file_name(job),
            source_sha256=str(summary.get("sha256", "")),
            licence=header.licence,
            attribution=header.attribution,
            reader=header.reader,
            reader_version=header.reader_version,
            read_at=self._clock.now(),
            generated=header.generated,
        )

    def abort(self, job: Job) -> None:
        """Forget what was staged: the city is as it was."""
        self._forget(job)
        self._city.discard(job.id)

    def _forget(self, job: Job) -> None:
        intake = self._running.pop(job.id, None)
        if intake is not None and intake.standing is not None:
            intake.standing.unlink(missing_ok=True)

    def recover(self, job: Job) -> Recovery:
        """Roll back, unless the baseline of the job was committed already."""
        self._city.discard(job.id)
        return Recovery.FINISHED if self._city.has_published(job.id) else Recovery.ROLLED_BACK


def _declared(job: Job) -> Declared:
    """Return how the job's parameters say that sources are matched and whose word counts; refuses what says nothing."""
    priority, attribute = job.params.get("priority"), job.params.get("match_id")
    if priority is not None:
        read_priority(str(priority))
    return Declared(None if priority is None else str(priority), str(attribute or MEANT_ATTRIBUTE))


def _policy(job: Job) -> Policy:
    """Return what the job's parameters say becomes of a feature whose geometry is not valid."""
    said = job.params.get("invalid") or Policy.KEEP.value
    if said not in {policy.value for policy in Policy}:
        raise InvalidInput("What is invalid is kept or quarantined.", hint="--invalid keep", code="invalid-policy")
    return Policy(str(said))


def _ground(present: str, intake: _Intake) -> str:
    """Return what the city stands on once a source is in it: its own relief, unless its heights are above ground."""
    if not intake.reliefs:
        return present
    if present != "flat":
        return TERRAIN_GROUND
    intake.note(to_discuss("relief-on-flat-ground", "", intake.reliefs))
    return present


def _what_was_wrong(quarantined_by_code: Counter[str]) -> str:
    """Say how many features were put aside and why most of them were; nothing where none was."""
    return "".join(
        f"Features put aside: {quarantined_by_code.total():,}; the commonest reason: {code}."
        for code, _ in quarantined_by_code.most_common(1)
    )


def _file_name(job: Job) -> str:
    return str(job.params.get("path", "")).rpartition("/")[2] or str(job.params["dataset"])
