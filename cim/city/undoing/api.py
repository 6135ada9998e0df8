"""What a job did to the city over HTTP: its report, whether it may be taken back, taking it back."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header

from cim.accounts.model import Role
from cim.city.service import CityService
from cim.city.undoing.service import LISTED_MAX, UNDO, UndoService
from cim.jobs.model import as_json
from cim.jobs.service import JobService
from cim.web.asking import Asking, author_name


def undo_router(city: CityService, undo: UndoService, jobs: JobService, asking: Asking) -> APIRouter:
    """Build the routes; ``asking`` tells planners, who may take back, from others."""
    router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

    @router.get("/{job_id}/merge", summary="What a job's delivery did to the city, and what lost its object")
    def read_merge(job_id: str, role: Annotated[Role, Depends(asking.role)]) -> dict[str, Any]:
        job = jobs.get(job_id)
        report = undo.report(job_id)
        gone = city.attached_to(undo.went(job_id))
        return {
            **report,
            "job": {"kind": job.kind, "title": job.title},
            "attached_gone": {
                "count": len(gone),
                "items": [one.json() for one in gone if one.is_public or role is Role.PLANNER],
            },
        }

    @router.get("/{job_id}/undo", summary="Whether a job may be taken back, and what was built upon it")
    def look_back(job_id: str) -> dict[str, Any]:
        jobs.get(job_id)
        version, later = undo.look(job_id)
        return {
            "job_id": job_id,
            "baseline_version": version,
            "possible": not later,
            "built_upon": {"count": len(later), "items": [one._asdict() for one in later[:LISTED_MAX]]},
        }

    @router.post(
        "/{job_id}/undo",
        summary="Take back what a job did",
        status_code=202,
        dependencies=[Depends(asking.planner)],
    )
    def take_back(job_id: str, cim_author: Annotated[str, Header(max_length=400)] = "") -> dict[str, Any]:
        job = jobs.get(job_id)
        undo.check(job_id)
        queued = jobs.submit(UNDO, {"job": job_id}, title=f"undo {job.title}"[:200], actor=author_name(cim_author))
        return as_json(queued)

    return router
