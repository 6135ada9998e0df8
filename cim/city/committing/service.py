"""Publishing without holding anybody up: long work on a bench, short turns of the writer, one switch at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

import duckdb
import pyarrow as pa

from cim.city.committing import store
from cim.city.committing.store import Gathered
from cim.city.store import current_version
from cim.db.bench import Bench
from cim.db.store import Database
from cim.errors import CimError, IntegrityError

T = TypeVar("T")
Piece = tuple[str, pa.Table]


class Committer:
    """Gives the numbers of baselines, one at a time, and commits what was gathered for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()

    @contextmanager
    def next_baseline(self, bench: Bench) -> Iterator[int]:
        """Lend the number of the next baseline; nobody else publishes meanwhile.

        The bench has no tables ``fresh_…``: they are made by who gathers in them.
        """
        with self._guard:
            if bench.run(store.has_unpublished):
                self._database.submit(store.clear_unpublished).result()
            bench.run(store.begin)
            yield bench.run(current_version) + 1

    def commit(
        self,
        bench: Bench,
        version: int,
        finish: Callable[[duckdb.DuckDBPyConnection], T],
        gathered: Sequence[Gathered] = (),
    ) -> T:
        """Move what was ``gathered``, here and in tables ``fresh_…``, into the city and publish it.

        Returns what ``finish`` does.

        ``finish`` writes the row of ``baseline``, in the transaction of the last turn: until that is durable nobody
        sees anything, and a failure leaves the city as it was.
        """
        moving: Future[None] | None = None

        def last(connection: duckdb.DuckDBPyConnection) -> T:
            if current_version(connection) != version - 1:
                raise IntegrityError(
                    "Another baseline was published meanwhile. The city is unchanged.", code="baseline-moved"
                )
            _append(connection, turn)
            return finish(connection)

        try:
            turn: list[Piece] = []
            for piece in store.pieces(bench, gathered):
                if turn and _bytes(turn) + piece[1].nbytes > store.PIECE_BYTES:
                    _wait(moving)
                    # While it is written the next is read.
                    moving = self._database.submit(partial(_append, turn=turn))
                    turn = []
                turn.append(piece)
            _wait(moving)
            return self._database.submit(last).result()
        except BaseException:
            if moving is not None:
                # What cannot be cleared now is cleared before the next baseline is gathered.
                with suppress(CimError, duckdb.Error):
                    self._database.submit(store.clear_unpublished).result()
            raise


def _wait(moving: Future[None] | None) -> None:
    if moving is not None:
        moving.result()


def _append(connection: duckdb.DuckDBPyConnection, turn: list[Piece]) -> None:
    for name, some in groupby(turn, key=itemgetter(0)):
        # Some rows leave columns out, such as of objects that go.
        store.append(connection, name, pa.concat_tables([rows for _, rows in some], promote_options="default"))


def _bytes(turn: list[Piece]) -> int:
    return sum(int(rows.nbytes) for _, rows in turn)
