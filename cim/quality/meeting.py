"""Where segments and triangles in space meet; pure, any number of pairs at once.

All functions take pairs one beside the other: ``corners`` (n, 3, 3) of triangles, ``start`` and ``end`` (n, 3) of
segments, metres.
"""

from __future__ import annotations

import numpy as np

from cim.quality.codes import Tolerances
from cim.quality.layout import Flags, Floats

CONTACT = 0.1
"""Share of the snap tolerance within which a segment touches a triangle."""


def normals_of(corners: Floats, near_m: float) -> tuple[Floats, Flags]:
    """Return the unit normals of triangles, and which are wide enough to have one."""
    vectors = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.sqrt((vectors**2).sum(axis=1))
    sides = corners - np.roll(corners, -1, axis=1)
    longest = np.sqrt((sides**2).sum(axis=2).max(axis=1, initial=0.0))
    wide = lengths > longest * near_m
    return vectors / np.where(wide, lengths, 1.0)[:, None], wide


def heights(corners: Floats, normal: Floats, points: Floats) -> Floats:
    """Return how far points are above the planes of triangles."""
    above: Floats = ((points - corners[:, 0]) * normal).sum(axis=1)
    return above


def inside(corners: Floats, normal: Floats, points: Floats, slack_m: float) -> Flags:
    """Return whether points of a triangle's plane lie in it, or no further outside than the slack."""
    found = np.ones(len(points), dtype=bool)
    for k in range(3):
        found &= _from_side(corners, normal, points, k) >= -slack_m
    return found


def pierced(corners: Floats, normal: Floats, start: Floats, end: Floats) -> Floats:
    """Return where segments, or their nearer end, meet the planes of triangles."""
    from_start, from_end = heights(corners, normal, start), heights(corners, normal, end)
    apart = np.where(from_start == from_end, 1.0, from_start - from_end)
    through: Floats = start + np.clip(from_start / apart, 0.0, 1.0)[:, None] * (end - start)
    return through


def crossings(corners: Floats, start: Floats, end: Floats, tolerances: Tolerances) -> Flags:
    """Return which segments go right through a triangle, from one side to the other; touching does not count."""
    normal, wide = normals_of(corners, tolerances.near_m)
    from_start, from_end = heights(corners, normal, start), heights(corners, normal, end)
    clear = np.minimum(np.abs(from_start), np.abs(from_end)) > tolerances.near_m
    rows = np.flatnonzero(wide & clear & (from_start * from_end < 0))
    found = np.zeros(len(corners), dtype=bool)
    points = pierced(corners[rows], normal[rows], start[rows], end[rows])
    found[rows] = inside(corners[rows], normal[rows], points, -tolerances.near_m)
    return found


def along(corners: Floats, normal: Floats, start: Floats, end: Floats, reach_m: float) -> tuple[Flags, Floats]:
    """Return whether segments that lie in a triangle's plane run through its inside, and the middle of that part."""
    enter, leave = np.zeros(len(start)), np.ones(len(start))
    for k in range(3):
        one, two = _from_side(corners, normal, start, k), _from_side(corners, normal, end, k)
        apart = np.where(one == two, 1.0, one - two)
        at = np.clip(one / apart, 0.0, 1.0)
        enter = np.where(one < two, np.maximum(enter, at), enter)
        leave = np.where(one > two, np.minimum(leave, at), leave)
        leave = np.where(np.maximum(one, two) <= reach_m, -1.0, leave)
    middle = start + ((enter + leave) / 2.0)[:, None] * (end - start)
    return (leave > enter) & inside(corners, normal, middle, -reach_m), middle


def _from_side(corners: Floats, normal: Floats, points: Floats, k: int) -> Floats:
    side = corners[:, (k + 1) % 3] - corners[:, k]
    inward = np.cross(normal, side)
    inward /= np.maximum(np.sqrt((inward**2).sum(axis=1)), 1e-12)[:, None]
    distance: Floats = ((points - corners[:, k]) * inward).sum(axis=1)
    return distance
