"""The city over HTTP: summary, objects, search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query

from cim.city.service import CityService
from cim.city.telling.service import ObjectTeller

SEARCH_LIMIT_MAX = 50
VERSION_MAX = 2**62


def city_router(
    city: CityService,
    *,
    extra: Callable[[], Mapping[str, Any]],
    datastreams_of: Callable[[str], list[dict[str, Any]]],
    teller: ObjectTeller,
) -> APIRouter:
    """Build the routes; ``extra`` adds members to the summary, ``datastreams_of`` the sensors on an object.

    Handlers are plain functions: the framework runs them in its threads, so that a query never
    holds up the live stream.
    """
    router = APIRouter(prefix="/api/v1", tags=["city"])

    @router.get("/city")
    def read_city() -> dict[str, Any]:
        """Return the city in one answer: frame, extent, counts, sources."""
        return {**city.summary(), **extra()}

    @router.get("/search")
    def search(
        q: Annotated[str, Query(max_length=200)], limit: Annotated[int, Query(ge=1, le=SEARCH_LIMIT_MAX)] = 10
    ) -> dict[str, Any]:
        """Find objects by name, address, use or id."""
        return {"query": q, "items": city.search(q, limit)}

    @router.get("/objects/{identifier:path}")
    def read_object(
        identifier: str, baseline_version: Annotated[int | None, Query(ge=1, le=VERSION_MAX)] = None
    ) -> dict[str, Any]:
        """Return what is known of an object: facts, sources, conflicts, history, and the sensors on it."""
        card = teller.tell(identifier) if baseline_version is None else teller.tell_at(identifier, baseline_version)
        return {**card, "datastreams": datastreams_of(identifier)}

    return router
