"""The Helsinki extract, counted by pyosmium and by shapely beside what the reader gives."""

from collections import Counter
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely

from cim.city.model import CityObject, Quarantined, check_object
from cim.findings import Quality
from cim.networks.model import Network
from ingest.readers import osm_buildings
from ingest.readers.registry import reader_for
from ingest.records import ReadContext, SourceHeader

HELSINKI = Path(__file__).resolve().parents[2] / "ingest" / "sample" / "helsinki" / "Helsinki.osm.pbf"


@pytest.fixture(scope="module")
def records():
    context = ReadContext("helsinki", options={"working_crs": "EPSG:3879"})
    return list(reader_for(HELSINKI).read(HELSINKI, context))


@pytest.fixture(scope="module")
def objects(records):
    return {record.id: record for record in records if isinstance(record, CityObject)}


@pytest.fixture(scope="module")
def network(records):
    (found,) = [record for record in records if isinstance(record, Network)]
    return found


def counted():
    """Count by pyosmium alone: building areas, those with a height, with levels; trees."""
    counts = Counter()
    for entity in osmium.FileProcessor(str(HELSINKI)).with_areas():
        tags = entity.tags
        if entity.is_area() and "building" in tags:
            counts["buildings"] += 1
            counts["height"] += "height" in tags
            counts["levels"] += "building:levels" in tags
        counts["trees"] += entity.is_node() and tags.get("natural") == "tree"
        counts["parts"] += entity.is_area() and "building:part" in tags and "building" not in tags
    return counts


def test_counts_are_those_of_pyosmium(objects):
    types = Counter(one.type for one in objects.values())
    oracle = counted()
    buildings = [one for one in objects.values() if one.type == "Building"]
    heights = [one.attributes["height_m"] for one in buildings]
    recorded = sum(height.quality is Quality.RECORDED for height in heights)
    levels = [one.attributes.get("storeys_above_ground") for one in buildings]
    tagged = sum(one is not None and one.quality is Quality.RECORDED for one in levels)
    assert (types["Building"], types["SolitaryVegetationObject"]) == (oracle["buildings"], oracle["trees"])
    assert types["BuildingPart"] == oracle["parts"]
    assert (types["Building"], recorded, tagged) == (446, 16, 149)
    assert (oracle["height"], oracle["levels"]) == (16, 149)


def test_the_first_record_says_what_the_file_is(records):
    header = records[0]
    assert isinstance(header, SourceHeader)
    assert (header.working_crs, header.ground, header.vertical_datum) == ("EPSG:3879", "flat", None)
    assert (header.licence, header.attribution) == ("ODbL-1.0", "© OpenStreetMap contributors")


def test_every_object_is_sound_and_modelled_heights_say_so(objects):
    for one in objects.values():
        check_object(one)
        height = one.attributes.get("height_m")
        if height is not None and height.quality is Quality.MODELLED:
            assert height.method
            assert height.interval is not None
            assert height.interval[0] <= height.value <= height.interval[1]


def test_land_and_sea_share_the_extract(objects):
    land = [one.place for one in objects.values() if one.id.startswith("helsinki:land/")]
    sea = [one.place for one in objects.values() if one.id.startswith("helsinki:sea/")]
    whole = shapely.union_all([*land, *sea])
    assert shapely.union_all(land).intersection(shapely.union_all(sea)).area < 1.0
    # The bay of Kaisaniemi is wet, the railway station is not.
    bay = transformed(24.9430, 60.1780)
    station = transformed(24.9414, 60.1719)
    assert shapely.union_all(sea).contains(bay)
    assert shapely.union_all(land).contains(station)
    buildings = [one.place for one in objects.values() if one.type == "Building"]
    assert shapely.union_all(buildings).difference(whole.buffer(1)).area < 1.0
    assert 0.05 < shapely.union_all(sea).area / whole.area < 0.15


def transformed(lon, lat):
    from pyproj import Transformer

    return shapely.Point(Transformer.from_crs(4326, 3879, always_xy=True).transform(lon, lat))


def test_parts_lie_in_their_buildings(objects):
    parts = [one for one in objects.values() if one.type == "BuildingPart" and one.parent_id]
    assert len(parts) >= 100
    for part in parts:
        parent = objects[part.parent_id].place
        assert parent.buffer(0.5).intersects(part.place.representative_point())
        assert objects[part.parent_id].attributes["parts_share"].value > 0


def test_the_street_graph_is_cut_at_crossings(network, objects):
    nodes = {node.element_id: (node.x, node.y) for node in network.nodes}
    assert len({link.element_id for link in network.links} | set(nodes)) == len(network.links) + len(nodes)
    for link in network.links:
        np.testing.assert_allclose(link.line[0], nodes[link.from_node])
        np.testing.assert_allclose(link.line[-1], nodes[link.to_node])
        assert link.from_node != link.to_node
        assert link.attributes["osm_way"] in objects
        assert link.attributes["length_m"] == pytest.approx(shapely.LineString(link.line).length, abs=1e-3)
    # No node of the graph lies inside a link: whatever is shared is an end.
    used = Counter(tuple(point) for link in network.links for point in np.round(link.line[1:-1], 6).tolist())
    assert not {tuple(np.round(xy, 6).tolist()) for xy in nodes.values()} & set(used)


def test_links_carry_the_whole_length_of_the_drivable_ways(network, objects):
    drivable = {link.attributes["osm_way"] for link in network.links}
    ways = sum(objects[way].place.length for way in drivable)
    assert sum(link.attributes["length_m"] for link in network.links) == pytest.approx(ways, rel=1e-6)


def test_one_ways_run_as_they_are_driven(network):
    streets = {link.attributes["osm_way"]: link for link in network.links}
    oneway = sum(bool(link.attributes["oneway"]) for link in streets.values())
    oracle = {
        f"helsinki:way/{way.id}"
        for way in osmium.FileProcessor(str(HELSINKI), osmium.osm.WAY)
        if way.tags.get("oneway") in ("yes", "-1") and f"helsinki:way/{way.id}" in streets
    }
    assert oracle
    assert oracle <= {way for way, link in streets.items() if link.attributes["oneway"]}
    assert oneway >= len(oracle)


def test_what_the_border_cuts_is_said(records, objects):
    faults = Counter(record.code for record in records if isinstance(record, Quarantined))
    assert faults["cut-at-border"] > 0
    assert any("cut_at_border" in one.attributes for one in objects.values())


def test_without_a_crs_the_utm_zone_is_proposed(tmp_path):
    header = next(iter(reader_for(HELSINKI).read(HELSINKI, ReadContext("helsinki"))))
    assert header.working_crs == "EPSG:32635"


def test_an_id_twice_and_a_ring_that_crosses_itself(tmp_path):
    path = tmp_path / "odd.osm.pbf"
    corners = [(24.94, 60.17), (24.941, 60.17), (24.941, 60.171), (24.94, 60.171)]
    writer = osmium.SimpleWriter(str(path))
    for number, location in enumerate(corners, start=1):
        writer.add_node(osmium.osm.mutable.Node(id=number, location=location))
    house = {"building": "yes"}
    for number, refs in ((10, [1, 2, 3, 4, 1]), (11, [1, 3, 2, 4, 1])):
        writer.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=house))
    writer.close()
    records = list(reader_for(path).read(path, ReadContext("odd")))
    kept = [record.id for record in records if isinstance(record, CityObject) and record.type == "Building"]
    faults = {record.feature: record.code for record in records if isinstance(record, Quarantined)}
    assert kept == ["odd:way/10"]
    assert faults == {"way/11": "geometry-invalid"}


def test_intervals_of_modelled_heights_hold_what_they_promise(objects) -> None:
    """Each building with known levels is left out and estimated from the others: about 90 % must be inside."""
    known = [
        (o.attributes["function"].value, o.place.centroid.x, o.place.centroid.y, float(levels.value))
        for o in objects.values()
        if o.type == "Building" and (levels := o.attributes.get("storeys_above_ground")) is not None
        if levels.quality is Quality.RECORDED
    ]
    assert len(known) == 149
    held = 0
    for left_out in known:
        rest = [one for one in known if one is not left_out]
        others = osm_buildings.KnownLevels()
        for kind, x, y, levels in rest:
            others.add(kind, (x, y), levels)
        others.index(np.array([[x, y] for _, x, y, _ in rest]))
        kind, x, y, levels = left_out
        low, high = osm_buildings.estimate({"building": kind}, x, y, others).height_m.interval
        held += low <= levels * osm_buildings.LEVEL_HEIGHT_M <= high
    assert 0.86 <= held / len(known) <= 0.96
