"""Merging, rebasing and publishing schemes over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from cim.accounts.model import Role, Who
from cim.schemes.bodies import MergeWish, RebaseWish, choices_of
from cim.schemes.documents import hidden, objects_json, version_json
from cim.schemes.joining.service import Combined, JoiningService
from cim.schemes.model import SchemeState
from cim.schemes.service import SchemeService, Seen
from cim.schemes.view import done_document, scheme_document
from cim.web.asking import Asking
from cim.web.responses import json_response


def joining_router(schemes: SchemeService, joining: JoiningService, asking: Asking) -> APIRouter:
    """Return the routes of ``/api/v1/schemes`` that bring branches together and to the public."""
    router = APIRouter(prefix="/api/v1/schemes", tags=["schemes"])
    may_write = [Depends(asking.planner)]

    def of(scheme_id: str) -> Seen:
        return schemes.seen(scheme_id, Role.PLANNER)

    @router.post("/{scheme_id}/merge", dependencies=may_write, summary="Merge another scheme in")
    def merge(scheme_id: str, body: MergeWish, author: Annotated[Who, Depends(asking.who)]) -> Response:
        combined = joining.merge(scheme_id, body.source, author, choices_of(body.choices))
        return json_response(combined_document(scheme_id, combined))

    @router.post("/{scheme_id}/rebase", dependencies=may_write, summary="Move a scheme to a newer baseline")
    def rebase(
        scheme_id: str,
        author: Annotated[Who, Depends(asking.who)],
        body: RebaseWish | None = None,
        *,
        dry_run: bool = False,
    ) -> Response:
        wish = body or RebaseWish()
        version, choices = wish.baseline_version, choices_of(wish.choices)
        if dry_run:
            return json_response(combined_document(scheme_id, joining.contradictions(scheme_id, version, choices)))
        combined = joining.rebase(scheme_id, author, version, choices)
        return json_response(combined_document(scheme_id, combined))

    @router.post("/{scheme_id}/publish", dependencies=may_write, summary="Publish a scheme as it is now")
    def publish(scheme_id: str, author: Annotated[Who, Depends(asking.who)]) -> Response:
        return json_response(version_json(joining.publish(scheme_id, author), withdrawn=False))

    @router.post("/{scheme_id}/withdraw", dependencies=may_write, summary="Take a scheme from the public")
    def withdraw(scheme_id: str) -> Response:
        joining.withdraw(scheme_id)
        return json_response(scheme_document(schemes, of(scheme_id)))

    @router.get("/{scheme_id}/versions", summary="What was published of a scheme")
    def list_versions(scheme_id: str) -> Response:
        actor = joining.versions_of(scheme_id)
        withdrawn = actor.scheme.state is SchemeState.WITHDRAWN
        return json_response({"items": [version_json(one, withdrawn=withdrawn) for one in actor.versions]})

    @router.get("/{scheme_id}/versions/{number}", summary="A published version: words, objects, digest")
    def get_version(scheme_id: str, number: int) -> Response:
        version, state = joining.version(scheme_id, number)
        withdrawn = schemes.shelf.actor(scheme_id).scheme.state is SchemeState.WITHDRAWN
        items = objects_json(state, state.targets, schemes.city.working)
        return json_response({**version_json(version, withdrawn=withdrawn), "items": items, "hidden": hidden(state)})

    def combined_document(scheme_id: str, combined: Combined) -> dict[str, Any]:
        view, done = of(scheme_id), combined.done
        conflicts = [conflict.as_json() for conflict in combined.conflicts]
        rest = {"edit": None} if done is None else done_document(schemes, view, done)
        return {**rest, "merged": done is not None, "conflicts": conflicts}

    return router
