"""Schemes in memory: each with its log, its state and one writer at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import duckdb
import shapely

from cim.city.service import CityService
from cim.db.store import Database
from cim.errors import NotFound
from cim.networks.model import Network
from cim.networks.service import NetworkService
from cim.schemes import store
from cim.schemes.baselines import CityBaseline, PlacedModels, no_models
from cim.schemes.documents import Overview, counts, extent
from cim.schemes.elements import Fields, read_elements
from cim.schemes.model import BASE, Edit, Scheme, Version
from cim.schemes.state import State, fold

STATES_KEPT_MAX: Final = 8
"""Earlier states of one scheme that are remembered."""


NETWORKS_KEPT_MAX: Final = 4
"""Baselines whose network elements are remembered."""


class SchemeActor:
    """One scheme: its log is read when it is first asked for, and then grows with every durable edit.

    Whoever writes holds ``guard`` from looking at the state until the edit is durable, so that every
    edit is made on the state that it is appended to.
    """

    def __init__(self, shelf: Shelf, scheme: Scheme, versions: list[Version], head: int) -> None:
        self.guard = threading.RLock()
        self.scheme = scheme
        self.versions = versions
        self.head = head
        self._shelf = shelf
        self._log: list[Edit] | None = None
        self._states: OrderedDict[tuple[int, int | None], State] = OrderedDict()
        self._overviews: dict[int, Overview] = {}

    @property
    def published(self) -> Version | None:
        """The newest published version."""
        return self.versions[-1] if self.versions else None

    @property
    def updated_at(self) -> datetime:
        """When the scheme was last changed."""
        at = self.scheme.updated_at or self.scheme.branch.created_at
        log = self._log
        return max(at, log[-1].at) if log else at

    def number(self, sequence: int | None = None) -> int:
        """Return the number of an edit that the log has, the last where none is asked for."""
        with self.guard:
            if self._log is None:
                self.log()
            return self.head if sequence is None else max(0, min(sequence, self.head))

    def log(self, upto: int | None = None) -> Sequence[Edit]:
        """Return the log, whole or up to an edit."""
        with self.guard:
            if self._log is None:
                self._log = self._shelf.read_log(self.scheme.id)
                self.head = len(self._log)
            return self._log[: self.head if upto is None else upto]

    def state(self, sequence: int | None = None, year: int | None = None) -> State:
        """Return the state after an edit (the last), of all phases or of those begun by a year."""
        with self.guard:
            log = self.log()
            at = self.head if sequence is None else max(0, min(sequence, self.head))
            key = (at, year)
            found = self._states.get(key)
            if found is None:
                found = self._fold(log[:at], year)
                self._keep(key, found)
            self._states.move_to_end(key)
            return found

    def _fold(self, log: Sequence[Edit], year: int | None) -> State:
        branch = self.scheme.branch
        if branch.parent == BASE:
            root = State(self._shelf.baseline(branch.baseline_version))
        else:
            root = self._shelf.actor(branch.parent).state(branch.parent_sequence, year)
        bases = self._shelf.bases_of(log)
        targets = dict.fromkeys([*root.targets, *(change.target for edit in log for change in edit.changes)])
        for base in (self._shelf.baseline(root.base.version), *bases.values()):
            base.prefetch(targets)
        return fold(root, log, bases, year=year)

    def _keep(self, key: tuple[int, int | None], state: State) -> None:
        self._states[key] = state
        while len(self._states) > STATES_KEPT_MAX:
            self._states.popitem(last=False)

    def append(self, edit: Edit, after: State) -> None:
        """Take in an edit that is durable."""
        self.log()
        assert self._log is not None
        if edit.sequence == len(self._log) + 1:
            self._log.append(edit)
            self.head = edit.sequence
            self._keep((self.head, None), after)

    def forget(self) -> None:
        """Read the log again at the next question: a write ended in a way that leaves it unknown."""
        with self.guard:
            self._log = None
            self._states.clear()
            self._overviews.clear()

    def overview(self, sequence: int | None = None) -> Overview:
        """Return what the scheme amounts to at an edit (the last)."""
        with self.guard:
            log = self.log(sequence)
            at = len(log)
            found = self._overviews.get(at)
            if found is None:
                state = self.state(at)
                phases = sorted({edit.phase_year for edit in log if edit.phase_year is not None})
                box = extent(state, self._shelf.city.working)
                found = Overview(at, len(log), state.base.version, counts(state), box, phases)
                if len(self._overviews) >= STATES_KEPT_MAX:
                    self._overviews.clear()
                self._overviews[at] = found
            return found


class Shelf:
    """All schemes of a city by id."""

    def __init__(self, database: Database, city: CityService) -> None:
        self.city = city
        self.database = database
        self._guard = threading.RLock()
        self._actors: dict[str, SchemeActor] = {}
        self._baselines: dict[int, CityBaseline] = {}
        self.models: PlacedModels = no_models
        """Where what is drawn looks uploaded models up."""
        self.networks: Callable[[int], Sequence[Network]] = NetworkService(database).networks
        """The networks of a baseline."""
        self._elements: dict[int, dict[str, Fields]] = {}
        self.reload()

    def reload(self) -> None:
        """Read which schemes there are; their logs are read when they are asked for."""
        with self.database.read() as cursor:
            schemes = store.read_schemes(cursor)
            versions = store.read_versions(cursor)
            heads = store.read_heads(cursor)
        actors = {
            scheme.id: SchemeActor(
                self, scheme, [v for v in versions if v.scheme_id == scheme.id], heads.get(scheme.id, 0)
            )
            for scheme in schemes
        }
        with self._guard:
            self._actors = actors

    def actors(self) -> list[SchemeActor]:
        """Return all schemes in the order in which they were made."""
        with self._guard:
            return list(self._actors.values())

    def find(self, scheme_id: str) -> SchemeActor | None:
        """Return a scheme, ``None`` where there is none of that id."""
        return self._actors.get(scheme_id)

    def actor(self, scheme_id: str) -> SchemeActor:
        """Return a scheme; raises :class:`NotFound` (``scheme-not-found``)."""
        found = self._actors.get(scheme_id)
        if found is None:
            raise NotFound("There is no such scheme.", code="scheme-not-found", id=scheme_id[:40])
        return found

    def add(self, make: Callable[[int], Scheme], key: str | None = None, fingerprint: str = "") -> SchemeActor:
        """Store a new scheme; ``make`` gets its position."""
        with self._guard:
            scheme = make(1 + max((a.scheme.branch.position for a in self._actors.values()), default=0))

            def work(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
                store.insert_scheme(connection, scheme)
                return {"scheme": scheme.id}

            self.database.submit(work, idempotency_key=key, fingerprint=fingerprint).result()
            actor = SchemeActor(self, scheme, [], 0)
            self._actors = {**self._actors, scheme.id: actor}
            return actor

    def read_log(self, scheme_id: str) -> list[Edit]:
        """Read the log of a scheme."""
        with self.database.read() as cursor:
            return store.read_edits(cursor, scheme_id)

    def baseline(self, version: int) -> CityBaseline:
        """Return a baseline by its number."""
        with self._guard:
            found = self._baselines.get(version)
            if found is None:
                found = CityBaseline(
                    version, lambda: self.city.view.index, self.city.objects_at, self.models, self.elements
                )
                self._baselines[version] = found
            return found

    def elements(self, version: int) -> dict[str, Fields]:
        """Return the fields of the network elements of a baseline; read once."""
        with self._guard:
            found = self._elements.get(version)
            if found is None:
                found = self._elements[version] = read_elements(self.networks(version))
                while len(self._elements) > NETWORKS_KEPT_MAX:
                    self._elements.pop(next(iter(self._elements)))
            return found

    def bases_of(self, log: Iterable[Edit]) -> dict[int, CityBaseline]:
        """Return the baselines that a log moves to."""
        versions = {edit.baseline_version for edit in log if edit.baseline_version is not None}
        return {version: self.baseline(version) for version in versions}

    def extent(self) -> shapely.Polygon:
        """Return the box of the city's objects in the working CRS."""
        box = self.city.view.index.bbox()
        return shapely.Polygon() if box is None else shapely.box(*box)

    def rewrite(self, actor: SchemeActor, scheme: Scheme, at: datetime, version: Version | None = None) -> Scheme:
        """Store what is said of a scheme now, with a new version in the same transaction."""
        changed = replace(scheme, updated_at=at)

        def work(connection: duckdb.DuckDBPyConnection) -> None:
            store.update_card(connection, changed, at)
            if version is not None:
                store.insert_version(connection, version)

        self.database.submit(work).result()
        actor.scheme = changed
        if version is not None:
            actor.versions.append(version)
        return changed
