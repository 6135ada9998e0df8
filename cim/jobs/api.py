"""Jobs over HTTP: list, look, cancel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, Field

from cim.accounts.tokens import bearer, same
from cim.jobs.model import as_json, as_public_json
from cim.jobs.service import JobService


class StepBody(BaseModel):
    """One step of a job."""

    name: str
    state: str
    done: int
    total: int | None
    unit: str
    rate_per_s: float | None
    remaining_s: float | None


class JobBody(BaseModel):
    """One job as a client sees it; ``error`` holds the members of an RFC 9457 problem."""

    id: str
    kind: str
    title: str
    state: str
    steps: list[StepBody]
    queued_ahead: int
    created_at: str
    started_at: str | None
    ended_at: str | None
    error: dict[str, Any] | None
    summary: dict[str, Any]


class JobListBody(BaseModel):
    """All jobs, newest first."""

    items: list[JobBody]


class QuarantineBody(BaseModel):
    """A feature that was not taken in, and why."""

    dataset: str
    native_id: str
    source_file: str
    code: str
    detail: str
    params: dict[str, Any]


class QuarantineListBody(BaseModel):
    """What a job set aside, the first thousand."""

    items: list[QuarantineBody]


class SubmitBody(BaseModel):
    """A job that somebody wants run; ``params`` are those of its kind."""

    kind: Annotated[str, Field(max_length=40)]
    title: Annotated[str, Field(max_length=200)] = ""
    params: Annotated[dict[str, str | int | float | bool | None], Field(max_length=20)] = {}


def jobs_router(service: JobService, *, may_write: Callable[..., Any], tokens: Sequence[str] = ()) -> APIRouter:
    """Return the routes of ``/api/v1/jobs``; ``may_write`` raises where somebody may not submit or cancel.

    Who shows one of ``tokens`` sees the summaries that are not for everybody.
    """
    router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

    @router.get("", summary="All jobs, newest first")
    def list_jobs() -> JobListBody:
        return JobListBody.model_validate({"items": [as_public_json(job) for job in service.list()]})

    @router.get("/{job_id}", summary="One job")
    def get_job(job_id: str, authorization: Annotated[str, Header(max_length=300)] = "") -> JobBody:
        seen = any(same(bearer(authorization), token) for token in tokens)
        return JobBody.model_validate((as_json if seen else as_public_json)(service.get(job_id)))

    @router.post("", summary="Queue a job", status_code=202, dependencies=[Depends(may_write)])
    def submit_job(body: SubmitBody) -> JobBody:
        return JobBody.model_validate(as_json(service.submit(body.kind, body.params, title=body.title)))

    @router.post("/{job_id}/cancel", summary="Ask a job to stop", dependencies=[Depends(may_write)])
    def cancel_job(job_id: str) -> JobBody:
        return JobBody.model_validate(as_json(service.cancel(job_id)))

    @router.get("/{job_id}/quarantine", summary="What a job set aside")
    def list_quarantine(job_id: str) -> QuarantineListBody:
        items = [
            {
                "dataset": entry.dataset,
                "native_id": entry.native_id,
                "source_file": entry.source_file,
                "code": entry.code,
                "detail": entry.detail,
                "params": dict(entry.params),
            }
            for entry in service.quarantine(job_id)
        ]
        return QuarantineListBody.model_validate({"items": items})

    return router
