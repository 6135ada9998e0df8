"""Features of a scheme: the city's with what it adds, changes and takes away; read by GDAL as QGIS would."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import mapbox_vector_tile
import numpy as np
import pyogrio
import pytest

from cim.app import Services, build_app
from cim.city.service import CityService
from cim.config import Settings
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.live.hub import LiveHub
from cim.networks.model import Network, NetworkLink, NetworkNode
from cim.networks.service import NetworkService
from cim.networks.store import write_network
from cim.ports import SystemClock
from cim.schemes.model import Text, Words
from cim.schemes.service import Wish
from cim.tilesets.service import TilesetService
from cim.tilesets.store import TilesetStore
from cim.wiring.features import wire_features
from cim.wiring.schemes import Planning, wire_planning
from tests.support.scheme_city import MEI, X, Y, deliver, plain_city
from tests.support.web_city import live_server, one_view

needs_gdal = pytest.mark.skipif(
    "OAPIF" not in pyogrio.list_drivers(), reason="this GDAL is built without the OAPIF driver"
)
RING = [[[X + 300, Y + 40], [X + 330, Y + 40], [X + 330, Y + 60], [X + 300, Y + 60]]]


@dataclass
class Town:
    """A served city of six houses with one scheme of four edits."""

    address: str
    planning: Planning
    city: CityService
    scheme: str

    def get(self, path: str, *, planner: bool = False, **headers: str) -> httpx.Response:
        if planner:
            headers["Authorization"] = f"Bearer {self.planning.token}"
        return httpx.get(f"{self.address}{path}", headers=headers, trust_env=False)

    def items(self, scheme: str, collection: str, query: str = "limit=100") -> dict[str, Any]:
        answer = self.get(f"/s/{scheme}/ogc/collections/{collection}/items?{query}", planner=True)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def edit(self, kind: str, target: str | None = None, year: int | None = None, **params: Any) -> None:
        self.planning.schemes.edit(self.scheme, Wish(kind, target, params, year), MEI)


@contextmanager
def opened_town(folder: Path, networks: Sequence[Network] = ()) -> Iterator[Town]:
    with DataDirectory(folder / "data") as directory, Database.open(directory) as database:
        city = CityService(database)
        deliver(city, "first", plain_city())
        for network in networks:
            database.submit(lambda c, one=network: write_network(c, one, 1)).result()
        stored = NetworkService(database)
        planning = wire_planning(database, city, LiveHub("e1", clock=SystemClock()), SystemClock(), networks=stored)
        _, features = wire_features(city, planning, stored.networks, list, version="0.1.0", clock=SystemClock())
        services = Services(
            version="0.1.0",
            bundle=folder / "static",
            tiles=TilesetService(TilesetStore(folder / "tiles")),
            features=features,
            view=one_view,
        )
        scheme = planning.schemes.create(Words(Text("Towers", "塔楼")), MEI).scheme.id
        with live_server(build_app(services, Settings(rate_per_s=0))) as address:
            yield Town(address, planning, city, scheme)


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with opened_town(tmp_path) as made:
        made.edit("building.add", footprint=RING, storeys=[[4, "retail"], [3, "office"]], year=2030)
        made.edit("building.use", "test:b1", use="office")
        made.edit("building.demolish", "test:b2")
        made.edit("park.add", footprint=RING)
        yield made


@pytest.fixture
def wired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """The same city with mains, a feeder and a street graph, and a scheme that changes each."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with opened_town(tmp_path, town_networks()) as made:
        made.edit("network.size", "test:water/P1", diameter_m=0.4)
        made.edit("network.close", "test:water/P2")
        # An edit that is taken back leaves nothing.
        made.edit("network.close", "test:power/L1")
        made.planning.schemes.undo(made.scheme, MEI)
        main = {"network_id": "water", "axis": [[X + 101, Y - 30], [X + 160, Y - 30]], "diameter_m": 0.3}
        made.edit("network.add", element="main", year=2031, **main)
        made.edit("network.add", element="pump", network_id="water", place=[X + 20, Y - 30])
        made.edit("object.remove", "test:power/T")
        made.edit("network.add", element="feeder", network_id="power", axis=[[X, Y - 40], [X + 90, Y - 40]])
        yield made


def town_networks() -> tuple[Network, ...]:
    def line(*xs: float, y: float) -> Any:
        return np.array([[X + x, y] for x in xs])

    mains = Network(
        "water",
        "water",
        "test",
        (
            NetworkNode("R", "reservoir", X, Y - 30),
            NetworkNode("J1", "junction", X + 50, Y - 30),
            NetworkNode("J2", "junction", X + 99, Y - 30),
        ),
        (
            NetworkLink("P1", "pipe", "R", "J1", line(0, 50, y=Y - 30), {"diameter_m": 0.2}),
            NetworkLink("P2", "pipe", "J1", "J2", line(50, 99, y=Y - 30), {"diameter_m": 0.1}),
        ),
    )
    power = Network(
        "power",
        "power",
        "test",
        (NetworkNode("S", "source", X, Y - 40), NetworkNode("T", "transformer", X + 50, Y - 40)),
        (NetworkLink("L1", "line", "S", "T", line(0, 50, y=Y - 40)),),
    )
    streets = Network(
        "street",
        "street",
        "test",
        (
            NetworkNode("n1", "intersection", X, Y - 20),
            NetworkNode("n2", "intersection", X + 200, Y - 20),
            NetworkNode("n3", "intersection", X + 200, Y + 90),
        ),
        (
            NetworkLink("w1-0", "street", "n1", "n2", line(0, 200, y=Y - 20), {"osm_way": "test:r1", "oneway": False}),
            NetworkLink("other", "street", "n2", "n3", np.array([[X + 200, Y - 20], [X + 200, Y + 90]])),
        ),
    )
    return mains, power, streets


def test_a_scheme_has_the_city_with_its_changes(town: Town) -> None:
    found = town.items(town.scheme, "buildings")
    by_id = {feature["id"]: feature["properties"] for feature in found["features"]}
    assert found["numberMatched"] == found["numberReturned"] == 6
    assert "test:b2" not in by_id
    assert by_id["test:b1"]["scheme_change"] == "changed"
    assert by_id["test:b1"]["function"] == "office"
    added = by_id[f"{town.scheme}:b/1"]
    assert (added["scheme_change"], added["phase_year"], added["height_m"]) == ("added", 2030, 7.0)
    assert by_id["test:b0"]["scheme_change"] is None
    assert [feature["id"] for feature in town.items(town.scheme, "green")["features"]] == [f"{town.scheme}:k/4"]


def test_the_changes_alone_have_what_is_gone(town: Town) -> None:
    found = town.items(town.scheme, "scheme-changes")
    assert {feature["id"]: feature["properties"]["scheme_change"] for feature in found["features"]} == {
        f"{town.scheme}:b/1": "added",
        "test:b1": "changed",
        "test:b2": "demolished",
        f"{town.scheme}:k/4": "added",
    }


def test_filters_pages_and_counts_agree(town: Town) -> None:
    assert town.items(town.scheme, "buildings", "scheme_change=added")["numberMatched"] == 1
    pages = [town.items(town.scheme, "buildings", f"limit=4&offset={offset}") for offset in (0, 4)]
    assert [page["numberReturned"] for page in pages] == [4, 2]
    ids = [feature["id"] for page in pages for feature in page["features"]]
    assert len(set(ids)) == 6
    one = town.get(f"/s/{town.scheme}/ogc/collections/buildings/items/{town.scheme}:b%2F1", planner=True)
    assert one.json()["properties"]["scheme_change"] == "added"
    gone = town.get(f"/s/{town.scheme}/ogc/collections/buildings/items/test:b2", planner=True)
    assert gone.status_code == 404


def test_a_draft_is_there_for_planners_only_and_a_published_one_for_all(town: Town) -> None:
    path = f"/s/{town.scheme}/ogc/collections/buildings/items"
    assert town.get(path).status_code == 404
    town.planning.joining.publish(town.scheme, MEI)
    assert town.get(path).json()["numberMatched"] == 6
    town.edit("building.demolish", "test:b0")
    assert town.get(path).json()["numberMatched"] == 6
    assert town.get(path, planner=True).json()["numberMatched"] == 5
    town.planning.joining.withdraw(town.scheme)
    assert town.get(path).status_code == 404


def test_the_base_is_as_it_was(town: Town) -> None:
    assert town.items("base", "buildings")["numberMatched"] == 6
    assert town.get("/s/nobody/ogc").status_code == 404


def test_an_answer_is_sent_again_only_when_it_may_be_another(town: Town) -> None:
    path = f"/s/{town.scheme}/ogc/collections/buildings/items"
    first = town.get(path, planner=True)
    tag = first.headers["etag"]
    assert town.get(path, planner=True, **{"If-None-Match": tag}).status_code == 304
    town.edit("building.demolish", "test:b0")
    again = town.get(path, planner=True, **{"If-None-Match": tag})
    assert again.status_code == 200
    assert again.headers["etag"] != tag


def test_a_new_baseline_is_seen_through_the_scheme(town: Town) -> None:
    town.items(town.scheme, "buildings")
    deliver(town.city, "second", [*plain_city(7)])
    assert town.items(town.scheme, "buildings")["numberMatched"] == 7


def by_id(page: dict[str, Any]) -> dict[str, Any]:
    return {feature["id"]: feature for feature in page["features"]}


def test_networks_have_what_the_scheme_does_to_them(wired: Town) -> None:
    scheme = wired.scheme
    links = by_id(wired.items(scheme, "water-links"))
    assert set(links) == {"test:water/P1", "test:water/P2", f"{scheme}:n/5"}
    sized, closed, new = (links[one]["properties"] for one in ("test:water/P1", "test:water/P2", f"{scheme}:n/5"))
    assert (sized["diameter_m"], sized["closed"], sized["scheme_change"], sized["kind"]) == (
        0.4,
        False,
        "changed",
        "pipe",
    )
    assert (closed["diameter_m"], closed["closed"], closed["scheme_change"]) == (0.1, True, "changed")
    assert (closed["from_node"], closed["to_node"]) == ("J1", "J2")
    assert (new["kind"], new["diameter_m"], new["scheme_change"], new["network_id"]) == ("pipe", 0.3, "added", "water")
    # It begins 2 m from J2 and ends 60 m from anything.
    assert (new["from_node"], new["to_node"], new["phase_year"]) == ("J2", None, 2031)
    nodes = by_id(wired.items(scheme, "water-nodes"))
    assert set(nodes) == {"test:water/R", "test:water/J1", "test:water/J2", f"{scheme}:n/6"}
    pump = nodes[f"{scheme}:n/6"]
    assert (pump["geometry"]["type"], pump["properties"]["kind"]) == ("Point", "pump")
    assert nodes["test:water/J1"]["properties"]["scheme_change"] is None
    # The substation is gone, its feeder is not; the new feeder is there, in a network of nodes that nobody has else.
    assert set(by_id(wired.items(scheme, "power-nodes"))) == {"test:power/S"}
    assert set(by_id(wired.items(scheme, "power-links"))) == {"test:power/L1", f"{scheme}:n/8"}
    changes = by_id(wired.items(scheme, "scheme-changes"))
    assert changes["test:power/T"]["properties"]["scheme_change"] == "demolished"
    assert wired.items(scheme, "water-links", "closed=true")["numberMatched"] == 1


def test_the_networks_of_the_city_are_as_they_were(wired: Town) -> None:
    links = by_id(wired.items("base", "water-links"))
    assert {one: links[one]["properties"]["diameter_m"] for one in links} == {
        "test:water/P1": 0.2,
        "test:water/P2": 0.1,
    }
    assert "closed" not in links["test:water/P1"]["properties"]
    assert set(by_id(wired.items("base", "power-nodes"))) == {"test:power/S", "test:power/T"}


def test_street_links_follow_their_streets(wired: Town) -> None:
    scheme, base = wired.scheme, by_id(wired.items("base", "street-links"))
    wired.edit("street.oneway", "test:r1", oneway="backward")
    links = by_id(wired.items(scheme, "street-links"))
    turned, was = links["test:street/w1-0"], base["test:street/w1-0"]
    assert turned["geometry"]["coordinates"] == was["geometry"]["coordinates"][::-1]
    assert (turned["properties"]["from_node"], turned["properties"]["to_node"]) == ("n2", "n1")
    assert (turned["properties"]["oneway"], was["properties"]["oneway"]) == (True, False)
    assert links["test:street/other"]["properties"]["scheme_change"] is None
    wired.edit("street.close", "test:r1")
    wired.edit("street.add", axis=[[X, Y - 60], [X, Y - 20]], lanes=1, oneway="forward")
    links = by_id(wired.items(scheme, "street-links"))
    assert links["test:street/w1-0"]["properties"]["closed"] is True
    (new,) = (one for name, one in links.items() if name.startswith(f"{scheme}:r/"))
    assert (new["properties"]["from_node"], new["properties"]["to_node"]) == (None, "n1")
    assert (new["properties"]["oneway"], new["properties"]["lanes"], new["properties"]["length_m"]) == (True, 1, 40.0)
    wired.edit("object.remove", "test:r1")
    assert "test:street/w1-0" not in by_id(wired.items(scheme, "street-links"))


def test_a_network_that_the_city_has_not_is_a_collection_of_the_scheme(wired: Town) -> None:
    wired.edit("network.add", element="main", network_id="gas", axis=[[X, Y - 50], [X + 90, Y - 50]])
    (main,) = wired.items(wired.scheme, "gas-links")["features"]
    assert (main["properties"]["network_id"], main["properties"]["from_node"]) == ("gas", None)
    assert main["geometry"]["type"] == "LineString"
    names = {one["id"] for one in wired.get("/ogc/collections").json()["collections"]}
    assert "gas-links" not in names
    wired.edit("object.remove", main["id"])
    assert wired.get(f"/s/{wired.scheme}/ogc/collections/gas-links/items", planner=True).status_code == 404


@needs_gdal
def test_gdal_reads_the_networks_of_the_scheme(wired: Town) -> None:
    wired.planning.joining.publish(wired.scheme, MEI)
    where = f"OAPIF:{wired.address}/s/{wired.scheme}/ogc"
    program = (
        "import json, pyogrio.raw as raw, shapely;"
        f"head, _, shapes, columns = raw.read({where!r}, layer='water-links', where=\"scheme_change = 'changed'\");"
        "rows = dict(zip(head['fields'].tolist(), [one.tolist() for one in columns]));"
        "kinds = [one.geom_type for one in shapely.from_wkb(shapes)];"
        "print(json.dumps([head['geometry_type'], kinds, sorted(zip(rows['element_id'], rows['diameter_m']))]))"
    )
    kind, kinds, rows = json.loads(in_another_process(program))
    assert (kind, kinds) == ("LineString", ["LineString"] * 2)
    assert rows == [["P1", 0.4], ["P2", 0.1]]


def in_another_process(program: str) -> str:
    """GDAL holds the interpreter while it waits for the server."""
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "GDAL_HTTP_TIMEOUT": "20"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_gdal
def test_gdal_reads_the_scheme(town: Town) -> None:
    town.planning.joining.publish(town.scheme, MEI)
    program = (
        "import json, pyogrio, pyogrio.raw as raw; where = {address!r};"
        "read = raw.read(where, layer='buildings', PAGE_SIZE='2', where=\"scheme_change IN ('added', 'changed')\");"
        "print(json.dumps([sorted(pyogrio.list_layers(where)[:, 0]), len(read[2]), read[0]['fields'].tolist()]))"
    ).format(address=f"OAPIF:{town.address}/s/{town.scheme}/ogc")
    layers, count, fields = json.loads(in_another_process(program))
    assert layers == ["buildings", "green", "parcels", "scheme-changes", "streets"]
    assert count == 2
    assert {"scheme_change", "phase_year", "height_m"} <= set(fields)


def test_a_scheme_is_asked_drawn_and_written_as_the_city_is(town: Town) -> None:
    mount = f"/s/{town.scheme}/ogc/collections/buildings"

    def get(path: str, **parameters: str) -> httpx.Response:
        query = f"?{urlencode(parameters)}" if parameters else ""
        return town.get(path.removeprefix(town.address) + query, planner=True)

    added = f"{town.scheme}:b/1"
    queryables = get(f"{mount}/queryables").json()
    assert queryables["properties"]["scheme_change"]["type"] == "string"
    found = get(f"{mount}/items", filter="scheme_change IS NOT NULL AND phase_year > 2000").json()
    assert [feature["id"] for feature in found["features"]] == [added]
    crs = "http://www.opengis.net/def/crs/EPSG/0/3879"
    there = get(f"{mount}/items", crs=crs, filter="scheme_change = 'added'")
    assert there.headers["content-crs"] == f"<{crs}>"
    y, x = there.json()["features"][0]["geometry"]["coordinates"][0][0]
    assert (6.6e6 < y < 6.7e6, 2.5e7 < x < 2.6e7) == (True, True)
    tilejson = get(f"{mount}/tiles/WebMercatorQuad", f="tilejson").json()
    (template,) = tilejson["tiles"]
    assert template.startswith(town.address + mount)
    west, south, east, north = (math.radians(side) for side in tilejson["bounds"])
    column = int(((west + east) / 2 / math.pi + 1) / 2 * 2**15)
    row = int((1 - math.asinh(math.tan((south + north) / 2)) / math.pi) / 2 * 2**15)
    tile = get(template.replace("{z}/{y}/{x}", f"15/{row}/{column}"))
    assert added in {
        one["properties"]["id"] for one in mapbox_vector_tile.decode(tile.content)["buildings"]["features"]
    }
    assert get(template.replace("{z}/{y}/{x}", "15/0/0")).status_code == 204
    document = get(f"{mount}/items", f="cityjson", filter=f"id = '{added}'").json()
    assert set(document["CityObjects"]) == {added}
    export = "/api/v1/export/buildings"
    rows = get(export, format="csv", scheme=town.scheme).text.splitlines()
    assert {row.partition(",")[0] for row in rows[1:]} == {
        f["id"] for f in town.items(town.scheme, "buildings")["features"]
    }
