"""Shells as bodies: which way they face; pure."""

from __future__ import annotations

import numpy as np

from cim.geometry.wkb import offsets_of
from cim.quality.codes import WRONG_ORIENTATION_SHELL
from cim.quality.layout import Floats, Ints, Shells, Surfaces, area_vectors, summed
from cim.quality.marks import Marks, marks


def check_solids(surfaces: Surfaces, shells: Shells, good: Ints) -> Marks:
    """Return the faults of shells whose surfaces hang together."""
    closed = good[shells.is_closed[good]]
    volumes = volumes_of(surfaces, shells, closed)
    wrong = (volumes < 0) == shells.is_outer[closed]
    rows = closed[wrong]
    places = surfaces.coordinates[surfaces.vertex_offsets[shells.first[rows]]]
    return marks(WRONG_ORIENTATION_SHELL, shells.geometry_of[rows], np.abs(volumes[wrong]), places)


def volumes_of(surfaces: Surfaces, shells: Shells, chosen: Ints) -> Floats:
    """Return the volume of some shells in m3, negative where the surfaces face inwards (the divergence theorem)."""
    vectors = summed(area_vectors(surfaces.coordinates, surfaces.ring_offsets), surfaces.surface_offsets)
    starts = surfaces.coordinates[surfaces.vertex_offsets[:-1]]
    counts = shells.last[chosen] - shells.first[chosen]
    ends = offsets_of(counts)
    rows = np.arange(int(ends[-1])) + np.repeat(shells.first[chosen] - ends[:-1], counts)
    local = starts[rows] - np.repeat(starts[shells.first[chosen]], counts, axis=0)
    return summed((local * vectors[rows]).sum(axis=1), ends) / 3.0
