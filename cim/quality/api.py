"""What was found wrong with a delivery, over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from cim.jobs.service import JobService
from cim.quality.service import QualityService


class WorstBody(BaseModel):
    """A feature that has a fault: what was measured, in the unit of the fault, and where, in degrees and metres."""

    id: str
    lod: str | None
    measured: float
    place: list[float] | None


class FaultBody(BaseModel):
    """One kind of fault; geometry has the codes of val3dity, attributes and coverage codes of their own."""

    code: str
    name: str
    group: str
    unit: str
    occurrences: int
    objects: int
    worst: list[WorstBody]


class PutAsideBody(BaseModel):
    """Features that did not go in, by reason; ``code`` where a fault of geometry was the reason."""

    reason: str
    features: int
    code: str | None


class FactBody(BaseModel):
    """How many objects of a type have a fact: recorded by the source, derived from others, or not at all."""

    name: str
    recorded: int
    derived: int
    missing: int


class CompletenessBody(BaseModel):
    """What is known of the objects of one type."""

    type: str
    objects: int
    attributes: list[FactBody]


class CountsBody(BaseModel):
    """How much was looked at; ``invalid`` counts objects whose geometry has a fault."""

    objects: int
    invalid: int
    geometries: int
    surfaces: int
    shells: int


class TolerancesBody(BaseModel):
    """What counted as the same place, as plane, as one direction."""

    snap_m: float
    plane_m: float
    normals_deg: float


class QualityBody(BaseModel):
    """The report of one delivery."""

    job: str
    kind: str
    title: str
    dataset: str | None
    baseline_version: int
    made_at: str
    policy: str
    tolerances: TolerancesBody
    counts: CountsBody
    faults: list[FaultBody]
    completeness: list[CompletenessBody]
    extent: list[float] | None
    put_aside: list[PutAsideBody]
    not_looked_for: list[str]


def quality_router(service: QualityService, jobs: JobService) -> APIRouter:
    """Return the route of reports."""
    router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

    @router.get("/{job_id}/quality", summary="What was found wrong with a delivery")
    def get_quality(job_id: str) -> QualityBody:
        found: dict[str, Any] = service.report(jobs.get(job_id))
        return QualityBody.model_validate(found)

    return router
