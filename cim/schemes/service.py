"""Schemes: branch, edit, take back, merge, rebase, publish, read."""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb

from cim.accounts.model import Role, Who
from cim.city.model import CityObject
from cim.city.service import CityService
from cim.db.store import Database
from cim.errors import Conflict, LimitExceeded, NotFound
from cim.findings import Finding
from cim.networks.model import Network
from cim.ports import Clock
from cim.schemes import history, store
from cim.schemes.actor import SchemeActor, Shelf
from cim.schemes.edits import make_edit
from cim.schemes.elements import check_supply
from cim.schemes.faults import EditConflict, refused
from cim.schemes.fields import canonical
from cim.schemes.making import Made, Making, Models, no_models
from cim.schemes.model import BASE, Branch, Edit, Scheme, SchemeState, Words
from cim.schemes.model import Conflict as Contradiction
from cim.schemes.placing import check_placing
from cim.schemes.realised import Realiser
from cim.schemes.state import State, depending, fold, invert
from cim.schemes.surroundings import SchemeSurroundings

SCHEMES_MAX: Final = 5_000
EDITS_MAX: Final = 100_000
CHANGES_MAX: Final = 20_000
"""Changes that one edit may make; a merge of more is done in parts."""

YEARS: Final = (1900, 2200)
_ID_BYTES: Final = 5
"""40 random bits: eight characters of base32."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """An edit that somebody asks for; ``params`` have places in the working CRS.

    ``expect`` are values that the wish was made on: where one is another now, the edit is a conflict.
    """

    kind: str
    target: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    phase_year: int | None = None
    expect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """An edit that was made, and the state that it led to; ``stored`` is false for a trial."""

    edit: Edit
    before: State
    after: State
    stored: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """A scheme as somebody may see it: up to ``sequence`` (all of it where ``None``), in these words."""

    actor: SchemeActor
    words: Words
    sequence: int | None

    @property
    def head(self) -> int:
        """The last edit that may be seen."""
        return self.actor.number(self.sequence)

    def log(self) -> Sequence[Edit]:
        """Return the edits that may be seen."""
        return self.actor.log(self.head)

    def state(self, at: int | None = None, year: int | None = None) -> State:
        """Return the state at an edit that may be seen (the last), of all phases or of those begun by a year."""
        return self.actor.state(self.head if at is None else min(at, self.head), year)


Listener = Callable[[SchemeActor, Done | None], None]
"""Told of a scheme after each durable edit, and with ``None`` when only what is said of it has changed."""


Assessor = Callable[[Seen], Sequence[Finding]]
"""Says what else is wrong with a scheme as somebody sees it."""


class SchemeService:
    """All schemes of a city; questions and writes from any thread."""

    def __init__(self, database: Database, city: CityService, clock: Clock) -> None:
        self.city = city
        self.shelf = Shelf(database, city)
        self._database = database
        self._clock = clock
        self._listeners: list[Listener] = []
        self._assessors: list[Assessor] = []
        self._realiser = Realiser()
        self.models: Models = no_models
        """Where uploaded models are looked up."""

    def listen(self, listener: Listener) -> None:
        """Have what changes told, in order, from the thread that changed it: keep it short."""
        self._listeners.append(listener)

    def assess_with(self, assessor: Assessor) -> None:
        """Have the findings of another capability told with those of the places."""
        self._assessors.append(assessor)

    # --- who may see what -----------------------------------------------------------------------

    def seen(self, scheme_id: str, role: Role) -> Seen:
        """Return how much of a scheme somebody may see; raises :class:`NotFound` where that is nothing."""
        actor = self.shelf.actor(scheme_id)
        if role is Role.PLANNER:
            return Seen(actor, actor.scheme.words, None)
        version = actor.published
        if actor.scheme.state is not SchemeState.PUBLISHED or version is None:
            raise NotFound("There is no such scheme.", code="scheme-not-found", id=scheme_id[:40])
        return Seen(actor, version.words, version.sequence)

    def visible(self, role: Role) -> list[Seen]:
        """Return the schemes that somebody may see, in the order in which they were made."""
        return [
            self.seen(actor.scheme.id, role)
            for actor in self.shelf.actors()
            if role is Role.PLANNER or actor.scheme.state is SchemeState.PUBLISHED
        ]

    # --- branching ------------------------------------------------------------------------------

    def create(self, words: Words, who: Who, parent: str = BASE, sequence: int | None = None) -> SchemeActor:
        """Branch off the newest baseline, or off another scheme at one of its edits (its last)."""
        earlier = self.earlier(who)
        if earlier is not None:
            return self.shelf.actor(earlier["scheme"])
        if len(self.shelf.actors()) >= SCHEMES_MAX:
            raise LimitExceeded("There are too many schemes.", limit="schemes_max", value=SCHEMES_MAX)
        _ = self.city.frame  # an empty city has nothing to branch off
        at_sequence, version = 0, self.city.baseline_version
        if parent != BASE:
            actor = self.shelf.actor(parent)
            at_sequence = actor.number(sequence)
            version = actor.state(at_sequence).base.version
        now = self._clock.now()

        def make(position: int) -> Scheme:
            branch = Branch(_new_id(), parent, at_sequence, version, position, who.author, now)
            return Scheme(branch, words, updated_at=now)

        made = self.shelf.add(make, who.key, who.fingerprint)
        self.tell(made)
        return made

    def say(self, scheme_id: str, change: Callable[[Words], Words]) -> SchemeActor:
        """Change what is said of a scheme: its name, summary and tour."""
        actor = self.shelf.actor(scheme_id)
        with actor.guard:
            words = change(actor.scheme.words)
            self.shelf.rewrite(actor, replace(actor.scheme, words=words), self._clock.now())
            self.tell(actor)
        return actor

    # --- editing --------------------------------------------------------------------------------

    def edit(self, scheme_id: str, wish: Wish, who: Who, *, trial: bool = False) -> Done:
        """Make an edit; it is durable when this returns.

        Raises :class:`EditConflict` where it was true of another state, :class:`EditRefused` where it
        cannot be; then nothing was written.  A ``trial`` is never written.
        """
        actor = self.shelf.actor(scheme_id)
        with actor.guard:
            earlier = None if trial else self.earlier(who)
            if earlier is not None:
                return self.again(actor, earlier["sequence"])
            state = actor.state()
            _check_year(wish.phase_year)
            self._check_expected(state, wish)
            making = Making(
                state, scheme_id, actor.head + 1, wish.kind, wish.target, dict(wish.params), model_of=self.models
            )
            made = make_edit(making)
            return self.finish(actor, self._draft(actor, state, made, wish, who), who, trial=trial)

    def undo(self, scheme_id: str, who: Who, sequence: int | None = None) -> Done:
        """Take an edit back: one by its number, or the author's last that stands."""
        actor = self.shelf.actor(scheme_id)
        with actor.guard:
            earlier = self.earlier(who)
            if earlier is not None:
                return self.again(actor, earlier["sequence"])
            log = actor.log()
            found = history.next_undo(log, who.author) if sequence is None else _numbered(log, sequence)
            if found is None:
                raise Conflict("There is nothing to undo.", code="nothing-to-undo")
            if found.sequence in history.undone(log):
                raise Conflict("That edit is undone already.", code="edit-undone", sequence=found.sequence)
            if found.kind == history.REBASE:
                raise Conflict("A step to another baseline cannot be undone.", code="undo-rebase")
            return self._take_back(actor, found, history.UNDO, who)

    def redo(self, scheme_id: str, who: Who, sequence: int | None = None) -> Done:
        """Put back what was undone: one by its number, or the author's last."""
        actor = self.shelf.actor(scheme_id)
        with actor.guard:
            earlier = self.earlier(who)
            if earlier is not None:
                return self.again(actor, earlier["sequence"])
            log = actor.log()
            found = history.next_redo(log, who.author) if sequence is None else history.undo_of(log, sequence)
            if found is None:
                raise Conflict("There is nothing to redo.", code="nothing-to-redo")
            return self._take_back(actor, found, history.REDO, who)

    def _take_back(self, actor: SchemeActor, found: Edit, kind: str, who: Who) -> Done:
        state = actor.state()
        changes = invert(found.changes)
        going = {change.target for change in changes}
        then = fold(actor.state(0), actor.log(found.sequence), self.shelf.bases_of(actor.log()), targets=going)
        contradictions = [*state.conflicts(changes), *depending(then, state, changes)]
        if contradictions:
            raise EditConflict(contradictions)
        edit = Edit(
            actor.scheme.id,
            actor.head + 1,
            kind,
            changes,
            who.author,
            self._clock.now(),
            phase_year=found.phase_year,
            undoes=found.sequence,
            title={"kind": found.kind, "sequence": found.sequence, **found.title},
        )
        return self.finish(actor, edit, who)

    # --- what every write goes through ----------------------------------------------------------

    def earlier(self, who: Who) -> Any:
        """Return what a write with this key answered when it was first sent, ``None`` for a new one."""
        return None if who.key is None else self._database.remembered(who.key, who.fingerprint)

    def again(self, actor: SchemeActor, sequence: int) -> Done:
        """Return an edit that is in the log as it was answered."""
        edit = actor.log(sequence)[-1]
        return Done(edit, actor.state(sequence - 1), actor.state(sequence))

    def finish(self, actor: SchemeActor, edit: Edit, who: Who, *, trial: bool = False) -> Done:
        """Check an edit against the state that it meets, store it, tell of it; ``guard`` is held."""
        state = actor.state()
        if len(edit.changes) > CHANGES_MAX:
            raise LimitExceeded("An edit changes too much at once.", limit="changes_max", value=CHANGES_MAX)
        if edit.sequence > EDITS_MAX:
            raise LimitExceeded("The scheme has too many edits.", limit="edits_max", value=EDITS_MAX)
        conflicts = state.conflicts(edit.changes, gone_too=edit.kind in (history.MERGE, history.REBASE))
        if conflicts:
            raise EditConflict(conflicts)
        moves = edit.baseline_version is not None
        after = (
            fold(state, [edit], self.shelf.bases_of([edit])) if moves else state.apply(edit.changes, edit.phase_year)
        )
        done = Done(edit, state, after, stored=not trial)
        if trial:
            return done
        try:
            self._database.submit(
                lambda connection: _append(connection, edit), idempotency_key=who.key, fingerprint=who.fingerprint
            ).result()
        except BaseException:
            # It may or may not be durable: what is in memory is read again.
            actor.forget()
            raise
        actor.append(edit, after)
        self.tell(actor, done)
        return done

    def _draft(self, actor: SchemeActor, state: State, made: Made, wish: Wish, who: Who) -> Edit:
        edit = Edit(
            actor.scheme.id,
            actor.head + 1,
            wish.kind,
            made.changes,
            who.author,
            self._clock.now(),
            phase_year=wish.phase_year,
            title=made.title,
        )
        return replace(edit, findings=(*made.findings, *self._placed(state, edit)))

    def _placed(self, state: State, edit: Edit) -> list[Finding]:
        """Return what is to be said of where an edit puts things."""
        return self._findings(state.apply(edit.changes), edit.targets)

    def findings(self, seen: Seen) -> list[Finding]:
        """Return what is to be said of where a scheme puts things, as it is now."""
        state = seen.state()
        found = self._findings(state, list(state.targets))
        return found + [finding for assess in self._assessors for finding in assess(seen)]

    def realised(self, state: State, targets: Sequence[str] | None = None) -> dict[str, CityObject | None]:
        """Return what a state changes as city objects, ``None`` for what is gone: all of it, or some targets."""
        return self._realiser.realise(state, targets)

    def _findings(self, state: State, targets: Sequence[str]) -> list[Finding]:
        return [*self._on_the_ground(state, targets), *check_supply(self._networks_of(state), state, targets)]

    def _networks_of(self, state: State) -> Iterator[Network]:
        yield from self.shelf.networks(state.base.version)

    def _on_the_ground(self, state: State, targets: Sequence[str]) -> list[Finding]:
        touched = [target for target in targets if state.type_of(target) == "Building" and state.exists(target)]
        if not touched:
            return []
        base = self.shelf.baseline(state.base.version)
        realised = self.realised(state)
        around = SchemeSurroundings(base, realised, self.shelf.extent())
        return check_placing({target: realised.get(target) for target in touched}, around)

    def _check_expected(self, state: State, wish: Wish) -> None:
        if not wish.expect or wish.target is None:
            return
        type_ = state.type_of(wish.target) or ""
        contradictions = []
        for name, expected in sorted(wish.expect.items()):
            now = state.value(wish.target, name)
            if now != (None if expected is None else canonical(type_, name, expected)):
                theirs = wish.params.get(name)
                contradictions.append(Contradiction(wish.target, name, expected, now, theirs))
        if contradictions and state.exists(wish.target):
            raise EditConflict(contradictions)

    def tell(self, actor: SchemeActor, done: Done | None = None) -> None:
        """Tell everyone who listens."""
        for listener in self._listeners:
            try:
                listener(actor, done)
            except Exception:  # noqa: BLE001 -- the edit is durable, whatever follows it
                _log.exception("what follows an edit failed; the edit itself is durable")


def _append(connection: duckdb.DuckDBPyConnection, edit: Edit) -> dict[str, int]:
    store.append_edit(connection, edit)
    return {"sequence": edit.sequence}


def _numbered(log: Sequence[Edit], sequence: int) -> Edit:
    if not 1 <= sequence <= len(log):
        raise NotFound("The scheme has no edit of that number.", code="edit-not-found", sequence=sequence)
    return log[sequence - 1]


def _check_year(year: int | None) -> None:
    if year is not None and not YEARS[0] <= year <= YEARS[1]:
        raise refused("field-limit", field="phase_year", measured=year, limit=YEARS[1] if year > YEARS[1] else YEARS[0])


def _new_id() -> str:
    return "s" + base64.b32encode(secrets.token_bytes(_ID_BYTES)).decode("ascii").lower()
