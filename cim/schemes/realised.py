"""What schemes change as city objects, each made once for as long as its fields stay the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from cim.city.model import CityObject
from cim.schemes.realise import realise
from cim.schemes.state import Cell, State

KEPT_MAX: Final = 20_000
"""Objects that are remembered; beyond it all are forgotten and made again."""


class Realiser:
    """Remembers, of each target over each baseline, the last object and the fields that it was made from."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str], tuple[Mapping[str, Cell], CityObject | None]] = {}

    def realise(self, state: State, targets: Iterable[str] | None = None) -> dict[str, CityObject | None]:
        """Return what a state changes, all of it or some targets; see :func:`cim.schemes.realise.realise`."""
        wanted = list(state.targets if targets is None else targets)
        found: dict[str, CityObject | None] = {}
        missing = []
        for target in wanted:
            known = self._made.get((state.base.version, target))
            if known is not None and known[0] == state.own(target):
                found[target] = known[1]
            else:
                missing.append(target)
        if missing:
            fresh = realise(state.only(missing), state.base)
            if len(self._made) + len(fresh) > KEPT_MAX:
                self._made = {}
            for target, made in fresh.items():
                self._made[state.base.version, target] = (state.own(target), made)
            found |= fresh
        return {target: found[target] for target in wanted if target in found}
