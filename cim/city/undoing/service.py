"""Taking back what a job did, as a job of its own that can be taken back in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import duckdb

from cim.city import store
from cim.city.service import CityService
from cim.city.store import Act, Published
from cim.city.undoing.store import Later, baseline_of, built_upon, read_delivery, read_gone, take_back
from cim.db.store import Database
from cim.errors import Conflict, NotFound
from cim.jobs.model import Job, JobLimits, Recovery
from cim.ports import Clock

LISTED_MAX: Final = 1_000
"""Entries of the list of what later jobs changed; the count is of all."""

NAMED_MAX: Final = 10
"""Of those, how many a refusal names."""

UNDO: Final = "undo"


class UndoService:
    """Says whether a job may be taken back, and takes it back."""

    def __init__(self, database: Database, city: CityService) -> None:
        self._database = database
        self._city = city

    def look(self, job_id: str) -> tuple[int, Sequence[Later]]:
        """Return the baseline that a job published and what later ones changed of it.

        Raises :class:`NotFound` (``undo-nothing``) for a job that published none.
        """
        with self._database.read() as cursor:
            return _look(cursor, job_id)

    def check(self, job_id: str) -> int:
        """Return the baseline of a job that may be taken back; raises :class:`Conflict` (``undo-built-upon``)."""
        version, later = self.look(job_id)
        _refuse_built_upon(later)
        return version

    def report(self, job_id: str) -> dict[str, Any]:
        """Return what a job's delivery did: what changed, and where it met other sources how it was merged.

        Raises :class:`NotFound` (``undo-nothing``) for a job that published nothing.
        """
        with self._database.read() as cursor:
            version = _published(cursor, job_id)
            added, changed, removed = read_delivery(cursor, version)
        merged = self._city.merge_report(job_id)
        return {
            "job_id": job_id,
            "baseline_version": version,
            "delivery": {"added": added, "changed": changed, "removed": removed},
            "merged": merged is not None,
            **(merged or {}),
        }

    def went(self, job_id: str) -> set[str]:
        """Return the ids of objects that the city showed until a job, and does not show now."""
        with self._database.read() as cursor:
            version = _published(cursor, job_id)
            gone = read_gone(cursor, version)
        return {identifier for identifier in gone if identifier not in self._city.view.index.row_of}

    def take_back(self, act: Act, job_id: str) -> Published:
        """Publish a baseline that says again what was said before a job; all or nothing."""
        with self._database.bench() as bench, self._city.committer.next_baseline(bench) as new:

            def gather(connection: duckdb.DuckDBPyConnection) -> Published:
                version, later = _look(connection, job_id)
                _refuse_built_upon(later)
                return Published(new, *take_back(connection, version, new, act.at), 0)

            published = bench.run(gather)
            self._city.committer.commit(bench, new, lambda c: store.write_baseline(c, act, published))
        return replace(published, attached=self._city.reload_and_look())


class UndoKind:
    """The job that takes back another, named by ``params["job"]``.

    There is nothing to compute in a child: it only begins and ends.
    """

    name = UNDO
    entry = "ingest.idle:rest"
    steps = ("undo",)
    limits = JobLimits()

    def __init__(self, undo: UndoService, city: CityService, clock: Clock) -> None:
        self._undo = undo
        self._city = city
        self._clock = clock

    def begin(self, job: Job) -> Mapping[str, object]:
        """Refuse early what would be refused."""
        self._undo.check(str(job.params.get("job", "")))
        return {}

    def on_payload(self, job: Job, payload: object) -> None:  # noqa: ARG002 -- the kind's own form
        """Nothing comes."""
        raise TypeError(type(payload).__name__)

    def finish(self, job: Job, summary: Mapping[str, object]) -> Mapping[str, object]:
        """Take back, in one transaction, and return what it did to the city."""
        undone = str(job.params.get("job", ""))
        published = self._undo.take_back(Act(job.id, job.actor, job.kind, self._clock.now()), undone)
        return {
            **summary,
            "undone": undone,
            "baseline_version": published.baseline_version,
            "added": published.added,
            "changed": published.changed,
            "removed": published.removed,
            **published.attached_summary(),
        }

    def abort(self, job: Job) -> None:
        """Nothing was begun."""

    def recover(self, job: Job) -> Recovery:
        """Leave the city as it was, unless the baseline of the job was committed already."""
        return Recovery.FINISHED if self._city.has_published(job.id) else Recovery.ROLLED_BACK


def _look(connection: duckdb.DuckDBPyConnection, job_id: str) -> tuple[int, list[Later]]:
    version = _published(connection, job_id)
    return version, built_upon(connection, version)


def _published(connection: duckdb.DuckDBPyConnection, job_id: str) -> int:
    version = baseline_of(connection, job_id)
    if version is None:
        raise NotFound(
            "That job published nothing that could be taken back.",
            hint="`GET /api/v1/jobs` lists the jobs; those that took something in have a baseline.",
            code="undo-nothing",
            id=job_id[:80],
        )
    return version


def _refuse_built_upon(later: Sequence[Later]) -> None:
    if not later:
        return
    named = ", ".join(one.id for one in later[:NAMED_MAX])
    raise Conflict(
        f"Later jobs changed {len(later)} of the things that this one touched: {named}. The city is unchanged.",
        hint="Take the later jobs back first, the newest first.",
        code="undo-built-upon",
        count=len(later),
        named=named,
        jobs=", ".join(sorted({one.job_id for one in later if one.job_id})[:NAMED_MAX]),
    )
