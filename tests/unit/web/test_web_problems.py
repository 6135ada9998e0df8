from __future__ import annotations

import inspect

import orjson

from cim import errors
from cim.web.problems import STATUS, error_response, internal_response, status_of


def test_every_class_of_error_has_a_status() -> None:
    classes = {item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, errors.CimError)} - {
        errors.CimError
    }
    assert classes == set(STATUS)


def test_a_subclass_takes_its_parents_status_and_a_code_may_be_more_exact() -> None:
    class Odd(errors.NotFound):
        pass

    assert status_of(Odd("")) == 404
    assert status_of(errors.LimitExceeded("", code="rate")) == 429
    assert status_of(errors.LimitExceeded("")) == 413


def test_the_problem_has_the_members_of_rfc_9457() -> None:
    answer = error_response(errors.Conflict("The city moved on.", hint="Reload.", baseline_version=4))
    assert answer.headers["content-type"] == "application/problem+json"
    assert orjson.loads(answer.body) == {
        "type": "urn:cim:problem:conflict",
        "title": "Conflict",
        "status": 409,
        "code": "conflict",
        "detail": "The city moved on.",
        "hint": "Reload.",
        "params": {"baseline_version": 4},
    }


def test_incidents_differ() -> None:
    assert internal_response()[1] != internal_response()[1]


def test_a_wait_is_said_in_whole_seconds() -> None:
    answer = error_response(errors.LimitExceeded("", code="rate", retry_after_s=0.2))
    assert answer.headers["retry-after"] == "1"
