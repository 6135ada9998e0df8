"""What the child process of the durability test of merging does; it is killed by its test."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cim.city.committing import store as committing
from cim.city.model import CityObject
from cim.city.store import Act
from cim.city.undoing.service import UndoService
from tests.support.merged_city import AT, MergedCity, box, building, merged_city

BUILDINGS = 60
CYCLE = 4


def models(turn: int) -> list[CityObject]:
    """The first source: every turn some are new and some are gone."""
    return [building(f"models:{n}", box(n), "2", turn=turn // CYCLE) for n in range(turn % 3, BUILDINGS)]


def prints(turn: int) -> list[CityObject]:
    """The second source."""
    return [building(f"prints:{n}", box(n, 1.0), "1", storeys_above_ground=n + turn % 5) for n in range(BUILDINGS)]


def step(city: MergedCity, turn: int) -> None:
    """Do what comes in a turn: the first source, the second, the first again, that taken back."""
    if turn % CYCLE in {0, 2}:
        city.deliver(models(turn))
    elif turn % CYCLE == 1:
        city.deliver(prints(turn))
    else:
        city.jobs += 1
        undo = UndoService(city.database, city.city)
        undo.take_back(Act(f"j{city.jobs}", "local", "undo", AT), f"j{city.jobs - 1}")


def merge_forever(path: Path) -> None:
    """Go on from where the city stands; print every turn that is durable, until killed."""
    with merged_city(path) as city:
        city.jobs = city.city.baseline_version
        while True:
            turn = city.jobs
            step(city, turn)
            os.write(1, f"{turn}\n".encode())


if __name__ == "__main__":
    # Many turns of the writer a baseline, so that some are ended between two of them.
    committing.PIECE_BYTES = 4_096  # type: ignore[misc]
    committing.FIRST_ROWS = 5  # type: ignore[misc]
    committing.TURNS_A_GROUP = 1_000  # type: ignore[misc]
    merge_forever(Path(sys.argv[1]))
