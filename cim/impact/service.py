"""The impact of schemes, recomputed in the background as they are edited.

A worker takes the newest state of each scheme, lays it over the baseline, and computes what the edit
reached, cheapest first; each reading is published as soon as it is there.  What takes long (views,
light) it leaves to a second worker, so that the next edit never waits for it.  A newer edit stops what
is under way.  Nothing here waits for HTTP, and HTTP waits a moment at most.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import resources
from typing import Any, Final

import orjson

from cim.city.service import CityService
from cim.errors import CimError, NotFound
from cim.findings import Finding
from cim.geometry.crs import parse_crs
from cim.impact.factors import FactorSet, parse_set, set_name
from cim.impact.graph import (
    SITE,
    Case,
    Graph,
    Node,
    Superseded,
    empty_reading,
    read_node,
    refine_node,
    touched_inputs,
)
from cim.impact.model import Reading, Scope, State
from cim.impact.stock import Overlay, Stock, build_stock, index_objects
from cim.ports import Clock

BOARDS_MAX: Final = 32
"""Schemes whose readings are kept; the one that was longest not asked for is let go."""
WAIT_S: Final = 2.0
"""How long a question waits for readings that are under way."""
SLOW_RANK: Final = 50
"""Nodes from this rank on are left to the second worker."""
COMPARED_MAX: Final = 8
COMPARISONS_KEPT_MAX: Final = 16
BASES_MAX: Final = 2
"""Baselines whose stock is kept: the newest, and an older one on which somebody still plans."""

_log = logging.getLogger(__name__)

Publish = Callable[["Subject", Sequence[Mapping[str, Any]]], None]
"""Told of readings, as items of the scheme's topic; from the worker's thread."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A state of a scheme that somebody may see: planners its draft, everybody what is published."""

    scheme_id: str
    sequence: int
    overlay: Callable[[], Overlay] = field(compare=False)
    planner: bool = True
    baseline_version: int = 0
    """The baseline that the scheme changes: its readings are worked out over that one; 0 for the newest."""

    @property
    def key(self) -> tuple[str, bool]:
        """Which board it belongs to."""
        return self.scheme_id, self.planner


@dataclass(frozen=True, slots=True)
class Task:
    """What is left to the second worker: nodes of a case."""

    subject: Subject
    board: Board
    case: Case
    nodes: Sequence[Node]


@dataclass(slots=True)
class Board:
    """The readings of a scheme, and what they are of."""

    baseline_version: int = 0
    sequence: int = -1
    overlay: Overlay = field(default_factory=dict)
    case: Case | None = None
    readings: dict[str, Reading] = field(default_factory=dict)
    owed: set[str] = field(default_factory=set)
    """Nodes that were stopped or failed, and are to be computed whatever the next edit touches."""


class ImpactService:
    """Readings of all schemes of a city."""

    def __init__(self, city: CityService, graph: Graph, publish: Publish, clock: Clock) -> None:
        self._city = city
        self.graph = graph
        self._publish = publish
        self._clock = clock
        self._turn = threading.Condition()
        self._building = threading.Lock()
        self._wanted: OrderedDict[tuple[str, bool], Subject] = OrderedDict()
        self._boards: OrderedDict[tuple[str, bool], Board] = OrderedDict()
        self._comparisons: OrderedDict[tuple[object, ...], list[list[Reading]]] = OrderedDict()
        self._bases: OrderedDict[int, tuple[int, Stock, FactorSet]] = OrderedDict()
        self._slow: OrderedDict[tuple[str, bool], Task] = OrderedDict()
        self._workers: list[threading.Thread] = []
        self._stopping = False

    # --- running ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the workers."""
        with self._turn:
            self._stopping = False
            if not any(worker.is_alive() for worker in self._workers):
                works = {"cim-impact": self._work, "cim-impact-views": self._work_slowly}
                self._workers = [threading.Thread(target=run, name=name, daemon=True) for name, run in works.items()]
                for worker in self._workers:
                    worker.start()

    def stop(self) -> None:
        """Stop the workers at their next node."""
        with self._turn:
            self._stopping = True
            self._turn.notify_all()
        for worker in self._workers:
            worker.join()

    def base(self, version: int = 0) -> tuple[int, Stock, FactorSet]:
        """Return a baseline's (the newest's) version, stock and factors; built at the first question."""
        with self._building:
            newest = self._city.baseline_version
            version = version or newest
            found = self._bases.get(version)
            if found is None:
                frame = self._city.frame
                index = self._city.view.index if version == newest else self._city.index_at(version)
                factors = read_set(set_name(frame.slug, parse_crs(frame.crs).name))
                found = self._bases[version] = (version, build_stock(index_objects(index), version=version), factors)
            self._bases.move_to_end(version)
            while len(self._bases) > BASES_MAX:
                self._bases.popitem(last=False)
            return found

    def _version_of(self, subject: Subject) -> int:
        return subject.baseline_version or self._city.baseline_version

    # --- asking ----------------------------------------------------------------------------------

    def submit(self, subject: Subject) -> None:
        """Have a scheme recomputed; an older wish for it is forgotten."""
        with self._turn:
            waiting = self._wanted.get(subject.key)
            if waiting is None or waiting.sequence <= subject.sequence:
                self._wanted[subject.key] = subject
                self._wanted.move_to_end(subject.key)
                self._turn.notify_all()

    def readings(self, subject: Subject) -> list[Reading]:
        """Return a scheme's readings: those of this state, older ones, or pending ones, after a moment at most."""
        self.start()
        with self._turn:
            if not self._is_current(subject):
                self.submit(subject)
                self._turn.wait_for(lambda: self._is_current(subject) or self._stopping, WAIT_S)
            board = self._boards.get(subject.key) or Board()
            return [
                board.readings.get(node.id) or empty_reading(node, -1, State.PENDING)
                for node in self.graph.nodes.values()
            ]

    def items(self, subject: Subject) -> list[dict[str, Any]]:
        """Return what is known of a scheme now, as items of its topic; has the rest worked out."""
        with self._turn:
            board = self._boards.get(subject.key)
            known = [] if board is None else [reading_item(reading) for reading in board.readings.values()]
            current = self._is_current(subject)
        if not current:
            self.submit(subject)
        return known

    def findings(self, subject: Subject) -> list[Finding]:
        """Return what the indicators found wrong with a scheme."""
        found = (reading.outcome.findings for reading in self.readings(subject) if reading.outcome is not None)
        return [finding for findings in found for finding in findings]

    def case(self, subject: Subject | None, site: frozenset[int] | None = None, version: int = 0) -> Case:
        """Return a scheme as a case (for ``None`` a baseline by its version), on its own site unless one is given."""
        _, stock, factors = self.base(version if subject is None else self._version_of(subject))
        if subject is None:
            return Case(stock, factors, site or frozenset())
        with self._turn:
            board = self._boards.get(subject.key)
            known = board.case if board is not None and self._is_current(subject) else None
        if known is None:
            overlay = subject.overlay()
            changed = stock.with_changes(overlay)
            known = Case(changed, factors, changed.touched_units, overlay)
        return known if site is None else replace(known, site=site)

    def compare(self, subjects: Sequence[Subject | None]) -> list[list[Reading]]:
        """Return, by indicator, the readings of several schemes (``None``: the baseline) on one common site.

        Each scheme is read over its own baseline, which its readings name, and the bare baseline is the newest of
        these; the site is common to those of one baseline, for another one has other land.
        """
        versions = [self._version_of(subject) for subject in subjects if subject]
        shown = max(versions, default=self._city.baseline_version)
        key = (shown, *((s.scheme_id, s.planner, s.sequence, self._version_of(s)) if s else None for s in subjects))
        with self._turn:
            found = self._comparisons.get(key)
        if found is not None:
            return found
        own = [self.case(subject, version=shown) for subject in subjects]
        sites = {
            version: frozenset().union(*(case.site for case in own if case.stock.version == version))
            for version in {case.stock.version for case in own}
        }
        cases = [replace(case, site=sites[case.stock.version]) for case in own]
        sequences = [subject.sequence if subject else 0 for subject in subjects]
        boards = [self._current(subject) if subject else None for subject in subjects]
        rows = []
        for node in self.graph.nodes.values():
            row = []
            for case, sequence, board in zip(cases, sequences, boards, strict=True):
                ready = None if board is None or node.scope is Scope.SITE else board.readings.get(node.id)
                row.append(ready if ready and ready.state is State.READY else self._read(node, case, sequence))
            rows.append(row)
        with self._turn:
            self._comparisons[key] = rows
            while len(self._comparisons) > COMPARISONS_KEPT_MAX:
                self._comparisons.popitem(last=False)
        return rows

    def _current(self, subject: Subject) -> Board | None:
        with self._turn:
            return self._boards.get(subject.key) if self._is_current(subject) else None

    def _is_current(self, subject: Subject) -> bool:
        board = self._boards.get(subject.key)
        return (
            board is not None
            and board.sequence == subject.sequence
            and board.baseline_version == self._version_of(subject)
            and len(board.readings) == len(self.graph.nodes)
            and not board.owed
        )

    # --- working ---------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._wanted or self._stopping)
                if self._stopping:
                    return
                # Newest first: somebody looks at it now.
                _, subject = self._wanted.popitem(last=True)
            self._guarded(subject, partial(self._recompute, subject))

    def _work_slowly(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._slow or self._stopping)
                if self._stopping:
                    return
                _, task = self._slow.popitem(last=True)
            self._guarded(task.subject, partial(self._compute, task))

    @staticmethod
    def _guarded(subject: Subject, work: Callable[[], None]) -> None:
        try:
            work()
        except Superseded:
            return
        except CimError as error:
            _log.warning("the impact of a scheme could not be worked out: %s", error.problem_code)
        except Exception:  # noqa: BLE001 -- the next scheme's turn must come
            _log.exception("the impact of a scheme could not be worked out", extra={"scheme": subject.scheme_id})

    def _check(self, subject: Subject, board: Board) -> None:
        """Raise :class:`Superseded` where a newer edit of the scheme waits or is in hand, or the server stops."""
        # Looking at a number and a key needs no lock, and this is asked often.
        if self._stopping or subject.key in self._wanted or board.sequence != subject.sequence:
            raise Superseded

    def _recompute(self, subject: Subject) -> None:
        version, stock, factors = self.base(self._version_of(subject))
        board = self._board(subject, version)
        overlay = subject.overlay()
        changed = stock.with_changes(overlay, None if board.case is None else board.case.stock)
        case = Case(changed, factors, changed.touched_units, overlay, lambda: self._check(subject, board))
        with self._turn:
            nodes = self._reached(board, stock, case)
            reached = {node.id for node in nodes}
            known = [reading for identifier, reading in board.readings.items() if identifier not in reached]
            board.owed = reached
            board.overlay, board.case, board.sequence = overlay, replace(case, check=_no_check), subject.sequence
        self._take(board, subject, [replace(reading, sequence=subject.sequence) for reading in known])
        self._compute(Task(subject, board, case, [node for node in nodes if node.rank < SLOW_RANK]))
        slow = [node for node in nodes if node.rank >= SLOW_RANK]
        if slow:
            with self._turn:
                self._slow[subject.key] = Task(subject, board, case, slow)
                self._turn.notify_all()

    def _compute(self, task: Task) -> None:
        for node in task.nodes:
            task.case.check()
            for reading in self._refine(node, task.case, task.subject.sequence):
                self._take(task.board, task.subject, [reading])
                task.case.check()

    def _board(self, subject: Subject, version: int) -> Board:
        with self._turn:
            board = self._boards.get(subject.key)
            if board is None or board.baseline_version != version:
                board = self._boards[subject.key] = Board(version)
            self._boards.move_to_end(subject.key)
            while len(self._boards) > BOARDS_MAX:
                self._boards.popitem(last=False)
            return board

    def _reached(self, board: Board, stock: Stock, case: Case) -> Sequence[Node]:
        """Return what is to be computed: all at first, then what the edit reached and what is still owed."""
        if not board.readings:
            return tuple(self.graph.nodes.values())
        touched = touched_inputs(stock, board.overlay, case.overlay)
        if board.case is None or board.case.site != case.site:
            touched.add(SITE)
        wanted = {node.id for node in self.graph.reached(touched)} | board.owed
        return [node for node in self.graph.nodes.values() if node.id in wanted]

    def _take(self, board: Board, subject: Subject, readings: Sequence[Reading]) -> None:
        if not readings:
            return
        with self._turn:
            if board.sequence != subject.sequence:
                raise Superseded
            for reading in readings:
                board.readings[reading.id] = reading
                if reading.state is State.READY:
                    board.owed.discard(reading.id)
            self._turn.notify_all()
        self._publish(subject, [reading_item(reading) for reading in readings])

    def _refine(self, node: Node, case: Case, sequence: int) -> Iterable[Reading]:
        try:
            yield from refine_node(node, case, sequence)
        except Superseded:
            raise
        except Exception:  # noqa: BLE001 -- one indicator that fails must not take the others along
            _log.exception("an indicator failed", extra={"indicator": node.id})
            yield empty_reading(node, sequence, State.FAILED)

    @staticmethod
    def _read(node: Node, case: Case, sequence: int) -> Reading:
        try:
            return read_node(node, case, sequence)
        except Exception:  # noqa: BLE001 -- one indicator that fails must not take the others along
            _log.exception("an indicator failed", extra={"indicator": node.id})
            return empty_reading(node, sequence, State.FAILED)


def _no_check() -> None:
    """Let whoever asks later go on."""


def reading_item(reading: Reading) -> dict[str, Any]:
    """Return a reading as an item of a scheme's topic."""
    return {"id": f"reading/{reading.id}", "reading": reading.as_json()}


def read_set(name: str) -> FactorSet:
    """Return a factor set that comes with the program; raises :class:`NotFound` (``factor-set``)."""
    path = resources.files("cim.impact") / "factor_sets" / f"{name}.json"
    if not path.is_file():
        raise NotFound("There is no such factor set.", code="factor-set", name=name)
    return parse_set(orjson.loads(path.read_bytes()))
