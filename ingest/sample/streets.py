"""The skeleton of the streets: the graph along which the generated mains and cables are laid.

A street graph from OpenStreetMap has a node at every crossing way, two lines for a dual carriageway
and dead ends at the border of the extract.  The skeleton keeps one node per intersection and one
line per street block; its lines are the real street lines.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import scipy.sparse as sp
import shapely
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import connected_components, dijkstra

from cim.errors import InvalidInput
from cim.networks.model import Network, NetworkLink

FloatArray = NDArray[np.float64]

MAIN_CLASSES: Final = frozenset(
    {"motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street"}
    | {"pedestrian", "motorway_link", "trunk_link", "primary_link", "secondary_link", "tertiary_link"}
)
"""Street classes (OSM ``highway``) that mains and cables follow: all but driveways and paths."""

INTERSECTION_DIAMETER_M: Final = 45.0
"""Street nodes nearer than this to each other are one intersection."""

BLOCK_LENGTH_M_MAX: Final = 180.0
"""Lines are joined through a node of degree two only up to this length."""

PART_LENGTH_M_MIN: Final = 150.0
"""Streets cut off from the others are joined to them over driveways from this length on, metres."""

STUB_LENGTH_M_MIN: Final = 35.0
"""A dead end shorter than this is left out."""


@dataclass(frozen=True, slots=True)
class SkeletonLink:
    """A street block between nodes ``start`` and ``end``; ``line`` has shape (n, 2), metres."""

    start: int
    end: int
    line: FloatArray
    name: str
    highway: str

    @property
    def length_m(self) -> float:
        """Length along the line, metres."""
        return float(np.hypot(*np.diff(self.line, axis=0).T).sum())


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Nodes with ``xy`` of shape (n, 2), metres, and the links between them; one connected part."""

    xy: FloatArray
    links: tuple[SkeletonLink, ...]

    def street_at(self, node: int) -> str:
        """Return the name of the most important named street at a node, or ``""``."""
        names = sorted(
            (link.length_m, link.name) for link in self.links if link.name and node in (link.start, link.end)
        )
        return names[-1][1] if names else ""


def text_of(link: NetworkLink, key: str) -> str:
    """Return an attribute of a link as text, ``""`` where it has none."""
    value = link.attributes.get(key)
    return "" if value is None else str(value)


def build_skeleton(streets: Network) -> Skeleton:
    """Simplify a street network; deterministic.

    Raises :class:`InvalidInput` (``streets-too-few``) when fewer than two street blocks remain.
    """
    chosen = _chosen(streets)
    links = _merge_intersections(streets, chosen) if len(chosen) > 1 else []
    for _ in range(4):
        links = _contract(_prune(_unique(_largest_part(links))))
    links = _unique(_largest_part(links))
    if len(links) < 2:
        raise InvalidInput("There are too few streets to lay a network along.", code="streets-too-few")
    return _renumber(links)


def _chosen(streets: Network) -> list[NetworkLink]:
    """Return the streets to follow, and the driveways without which some of them would be cut off."""
    links = sorted(streets.links, key=lambda item: item.element_id)
    names = sorted({end for link in links for end in (link.from_node, link.to_node)})
    number = {name: i for i, name in enumerate(names)}
    main = np.array([text_of(link, "highway") in MAIN_CLASSES for link in links], dtype=np.bool_)
    if not main.any():
        return []
    ends = np.array([(number[link.from_node], number[link.to_node]) for link in links])
    length = np.array([max(0.1, float(np.hypot(*np.diff(link.line, axis=0).T).sum())) for link in links])
    label = _components(ends[main], len(names))
    extent = np.bincount(label[ends[main][:, 0]], length[main], int(label.max()) + 1)
    home = int(extent.argmax())
    # Along streets the way costs next to nothing, so that it uses as little driveway as can be.
    cost = np.where(main, length * 1e-3, length)
    row = {(int(a), int(b)): i for i, (a, b) in enumerate(ends.tolist())}
    graph = sp.csr_matrix((cost, (ends[:, 0], ends[:, 1])), shape=(len(names), len(names)))
    start = int(np.flatnonzero(label == home)[0])
    distance, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    used = main.copy()
    for part in np.flatnonzero(extent >= PART_LENGTH_M_MIN).tolist():
        members = np.flatnonzero(label == part)
        at = int(members[distance[members].argmin()])
        while np.isfinite(distance[at]) and at != start:
            up = int(before[at])
            used[row[(up, at)] if (up, at) in row else row[(at, up)]] = True
            at = up
    return [link for link, keep in zip(links, used.tolist(), strict=True) if keep]


def _components(ends: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    joined = sp.csr_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return np.asarray(connected_components(joined, directed=False)[1], dtype=np.int64)


def _merge_intersections(streets: Network, chosen: list[NetworkLink]) -> list[SkeletonLink]:
    """Give every cluster of near nodes one place, and pull the lines' ends to it."""
    used = sorted({end for link in chosen for end in (link.from_node, link.to_node)})
    position = {node.element_id: (node.x, node.y) for node in streets.nodes}
    xy = np.array([position[name] for name in used], dtype=np.float64)
    cluster = fcluster(linkage(xy, "complete"), INTERSECTION_DIAMETER_M, "distance") - 1
    counts = np.bincount(cluster)
    centre = np.column_stack([np.bincount(cluster, xy[:, axis]) / counts for axis in (0, 1)])
    index = {name: int(cluster[i]) for i, name in enumerate(used)}
    merged = []
    for link in sorted(chosen, key=lambda item: item.element_id):
        start, end = index[link.from_node], index[link.to_node]
        if start == end:
            continue
        inner = link.line[1:-1]
        # Vertices inside an intersection would make the line turn back on itself.
        far = np.minimum(np.hypot(*(inner - centre[start]).T), np.hypot(*(inner - centre[end]).T)) > 15.0
        line = np.vstack((centre[start], inner[far], centre[end]))
        merged.append(SkeletonLink(start, end, line, text_of(link, "name"), text_of(link, "highway")))
    return merged


def _unique(links: list[SkeletonLink]) -> list[SkeletonLink]:
    """Keep the shortest of the lines that join the same two nodes, with a name if any has one."""
    best: dict[tuple[int, int], SkeletonLink] = {}
    for link in links:
        key = (min(link.start, link.end), max(link.start, link.end))
        other = best.get(key)
        if other is None:
            best[key] = link
        else:
            kept = min(other, link, key=lambda item: item.length_m)
            best[key] = replace(kept, name=kept.name or other.name or link.name)
    return list(best.values())


def _incidence(links: list[SkeletonLink]) -> dict[int, list[int]]:
    at: dict[int, list[int]] = defaultdict(list)
    for i, link in enumerate(links):
        at[link.start].append(i)
        at[link.end].append(i)
    return at


def _largest_part(links: list[SkeletonLink]) -> list[SkeletonLink]:
    at = _incidence(links)
    seen: set[int] = set()
    largest: set[int] = set()
    for root in sorted(at):
        if root in seen:
            continue
        part, stack = {root}, [root]
        while stack:
            for i in at[stack.pop()]:
                for node in (links[i].start, links[i].end):
                    if node not in part:
                        part.add(node)
                        stack.append(node)
        seen |= part
        if len(part) > len(largest):
            largest = part
    return [link for link in links if link.start in largest]


def _prune(links: list[SkeletonLink]) -> list[SkeletonLink]:
    at = _incidence(links)
    return [
        link
        for link in links
        if link.length_m >= STUB_LENGTH_M_MIN or (len(at[link.start]) > 1 and len(at[link.end]) > 1)
    ]


def _contract(links: list[SkeletonLink]) -> list[SkeletonLink]:
    """Join the two lines at each node of degree two while the result stays one street block."""
    alive: dict[int, SkeletonLink] = dict(enumerate(links))
    at = {node: set(items) for node, items in _incidence(links).items()}
    for node in sorted(at):
        if len(at[node]) != 2:
            continue
        first, second = sorted(at[node])
        joined = _join(alive[first], alive[second], node)
        if joined.start == joined.end or joined.length_m > BLOCK_LENGTH_M_MAX:
            continue
        alive[first] = joined
        del alive[second]
        at[node] = set()
        at[joined.end].discard(second)
        at[joined.end].add(first)
    return list(alive.values())


def _join(first: SkeletonLink, second: SkeletonLink, node: int) -> SkeletonLink:
    head = first if first.end == node else _turned(first)
    tail = second if second.start == node else _turned(second)
    longer = max(first, second, key=lambda item: (bool(item.name), item.length_m))
    return SkeletonLink(head.start, tail.end, np.vstack((head.line, tail.line[1:])), longer.name, longer.highway)


def _turned(link: SkeletonLink) -> SkeletonLink:
    return replace(link, start=link.end, end=link.start, line=link.line[::-1])


def _renumber(links: list[SkeletonLink]) -> Skeleton:
    """Number the nodes from north to south, so that names read like a map."""
    place = {link.start: link.line[0] for link in links} | {link.end: link.line[-1] for link in links}
    order = sorted(place, key=lambda node: (-place[node][1], place[node][0]))
    index = {node: i for i, node in enumerate(order)}
    renumbered = [replace(link, start=index[link.start], end=index[link.end]) for link in links]
    renumbered.sort(key=lambda link: (min(link.start, link.end), max(link.start, link.end)))
    return Skeleton(np.array([place[node] for node in order]), tuple(renumbered))


def nearest_node(skeleton: Skeleton, xy: FloatArray) -> NDArray[np.int64]:
    """Return, for places of shape (m, 2), the nearer end of the nearest street block, shape (m,)."""
    tree = shapely.STRtree([shapely.LineString(link.line) for link in skeleton.links])
    nearest = tree.nearest(shapely.points(xy))
    ends = np.array([(link.start, link.end) for link in skeleton.links])[nearest]
    distance = np.hypot(*(skeleton.xy[ends] - xy[:, None, :]).transpose(2, 0, 1))
    return np.asarray(ends[np.arange(len(xy)), distance.argmin(axis=1)], dtype=np.int64)
