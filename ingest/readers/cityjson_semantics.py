"""What the surfaces of CityJSON geometries mean (CityJSON 2.0.1, section 3.3), a batch at a time; pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cim.city.columns import structure_to_json
from cim.errors import InvalidInput
from cim.geometry.wkb import offsets_of
from ingest.readers.cityjson_attributes import check_nesting

_GROUND: Final = "GroundSurface"
_SHELL_DEPTH: Final = 4
_SOLID_DEPTH: Final = 5


@dataclass(frozen=True, slots=True)
class Meanings:
    """``own[i]``: meanings and values (-1 for none) of geometry ``i``, or ``None``; which surfaces are ground."""

    own: list[tuple[list[dict[str, Any]], list[int]] | None]
    is_ground: NDArray[np.bool_]


def _unfit() -> InvalidInput:
    return InvalidInput("The semantics do not fit the surfaces.", code="geometry-structure")


def read_meanings(bodies: list[dict[str, Any]], depths: list[int], surfaces: NDArray[np.int64]) -> Meanings:
    """Return the meanings of all surfaces; ``depths`` of the boundaries, ``surfaces`` per geometry.

    Raises :class:`InvalidInput` where one of them does not fit its geometry.
    """
    rows: list[int] = []
    lists: list[list[Any]] = []
    meanings: list[list[dict[str, Any]]] = []
    for row, (body, depth, count) in enumerate(zip(bodies, depths, surfaces.tolist(), strict=True)):
        raw = body.get("semantics") if count else None
        if raw is None:
            continue
        values = raw.get("values")
        rows.append(row)
        meanings.append(raw["surfaces"])
        lists.append([None] * count if values is None else _flat(values, body["boundaries"], depth))
        if len(lists[-1]) != count:
            raise _unfit()
    own: list[tuple[list[dict[str, Any]], list[int]] | None] = [None] * len(bodies)
    is_ground = np.zeros(int(surfaces.sum()), dtype=bool)
    if rows:
        values, is_ground[np.repeat(np.isin(np.arange(len(bodies)), rows), surfaces)] = _checked(lists, meanings)
        for row, meaning, own_values in zip(rows, meanings, values, strict=True):
            own[row] = (meaning, own_values)
    return Meanings(own, is_ground)


def _flat(values: list[Any], boundaries: list[Any], depth: int) -> list[Any]:
    """Return one value per surface; ``None`` stands for a whole shell or a whole solid."""
    if depth == _SOLID_DEPTH:
        values, boundaries = _spread(values, boundaries), list(chain.from_iterable(boundaries))
    return _spread(values, boundaries) if depth >= _SHELL_DEPTH else values


def _spread(values: list[Any], boundaries: list[Any]) -> list[Any]:
    if len(values) != len(boundaries):
        raise _unfit()
    if None in values:
        values = [
            [None] * len(inner) if value is None else value for value, inner in zip(values, boundaries, strict=True)
        ]
    elif len(values) == 1 and isinstance(values[0], list):
        return values[0]
    return list(chain.from_iterable(values))


def _checked(lists: list[list[Any]], meanings: list[list[dict[str, Any]]]) -> tuple[list[list[int]], NDArray[np.bool_]]:
    """Check all values and meanings; return the values with -1 for none, and which surfaces are ground."""
    together = list(chain.from_iterable(lists))
    if None in together:
        together = [-1 if value is None else value for value in together]
        ends = offsets_of(np.fromiter(map(len, lists), np.int64, len(lists))).tolist()
        lists = [together[start:stop] for start, stop in pairwise(ends)]
    every = list(chain.from_iterable(meanings))
    if not {dict} >= set(map(type, every)) or not {int} >= set(map(type, together)):
        raise _unfit()
    if not {list, dict}.isdisjoint(map(type, chain.from_iterable(map(dict.values, every)))):
        for surface in every:
            check_nesting(surface)
    listed = np.fromiter(map(len, meanings), np.int64, len(meanings))
    counts = np.fromiter(map(len, lists), np.int64, len(lists))
    values = np.array(together, dtype=np.int64)
    if ((values < -1) | (values >= np.repeat(listed, counts))).any():
        raise InvalidInput("The semantics name a surface type that is not listed.", code="geometry-structure")
    # One more at the end, for surfaces without meaning.
    ground = np.array([*[meaning.get("type") == _GROUND for meaning in every], False])
    places = np.where(values < 0, len(every), values + np.repeat(offsets_of(listed)[:-1], counts))
    is_ground: NDArray[np.bool_] = ground[places]
    return lists, is_ground


def structures_of(shells: list[list[int]], solids: list[list[int]], meanings: Meanings) -> list[str | None]:
    """Return the JSON that stands beside each geometry."""
    return list(map(structure_to_json, shells, solids, meanings.own))
