"""Merging schemes, moving them to a newer baseline, publishing and withdrawing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cim.accounts.model import Who
from cim.errors import Conflict, IntegrityError, InvalidInput, NotFound
from cim.ports import Clock
from cim.schemes import history
from cim.schemes.actor import SchemeActor
from cim.schemes.documents import digest
from cim.schemes.merge import Outcome, merge, rebase
from cim.schemes.model import BASE, Choices, Edit, Merged, SchemeState, Version
from cim.schemes.model import Conflict as Contradiction
from cim.schemes.service import Done, SchemeService
from cim.schemes.state import State


@dataclass(frozen=True, slots=True)
class Combined:
    """A merge or a rebase: done, or waiting for the choices that it lists."""

    done: Done | None
    conflicts: tuple[Contradiction, ...]


class JoiningService:
    """What brings branches together and to the public."""

    def __init__(self, schemes: SchemeService, clock: Clock) -> None:
        self._schemes = schemes
        self._clock = clock

    def merge(self, scheme_id: str, other_id: str, who: Who, choices: Choices | None = None) -> Combined:
        """Take another scheme's edits in since both were last one.

        Raises :class:`Conflict` (``baseline-differs``) where they stand on different baselines.
        """
        if other_id == scheme_id:
            raise InvalidInput("A scheme cannot be merged with itself.", code="merge-itself")
        other = self._schemes.shelf.actor(other_id)
        with other.guard:
            their_head, theirs = len(other.log()), other.state()
        actor = self._schemes.shelf.actor(scheme_id)
        ancestor = self._ancestor((scheme_id, len(actor.log())), (other_id, their_head))
        with actor.guard:
            earlier = self._schemes.earlier(who)
            if earlier is not None:
                return Combined(self._schemes.again(actor, earlier["sequence"]), ())
            ours = actor.state()
            if ours.base.version != theirs.base.version:
                raise Conflict(
                    "The two schemes stand on different baselines.",
                    hint="Rebase the older one first.",
                    code="baseline-differs",
                    ours=ours.base.version,
                    theirs=theirs.base.version,
                )
            outcome = merge(ancestor.over(ours.base), ours, theirs, choices)
            merged = Merged(other_id, their_head)
            return self._combine(actor, outcome, who, history.MERGE, {"from": other_id}, merged=merged)

    def rebase(self, scheme_id: str, who: Who, version: int | None = None, choices: Choices | None = None) -> Combined:
        """Move a scheme to a newer baseline (the newest)."""
        actor = self._schemes.shelf.actor(scheme_id)
        with actor.guard:
            earlier = self._schemes.earlier(who)
            if earlier is not None:
                return Combined(self._schemes.again(actor, earlier["sequence"]), ())
            old, wanted, outcome = self._rebased(actor, version, choices)
            title = {"from": old, "to": wanted}
            return self._combine(actor, outcome, who, history.REBASE, title, baseline_version=wanted)

    def contradictions(self, scheme_id: str, version: int | None = None, choices: Choices | None = None) -> Combined:
        """Return what a newer baseline contradicts of a scheme; nothing is written."""
        actor = self._schemes.shelf.actor(scheme_id)
        with actor.guard:
            _, _, outcome = self._rebased(actor, version, choices)
            return Combined(None, outcome.conflicts)

    def _rebased(self, actor: SchemeActor, version: int | None, choices: Choices | None) -> tuple[int, int, Outcome]:
        """Return the old baseline, the new one, and what a rebase would come to; raises :class:`Conflict`."""
        state = actor.state()
        newest = self._schemes.city.baseline_version
        wanted = newest if version is None else version
        if not state.base.version < wanted <= newest:
            raise Conflict(
                "That baseline is not newer than the scheme's.",
                code="baseline-not-newer",
                baseline_version=state.base.version,
                newest=newest,
            )
        base = self._schemes.shelf.baseline(wanted)
        base.prefetch(state.targets)
        return state.base.version, wanted, rebase(state, base, choices)

    def _combine(
        self,
        actor: SchemeActor,
        outcome: Outcome,
        who: Who,
        kind: str,
        title: Mapping[str, Any],
        *,
        merged: Merged | None = None,
        baseline_version: int | None = None,
    ) -> Combined:
        if not outcome.complete:
            return Combined(None, outcome.conflicts)
        edit = Edit(
            actor.scheme.id,
            actor.head + 1,
            kind,
            outcome.changes,
            who.author,
            self._clock.now(),
            title=dict(title),
            merged=merged,
            baseline_version=baseline_version,
        )
        return Combined(self._schemes.finish(actor, edit, who), outcome.settled)

    def _ancestor(self, ours: tuple[str, int], theirs: tuple[str, int]) -> State:
        """Return the state where two branches were last one: the point that holds all other common points.

        Where several hold none of each other (both merged each other crosswise), the one with the most edits.
        """
        shelf = self._schemes.shelf
        logs = {actor.scheme.id: actor.log() for actor in shelf.actors() if actor.head}
        branches = [actor.scheme.branch for actor in shelf.actors()]
        parents = {b.id: (b.parent, b.parent_sequence) for b in branches if b.parent != BASE}
        held = [history.contained(*point, logs, parents) for point in (ours, theirs)]
        points = history.shared_points(*held)
        if not points:
            return State(shelf.actor(ours[0]).state(0).base)
        weight = {point: sum(history.contained(*point, logs, parents).values()) for point in points}
        best = max(points, key=lambda point: (weight[point], point))
        return shelf.actor(best[0]).state(best[1])

    # --- publishing -----------------------------------------------------------------------------

    def publish(self, scheme_id: str, who: Who) -> Version:
        """Publish the scheme as it is now, under the next number; what is published never changes.

        Publishing again what is published already gives the same version.
        """
        actor, shelf = self._schemes.shelf.actor(scheme_id), self._schemes.shelf
        with actor.guard:
            state, words, newest = actor.state(), actor.scheme.words, actor.published
            mark = digest(scheme_id, words, actor.head, state)
            shown = replace(actor.scheme, state=SchemeState.PUBLISHED)
            if newest is not None and newest.digest == mark:
                if actor.scheme.state is not SchemeState.PUBLISHED:
                    shelf.rewrite(actor, shown, self._clock.now())
                    self._schemes.tell(actor)
                return newest
            number = 1 if newest is None else newest.number + 1
            now = self._clock.now()
            version = Version(scheme_id, number, actor.head, state.base.version, mark, words, who.author, now)
            shelf.rewrite(actor, replace(shown, version=number), now, version)
            self._schemes.tell(actor)
            return version

    def withdraw(self, scheme_id: str) -> SchemeActor:
        """Take a scheme from the public; its versions stay readable at their numbers and say so."""
        actor = self._schemes.shelf.actor(scheme_id)
        with actor.guard:
            if actor.scheme.state is not SchemeState.PUBLISHED:
                raise Conflict("Only what is published can be withdrawn.", code="not-published", id=scheme_id)
            withdrawn = replace(actor.scheme, state=SchemeState.WITHDRAWN)
            self._schemes.shelf.rewrite(actor, withdrawn, self._clock.now())
            self._schemes.tell(actor)
        return actor

    def versions_of(self, scheme_id: str) -> SchemeActor:
        """Return a scheme that was published; raises :class:`NotFound` for any other."""
        actor = self._schemes.shelf.actor(scheme_id)
        if not actor.versions:
            raise NotFound("There is no such scheme.", code="scheme-not-found", id=scheme_id[:40])
        return actor

    def version(self, scheme_id: str, number: int) -> tuple[Version, State]:
        """Return a published version and its state; raises :class:`NotFound` (``version-not-found``).

        The state is proven by the version's digest; raises :class:`IntegrityError` where it is another.
        """
        actor = self._schemes.shelf.actor(scheme_id)
        found = next((version for version in actor.versions if version.number == number), None)
        if found is None:
            raise NotFound("There is no such version.", code="version-not-found", id=scheme_id[:40], version=number)
        state = actor.state(found.sequence)
        if digest(scheme_id, found.words, found.sequence, state) != found.digest:
            raise IntegrityError("A published version is not what it was.", code="version-damaged", id=scheme_id)
        return found, state
