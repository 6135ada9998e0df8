"""What the definition says is what the server does: requests drawn from it, a bounded number."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cim.city.model import Attribute, CityObject
from tests.support.feature_city import MemorySource
from tests.support.web_city import build_test_app, live_server

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
NO_HTTP = "Invalid HTTP request received."
"""What uvicorn says to bytes that are no request of HTTP; they never reach the city."""
FEW = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class ModelSource(MemorySource):
    """The same city with buildings that may have geometry in 3D."""

    def __init__(self) -> None:
        super().__init__()
        buildings = self._members["buildings"]
        self._members["buildings"] = replace(buildings, collection=replace(buildings.collection, models=True))

    def city_objects(self, identifiers: Sequence[str]) -> list[CityObject]:
        return [
            CityObject(one.id, "Building", one.geometry, attributes={"height_m": Attribute(3.2)})
            for one in self.features["buildings"]
            if one.id in identifiers
        ]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app = build_test_app(tmp_path_factory.mktemp("city"), source=ModelSource(), rate_per_s=0)
    with live_server(app) as base:
        yield base


@pytest.mark.parametrize(("document", "mount"), [("/ogc/api", "/ogc"), ("/openapi.json", "")])
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_answers_to_drawn_requests(base: str, document: str, mount: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(httpx.get(f"{base}{document}").json())
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path.endswith("/fail"):
            continue

        @FEW
        @given(case=operation.as_strategy(generation_mode=mode))
        def draw(case: schemathesis.Case) -> None:
            nonlocal asked
            asked += 1
            response = case.call(base_url=f"{base}{mount}", timeout=5)
            if response.text != NO_HTTP:
                case.validate_response(response, checks=CHECKS)

        with contextlib.suppress(Unsatisfiable):
            # An operation without parameters has no request that could be wrong.
            draw()
    assert asked >= 10
