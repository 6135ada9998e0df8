"""What a scheme builds and pulls down, in floor area: the ground of its cost and its carbon; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import shapely

from cim.impact.land import floor_cm2
from cim.impact.stock import Stock

KEPT_SHARE_MIN: Final = 0.5
"""A building that keeps at least this share of its footprint is extended or cut back; else it is built anew."""


@dataclass(frozen=True, slots=True)
class Work:
    """One building's works: floor area put up and pulled down, cm²; storeys it has afterwards."""

    id: str
    built_cm2: int
    demolished_cm2: int
    storeys: int


@dataclass(frozen=True, slots=True)
class Works:
    """All works of a scheme."""

    items: tuple[Work, ...] = field(default=())

    @property
    def built_cm2(self) -> int:
        """Floor area that is put up."""
        return sum(item.built_cm2 for item in self.items)

    @property
    def demolished_cm2(self) -> int:
        """Floor area that is pulled down."""
        return sum(item.demolished_cm2 for item in self.items)


def works_of(stock: Stock) -> Works:
    """Return a scheme's works; none for a baseline."""
    found: Works | None = stock.memo.get("works")
    if found is None:
        found = stock.memo["works"] = Works(tuple(_works(stock)))
    return found


def _works(stock: Stock) -> list[Work]:
    base, buildings = stock.base, stock.buildings
    made = []
    storeys = stock.column("storeys")
    for row in buildings.extra_rows():
        after = floor_cm2(stock.tally_of_row(row))
        old = base.buildings.row(buildings.ids[row])
        if old is None:
            made.append(Work(buildings.ids[row], after, 0, int(storeys[row])))
            continue
        before = floor_cm2(base.tally_of_row(old))
        place = base.buildings.places[old]
        if float(shapely.intersection(place, buildings.places[row]).area) >= KEPT_SHARE_MIN * float(place.area):
            built, demolished = max(0, after - before), max(0, before - after)
        else:
            built, demolished = after, before
        made.append(Work(buildings.ids[row], built, demolished, int(storeys[row])))
    removed = [row for row in buildings.dead_rows.tolist() if buildings.row(base.buildings.ids[row]) is None]
    made += [Work(base.buildings.ids[row], 0, floor_cm2(base.tally_of_row(row)), 0) for row in removed]
    return made
