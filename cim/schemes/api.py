"""Schemes over HTTP.

Reading a published scheme is open to all; a draft is there for planners only.  Every write needs the
planner token.  Answers carry places in degrees; the values of changes are in the working CRS.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cim.accounts.model import Role, Who
from cim.schemes.bodies import (
    Greeting,
    NewEdit,
    NewScheme,
    Numbered,
    SchemeWords,
    text_of,
    words_of,
)
from cim.schemes.bus import SchemeBus
from cim.schemes.documents import diff_json, finding_json, hidden, objects_json, to_working
from cim.schemes.faults import EditRefused
from cim.schemes.model import BASE, Words
from cim.schemes.service import Done, SchemeService, Seen, Wish
from cim.schemes.state import State, differences
from cim.schemes.view import done_document, edit_documents, scheme_document
from cim.web.asking import Asking
from cim.web.responses import json_response


def schemes_router(  # noqa: C901 -- one short function a route
    schemes: SchemeService, asking: Asking, bus: SchemeBus
) -> APIRouter:
    """Return the routes of ``/api/v1/schemes``.

    Handlers are plain functions: the framework runs them in its threads, so that neither a query nor
    the wait for a commit holds up the live stream.
    """
    router = APIRouter(prefix="/api/v1/schemes", tags=["schemes"])

    def of(scheme_id: str) -> Seen:
        return schemes.seen(scheme_id, Role.PLANNER)

    may_write = [Depends(asking.planner)]

    @router.get("", summary="The schemes that may be seen")
    def list_schemes(role: Annotated[Role, Depends(asking.role)]) -> Response:
        return json_response({"items": [scheme_document(schemes, one) for one in schemes.visible(role)]})

    @router.post("", status_code=201, dependencies=may_write, summary="Branch the city, or another scheme")
    def create(body: NewScheme, author: Annotated[Who, Depends(asking.who)]) -> Response:
        words = Words(text_of(body.name), text_of(body.summary))
        made = schemes.create(words, author, body.parent, body.at)
        return json_response(scheme_document(schemes, of(made.scheme.id)), status=201)

    @router.get("/{scheme_id}", summary="One scheme")
    def get_scheme(scheme_id: str, role: Annotated[Role, Depends(asking.role)]) -> Response:
        return json_response(scheme_document(schemes, schemes.seen(scheme_id, role)))

    @router.patch("/{scheme_id}", dependencies=may_write, summary="Change what is said of a scheme")
    def patch(scheme_id: str, body: SchemeWords) -> Response:
        schemes.say(scheme_id, lambda now: words_of(body, now))
        return json_response(scheme_document(schemes, of(scheme_id)))

    @router.get("/{scheme_id}/edits", summary="The log of a scheme")
    def list_edits(scheme_id: str, role: Annotated[Role, Depends(asking.role)]) -> Response:
        return json_response({"items": edit_documents(schemes, schemes.seen(scheme_id, role))})

    @router.post("/{scheme_id}/edits", status_code=201, dependencies=may_write, summary="Make an edit, or try one")
    def make_edit(
        scheme_id: str, body: NewEdit, author: Annotated[Who, Depends(asking.who)], *, dry_run: bool = False
    ) -> Response:
        params = to_working(body.params, schemes.city.working)
        wish = Wish(body.kind, body.target, params, body.phase_year, body.expect)
        return answer(scheme_id, lambda: schemes.edit(scheme_id, wish, author, trial=dry_run), 200 if dry_run else 201)

    @router.post("/{scheme_id}/undo", status_code=201, dependencies=may_write, summary="Take an edit back")
    def undo(scheme_id: str, author: Annotated[Who, Depends(asking.who)], body: Numbered | None = None) -> Response:
        return answer(scheme_id, lambda: schemes.undo(scheme_id, author, body.sequence if body else None))

    @router.post("/{scheme_id}/redo", status_code=201, dependencies=may_write, summary="Put back what was undone")
    def redo(scheme_id: str, author: Annotated[Who, Depends(asking.who)], body: Numbered | None = None) -> Response:
        return answer(scheme_id, lambda: schemes.redo(scheme_id, author, body.sequence if body else None))

    @router.get("/{scheme_id}/objects", summary="What a scheme changes, as it would be")
    def list_objects(
        scheme_id: str,
        role: Annotated[Role, Depends(asking.role)],
        at: Annotated[int | None, Query(ge=0)] = None,
        phase: Annotated[int | None, Query(ge=0, le=9_999)] = None,
    ) -> Response:
        view = schemes.seen(scheme_id, role)
        state = view.state(at, phase)
        items = objects_json(state, state.targets, schemes.city.working)
        sequence = view.head if at is None else min(at, view.head)
        return json_response({"sequence": sequence, "items": items, "hidden": hidden(state)})

    @router.get("/{scheme_id}/findings", summary="What is wrong with where things stand")
    def list_findings(scheme_id: str, role: Annotated[Role, Depends(asking.role)]) -> Response:
        found = schemes.findings(schemes.seen(scheme_id, role))
        return json_response({"items": [finding_json(one, schemes.city.working) for one in found]})

    @router.get("/{scheme_id}/diff", summary="What differs from the base or another scheme, field by field")
    def diff(
        scheme_id: str,
        role: Annotated[Role, Depends(asking.role)],
        against: Annotated[str, Query(max_length=40)] = BASE,
    ) -> Response:
        after = schemes.seen(scheme_id, role).state()
        before = State(after.base) if against == BASE else schemes.seen(against, role).state()
        return json_response({"items": diff_json(differences(before, after), before, after)})

    @router.put("/{scheme_id}/presence", status_code=204, dependencies=may_write, summary="Say that somebody is there")
    def greet(scheme_id: str, body: Greeting, author: Annotated[Who, Depends(asking.who)]) -> Response:
        schemes.shelf.actor(scheme_id)
        bus.meet(scheme_id, body.who, author.author, body.selection)
        return Response(status_code=204)

    def answer(scheme_id: str, make: Callable[[], Done], status: int = 201) -> Response:
        try:
            done = make()
        except EditRefused as error:
            error.shown = [finding_json(finding, schemes.city.working) for finding in error.findings]
            raise
        return json_response(done_document(schemes, of(scheme_id), done), status=status)

    return router
