"""Datastreams and observations over HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from cim.errors import InvalidInput, LimitExceeded
from cim.sensing.model import ObservationBatch
from cim.sensing.service import SensingService

SERIES_LIMIT = 2_000


class ObservationIn(BaseModel):
    """One observation as it is sent in, named as in the live frames."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=256)]
    t: AwareDatetime
    v: Annotated[float, Field(allow_inf_nan=False)]


class ObservationsIn(BaseModel):
    """A batch of observations."""

    model_config = ConfigDict(extra="forbid")

    items: list[ObservationIn]


_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["items"],
                "additionalProperties": False,
                "properties": {"items": {"type": "array", "items": ObservationIn.model_json_schema()}},
            }
        }
    },
}


def _read_batch(body: bytes, items_max: int) -> ObservationBatch:
    """Read a request's body; an own step, because Python's JSON reader lets NaN through."""
    try:
        items = ObservationsIn.model_validate(orjson.loads(body)).items
    except orjson.JSONDecodeError:
        raise InvalidInput("The request is not JSON.", code="observation-json") from None
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors(include_url=False, include_input=False)[0]["loc"])
        raise InvalidInput(
            "The request is not a batch of observations; see the member named.",
            hint='Send {"items":[{"id":"…","t":"2026-11-22T12:00:00Z","v":41.2}]}; times need a zone.',
            code="observation-items",
            member=where,
        ) from None
    if len(items) > items_max:
        raise LimitExceeded(
            f"One request may carry {items_max} observations.",
            hint="Send several requests.",
            limit="post_items_max",
            value=items_max,
        )
    return ObservationBatch(
        [item.id for item in items],
        np.array([round(item.t.timestamp() * 1e6) for item in items], np.int64).view("datetime64[us]"),
        np.array([item.v for item in items], np.float64),
    )


def sensing_router(sensing: SensingService, *, may_write: Callable[..., Any]) -> APIRouter:
    """Return the routes under ``/api/v1``; ``may_write`` is a dependency that raises where writing is refused.

    Questions are plain functions: the framework runs them in its threads, so that a query never
    holds up the live stream.
    """
    router = APIRouter(prefix="/api/v1", tags=["sensing"])

    @router.get("/datastreams")
    def read_datastreams() -> dict[str, Any]:
        """Return all datastreams with their latest observation."""
        return {"items": sensing.cards()}

    @router.get("/datastreams/{datastream_id:path}/observations")
    def read_series(
        datastream_id: str,
        begin: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        end: Annotated[AwareDatetime | None, Query(alias="to")] = None,
        limit: int = SERIES_LIMIT,
    ) -> dict[str, Any]:
        """Return a series in order of time; `thinned` says whether its items are means over `bucket_s`."""
        return sensing.series(datastream_id, begin, end, limit)

    @router.get("/datastreams/{datastream_id:path}")
    def read_datastream(datastream_id: str) -> dict[str, Any]:
        """Return one datastream with its latest observation."""
        return sensing.card(datastream_id)

    @router.post(
        "/observations", status_code=201, dependencies=[Depends(may_write)], openapi_extra={"requestBody": _BODY}
    )
    async def append(
        request: Request, idempotency_key: Annotated[str | None, Header(max_length=200)] = None
    ) -> dict[str, Any]:
        """Store observations; the answer comes when they are durable. Rows that cannot be stored are named."""
        body = await request.body()
        batch = _read_batch(body, sensing.limits.post_items_max)
        appended = await sensing.append_observations(
            batch,
            idempotency_key=idempotency_key,
            fingerprint=hashlib.sha256(body).hexdigest(),
        )
        return {
            "batch_id": appended.batch_id,
            "accepted": appended.accepted,
            "refused": [{"row": row, "code": code} for row, code in appended.refused],
        }

    return router
