"""The skeleton: one node per intersection, one line per block, one connected whole."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from cim.errors import InvalidInput
from cim.networks.model import Network, NetworkLink, NetworkNode
from ingest.sample.streets import BLOCK_LENGTH_M_MAX, build_skeleton, nearest_node


def net(points: dict[str, tuple[float, float]], links: list[tuple[str, str, str]]) -> Network:
    nodes = tuple(NetworkNode(name, "intersection", *xy) for name, xy in points.items())
    made = [
        NetworkLink(f"l{i}", "street", a, b, np.array([points[a], points[b]]), {"highway": kind, "name": f"{kind} {i}"})
        for i, (a, b, kind) in enumerate(links)
    ]
    return Network("street", "street", "town", nodes, tuple(made))


def test_a_dual_carriageway_is_one_street():
    points = {
        "a": (0, 0),
        "b": (0, 12),
        "c": (150, 0),
        "d": (150, 12),
        "e": (300, 0),
        "f": (150, 160),
        "g": (150, -160),
    }
    links = [("a", "c", "primary"), ("d", "b", "primary"), ("a", "b", "primary"), ("c", "d", "primary")]
    links += [("c", "e", "secondary"), ("d", "f", "secondary"), ("c", "g", "secondary")]
    skeleton = build_skeleton(net(points, links))
    assert len(skeleton.xy) == 5
    assert len(skeleton.links) == 4


def test_a_node_in_the_middle_of_a_block_goes_and_the_line_keeps_its_bend():
    points = {"a": (0, 0), "m": (60, 40), "b": (120, 0), "c": (240, 0), "d": (120, 120), "e": (120, -120)}
    links = [("a", "m", "residential"), ("m", "b", "residential"), ("b", "c", "residential")]
    links += [("b", "d", "residential"), ("b", "e", "residential")]
    skeleton = build_skeleton(net(points, links))
    assert len(skeleton.links) == 4
    bent = max(skeleton.links, key=lambda link: link.length_m)
    assert bent.length_m == pytest.approx(2 * np.hypot(60, 40))
    assert bent.length_m < BLOCK_LENGTH_M_MAX


def test_streets_cut_off_are_joined_over_a_driveway_and_other_driveways_are_not_used():
    points = {
        "a": (0, 0),
        "b": (200, 0),
        "c": (400, 0),
        "x": (200, 300),
        "y": (200, 500),
        "z": (400, 150),
        "w": (0, 150),
    }
    links = [("a", "b", "residential"), ("b", "c", "residential"), ("x", "y", "residential")]
    links += [("b", "x", "service"), ("c", "z", "service"), ("a", "w", "service")]
    skeleton = build_skeleton(net(points, links))
    kept = {link.highway for link in skeleton.links}
    assert kept == {"residential", "service"}
    assert sum(link.highway == "service" for link in skeleton.links) == 1
    assert len(skeleton.xy) == 5


def test_footpaths_carry_no_mains_and_too_little_is_refused():
    points = {"a": (0, 0), "b": (100, 0), "c": (200, 0)}
    with pytest.raises(InvalidInput) as caught:
        build_skeleton(net(points, [("a", "b", "footway"), ("b", "c", "residential")]))
    assert caught.value.problem_code == "streets-too-few"


def test_the_town_keeps_every_block_on_its_street(streets):
    skeleton = build_skeleton(streets)
    real = shapely.MultiLineString([link.line for link in streets.links]).buffer(0.01)
    assert all(real.covers(shapely.LineString(link.line)) for link in skeleton.links)
    for link in skeleton.links:
        assert tuple(link.line[0]) == tuple(skeleton.xy[link.start])
        assert tuple(link.line[-1]) == tuple(skeleton.xy[link.end])


def test_the_nearest_node_lies_on_the_nearest_street(streets):
    skeleton = build_skeleton(streets)
    place = np.array([[1000.0 + 30.0, 2000.0 + 5.0]])
    found = nearest_node(skeleton, place)
    assert tuple(skeleton.xy[found[0]]) == pytest.approx((1000.0, 2000.0))
