"""A small city in a real database, with its schemes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import shapely

from cim.accounts.model import Who
from cim.city.columns import objects_to_columns
from cim.city.model import Attribute, CityFrame, CityObject
from cim.city.service import CityService
from cim.city.store import Act
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.findings import Provenance
from cim.ports import SystemClock
from cim.schemes.joining.service import JoiningService
from cim.schemes.model import Text, Words
from cim.schemes.service import Done, SchemeService, Wish
from cim.schemes.store import EDITS_GAPLESS

FRAME = CityFrame("test", "Test", "测试", "EPSG:3879", None, "flat", "Europe/Helsinki")
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
X, Y = 25_496_000.0, 6_673_000.0
MEI, OLLI = Who("Mei"), Who("Olli")


def house(number: int, height_m: float = 12.8, **attributes: Any) -> CityObject:
    x = X + 40.0 * number
    facts = {"height_m": height_m, "storeys_above_ground": 4, "function": "apartments", "ground_m": 0.0, **attributes}
    return CityObject(
        f"test:b{number}",
        "Building",
        shapely.box(x, Y, x + 20.0, Y + 10.0),
        attributes={name: Attribute(value) for name, value in facts.items()},
    )


def plain_city(houses: int = 6) -> list[CityObject]:
    road = CityObject(
        "test:r1", "Road", shapely.LineString([(X, Y - 20), (X + 400, Y - 20)]), attributes={"lanes": Attribute(2)}
    )
    lots = [
        CityObject(
            f"test:p{n}",
            "+Parcel",
            shapely.box(X + 40 * n - 5, Y - 5, X + 40 * n + 35, Y + 25),
            attributes={"land_use": Attribute("residential")},
        )
        for n in range(3)
    ]
    return [*(house(n) for n in range(houses)), road, *lots]


def tram_line() -> CityObject:
    """A route as a GTFS feed gives it: out one way, back another."""
    ways = [[(X, Y - 20), (X + 300, Y - 20)], [(X + 300, Y - 40), (X, Y - 40)]]
    facts = {"name": "4", "mode": "tram", "trips_per_day": 120}
    return CityObject(
        "test:route/4",
        "+TransitRoute",
        shapely.multilinestrings([shapely.linestrings(way) for way in ways]),
        attributes={name: Attribute(value) for name, value in facts.items()},
    )


def deliver(city: CityService, job: str, objects: Sequence[CityObject]) -> int:
    """Publish the whole dataset anew as the next baseline; return its number."""
    city.stage(job, 0, *objects_to_columns(objects))
    source = Provenance("test", "Test", "test.json", "0" * 64, "CC0-1.0", "nobody", "test", "1", AT)
    return city.publish(Act(job, "local", "test", AT), FRAME, [source]).baseline_version


@dataclass
class Planned:
    """An open city and what plans it."""

    database: Database
    city: CityService
    schemes: SchemeService
    joining: JoiningService

    def branch(self, name: str = "Towers", parent: str = "base", at: int | None = None) -> str:
        return self.schemes.create(Words(Text(name, "塔楼")), MEI, parent, at).scheme.id

    def edit(self, scheme: str, kind: str, target: str | None = None, who: Who = MEI, **params: Any) -> Done:
        return self.schemes.edit(scheme, Wish(kind, target, params), who)

    def head(self, scheme: str) -> int:
        return self.schemes.shelf.actor(scheme).number()


@contextlib.contextmanager
def opened(path: Path, objects: Sequence[CityObject] | None = None) -> Iterator[Planned]:
    """Open a directory; an empty one gets the plain city first."""
    with DataDirectory(path) as directory, Database.open(directory, checks=[EDITS_GAPLESS]) as database:
        city = CityService(database)
        if city.baseline_version == 0:
            deliver(city, "first", objects or plain_city())
        schemes = SchemeService(database, city, SystemClock())
        yield Planned(database, city, schemes, JoiningService(schemes, SystemClock()))
