"""A small made-up town: a grid of streets with two buildings in every block and four ways out."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from cim.city.model import Attribute, CityObject
from cim.networks.model import Network, NetworkLink, NetworkNode
from ingest.records import Record, SourceHeader

BLOCK_M = 120.0
COLUMNS, ROWS = 6, 7


def town_streets() -> Network:
    nodes, links = [], []
    for row in range(ROWS):
        for column in range(COLUMNS):
            x, y = 1000.0 + column * BLOCK_M, 2000.0 + row * BLOCK_M
            nodes.append(NetworkNode(f"n{row}-{column}", "intersection", x, y))
            for other, far, name, highway in (
                (f"n{row}-{column + 1}", (x + BLOCK_M, y), f"Row {row}", "residential"),
                (f"n{row + 1}-{column}", (x, y + BLOCK_M), f"Column {column}", "secondary"),
            ):
                inside = (column + 1 < COLUMNS) if name.startswith("Row") else (row + 1 < ROWS)
                if inside:
                    facts = {"highway": highway, "name": name, "oneway": False, "lanes": 2, "speed_km_h": 40.0}
                    line = np.array([(x, y), far])
                    links.append(
                        NetworkLink(f"s{row}-{column}-{other}", "street", f"n{row}-{column}", other, line, facts)
                    )
    for row in (1, ROWS - 2):
        for column, outward in ((0, -80.0), (COLUMNS - 1, 80.0)):
            x, y = 1000.0 + column * BLOCK_M, 2000.0 + row * BLOCK_M
            name = f"out{row}-{column}"
            nodes.append(NetworkNode(name, "intersection", x + outward, y))
            facts = {"highway": "primary", "name": f"Row {row}", "oneway": False, "lanes": 2, "speed_km_h": 50.0}
            line = np.array([(x, y), (x + outward, y)])
            links.append(NetworkLink(f"arm{row}-{column}", "street", f"n{row}-{column}", name, line, facts))
    return Network("street", "street", "town", tuple(nodes), tuple(links))


def town_buildings() -> list[CityObject]:
    kinds = ("apartments", "office", "retail", "yes", "school", "hotel", "university")
    made = []
    for row in range(ROWS - 1):
        for column in range(COLUMNS - 1):
            west, south = 1015.0 + column * BLOCK_M, 2015.0 + row * BLOCK_M
            for part in range(2):
                footprint = shapely.box(west + part * 50.0, south, west + part * 50.0 + 36.0, south + 80.0)
                number = (row * (COLUMNS - 1) + column) * 2 + part
                facts = {
                    "function": Attribute(kinds[number % len(kinds)]),
                    "storeys_above_ground": Attribute(4 + number % 4),
                    "name": Attribute(f"House {number}" if number % 3 == 0 else None),
                }
                made.append(CityObject(f"town:way/{number}", "Building", footprint, (), facts))
    return made


def town_base() -> list[Record]:
    header = SourceHeader("Town", "EPSG:3879", None, "flat", "CC0-1.0", "nobody", "test", "1")
    return [header, *town_buildings(), town_streets()]


@pytest.fixture(scope="session")
def base() -> list[Record]:
    return town_base()


@pytest.fixture(scope="session")
def streets() -> Network:
    return town_streets()


@pytest.fixture(scope="session")
def buildings() -> list[CityObject]:
    return town_buildings()
