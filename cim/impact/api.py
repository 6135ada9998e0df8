"""Indicators over HTTP: what there is, what a scheme does, schemes side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter, Header, Query, Response

from cim.errors import InvalidInput, LimitExceeded, NotFound
from cim.findings import Finding
from cim.impact.graph import Case
from cim.impact.model import Reading
from cim.impact.service import COMPARED_MAX, ImpactService, Subject
from cim.web.responses import json_response

BASE: Final = "base"

Authorization = Annotated[str, Header(max_length=300)]
Against = Annotated[str, Query(max_length=40)]


class Registry(Protocol):
    """The schemes, as far as their impact needs them."""

    def subject(self, scheme_id: str, authorization: str) -> Subject:
        """Return what somebody may see of a scheme; raises :class:`NotFound` where that is nothing."""
        ...

    def describe(self, subject: Subject) -> Mapping[str, Any]:
        """Return a scheme's card."""
        ...

    def finding_json(self, finding: Finding) -> Mapping[str, Any]:
        """Return a finding, its witness in degrees."""
        ...


LightDocument = Callable[[Case, int], Mapping[str, Any]]
"""Returns who wins and loses sun in a case; the number is the case's sequence."""


def impact_router(impact: ImpactService, schemes: Registry, light: LightDocument | None = None) -> APIRouter:
    """Return the routes of the indicators; handlers are plain functions, run in the framework's threads."""
    router = APIRouter(prefix="/api/v1", tags=["impact"])

    @router.get("/indicators", summary="All indicators: unit, title, method, inputs")
    def list_indicators() -> Response:
        return json_response({"items": [node.as_json() for node in impact.graph.nodes.values()]})

    @router.get("/schemes/{scheme_id}/impact", summary="What a scheme changes, indicator by indicator")
    def read_impact(scheme_id: str, authorization: Authorization = "", against: Against = BASE) -> Response:
        subject = schemes.subject(scheme_id, authorization)
        if against == BASE:
            found = impact.readings(subject)
        else:
            found = _against(impact, subject, schemes.subject(against, authorization))
        items = [reading.as_json() for reading in found]
        return json_response({"sequence": subject.sequence, "against": against, "items": items})

    @router.get("/schemes/{scheme_id}/impact/findings", summary="What the indicators found wrong with a scheme")
    def read_findings(scheme_id: str, authorization: Authorization = "") -> Response:
        subject = schemes.subject(scheme_id, authorization)
        return json_response({"items": [schemes.finding_json(found) for found in impact.findings(subject)]})

    @router.get("/schemes/{scheme_id}/light", summary="Who wins and loses how many hours of sun")
    def read_light(scheme_id: str, authorization: Authorization = "") -> Response:
        subject = schemes.subject(scheme_id, authorization)
        if light is None:
            raise NotFound("Sunlight is not worked out here.", code="light")
        return json_response(light(impact.case(subject), subject.sequence))

    @router.get("/compare", summary="Schemes side by side on one common site")
    def compare(
        schemes_: Annotated[str, Query(alias="schemes", max_length=400)], authorization: Authorization = ""
    ) -> Response:
        names = _names(schemes_)
        subjects = [None if name == BASE else schemes.subject(name, authorization) for name in names]
        rows = impact.compare(subjects)
        cards = [{"id": BASE} if subject is None else schemes.describe(subject) for subject in subjects]
        return json_response({"schemes": cards, "rows": [_row(row) for row in rows]})

    return router


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or len(set(names)) != len(names):
        raise InvalidInput("Name each scheme once, with commas between.", code="compare-schemes")
    if len(names) > COMPARED_MAX:
        raise LimitExceeded("Too many schemes to compare.", limit="compared_max", value=COMPARED_MAX)
    return names


def _row(readings: list[Reading]) -> dict[str, Any]:
    return {"id": readings[0].id, "unit": readings[0].unit, "readings": [reading.as_json() for reading in readings]}


def _against(impact: ImpactService, subject: Subject, other: Subject) -> list[Reading]:
    """Return a scheme's readings with another scheme's values in the place of the baseline's."""
    rows = impact.compare([subject, other])
    made = []
    for mine, theirs in rows:
        value = None if theirs.outcome is None else theirs.outcome.value
        # The change that a node states by itself is against the baseline, not against another scheme.
        outcome = None if mine.outcome is None else replace(mine.outcome, change=None)
        made.append(replace(mine, base=value, outcome=outcome))
    return made
