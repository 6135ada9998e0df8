"""Reports kept with the jobs that they are about, and told in degrees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import duckdb
import numpy as np

from cim.city.service import CityService
from cim.db.store import Database
from cim.errors import NotFound
from cim.geometry.crs import WorkingFrame
from cim.jobs.model import Job
from cim.quality import store
from cim.quality.model import QualityNotes


def recording(job_id: str, at: datetime, notes: QualityNotes) -> Callable[[duckdb.DuckDBPyConnection, int], None]:
    """Return what stores a report in the transaction that publishes what it is about."""
    return lambda connection, version: store.insert_report(connection, job_id, version, at, notes.document)


class QualityService:
    """Answers what was found wrong with a delivery."""

    def __init__(self, database: Database, city: CityService) -> None:
        self._database = database
        self._city = city

    def record(self, job_id: str, version: int, at: datetime, notes: QualityNotes) -> None:
        """Store a report by itself; it is durable when this returns."""
        self._database.submit(lambda connection: recording(job_id, at, notes)(connection, version)).result()

    def report(self, job: Job) -> dict[str, Any]:
        """Return the report of a job; raises :class:`NotFound` where it has none."""
        with self._database.read() as cursor:
            found = store.load_report(cursor, job.id)
        if found is None:
            raise NotFound(
                "The job has no report.",
                hint="Deliveries and `cim quality` have one, once they have succeeded.",
                code="quality-report",
            )
        version, made_at, document = found
        return {
            "job": job.id,
            "kind": job.kind,
            "title": job.title,
            "dataset": job.params.get("dataset"),
            "baseline_version": version,
            "made_at": made_at.isoformat().replace("+00:00", "Z"),
            **in_degrees(document, self._city.working),
        }


def in_degrees(document: dict[str, Any], frame: WorkingFrame) -> dict[str, Any]:
    """Return a report with its places as longitude, latitude and height."""
    extent = document["extent"]
    return {
        **document,
        "extent": None if extent is None else [round(degree, 7) for degree in frame.bbox_to_lonlat(tuple(extent))],
        "faults": [_fault_in_degrees(fault, frame) for fault in document["faults"]],
    }


def _fault_in_degrees(fault: dict[str, Any], frame: WorkingFrame) -> dict[str, Any]:
    worst = fault["worst"]
    there = [one for one in worst if one["place"] is not None]
    degrees = frame.to_lonlat(np.array([one["place"] for one in there])) if there else np.empty((0, 2))
    places = iter([[round(lon, 7), round(lat, 7)] for lon, lat in degrees.tolist()])
    told = [{**one, "place": None if one["place"] is None else [*next(places), one["place"][2]]} for one in worst]
    return {**fault, "worst": told}
