"""The surfaces of a batch in one ragged layout, with the shells that they make; pure numpy.

Everything is counted from the batch: surface 7 is the eighth of all surfaces, whatever geometry has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from cim.city.rows import GeometryRows
from cim.geometry.wkb import offsets_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

SOLID_KINDS: Final = frozenset({"Solid", "MultiSolid", "CompositeSolid"})
_SHELLS_FIRST: Final = '{"shells":'
_MEANINGS: Final = ',"semantics":'
"""As :func:`cim.city.columns.structure_to_json` writes them; another order is read whole."""


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Rings of surfaces of geometries.

    ``coordinates`` (n, 3) metres; ring ``r`` has the vertices ``ring_offsets[r] : ring_offsets[r + 1]``, surface
    ``s`` the rings ``surface_offsets[s] : surface_offsets[s + 1]``, the outer one first; ``geometry_of`` the row in
    the batch of each surface's geometry, ascending.
    """

    coordinates: Floats
    ring_offsets: Ints
    surface_offsets: Ints
    geometry_of: Ints

    def __len__(self) -> int:
        return len(self.geometry_of)

    @property
    def ring_counts(self) -> Ints:
        """Vertices per ring."""
        return np.diff(self.ring_offsets)

    @property
    def surface_of_ring(self) -> Ints:
        """The surface of each ring."""
        return np.repeat(np.arange(len(self)), np.diff(self.surface_offsets))

    @property
    def vertex_offsets(self) -> Ints:
        """Where the vertices of each surface begin, one more than there are surfaces."""
        return self.ring_offsets[self.surface_offsets]

    def rings(self, surface: int) -> list[Floats]:
        """Return the rings of one surface."""
        first, last = int(self.surface_offsets[surface]), int(self.surface_offsets[surface + 1])
        return [self.coordinates[self.ring_offsets[r] : self.ring_offsets[r + 1]] for r in range(first, last)]


@dataclass(frozen=True, slots=True)
class Shells:
    """Surfaces that together bound something: the shells of solids, and composite surfaces, which may be open.

    Shell ``k`` has the surfaces ``first[k] : last[k]``; ``is_closed`` whether it has to be closed; ``is_outer``
    whether it bounds its solid from outside; ``solid_of`` counts solids over the batch, -1 for a composite surface.
    """

    first: Ints
    last: Ints
    geometry_of: Ints
    is_closed: Flags
    is_outer: Flags
    solid_of: Ints

    def __len__(self) -> int:
        return len(self.first)


def surfaces_of(geometries: GeometryRows) -> Surfaces:
    """Return the surfaces of some geometries; points and lines are left out."""
    thick = geometries.surfaces > 0
    return Surfaces(
        coordinates=geometries.coordinates
        if thick.all()
        else geometries.coordinates[np.repeat(thick, geometries.vertices)],
        ring_offsets=offsets_of(geometries.ring_counts[np.repeat(thick, geometries.rings)]),
        surface_offsets=offsets_of(geometries.surface_counts),
        geometry_of=np.repeat(np.arange(len(geometries)), geometries.surfaces),
    )


@lru_cache(maxsize=1024)
def _ends(structure: str) -> tuple[tuple[int, ...], frozenset[int]]:
    """Return where the shells end among the surfaces, and the solids among the shells, as a structure says."""
    said = orjson.loads(structure)
    return tuple(said.get("shells") or ()), frozenset(said.get("solids") or ())


def _without_meanings(structure: str | None) -> str:
    """Return what says the shells: many geometries share it, and it stands before what their surfaces mean."""
    if not structure or not structure.startswith(_SHELLS_FIRST):
        return structure or "{}"
    start, behind, _ = structure.partition(_MEANINGS)
    return f"{start}}}" if behind else structure


def shells_of(geometries: GeometryRows) -> Shells:
    """Return the shells of solids and composite surfaces."""
    starts = offsets_of(geometries.surfaces)
    rows: list[tuple[int, int, int, bool, bool, int]] = []
    solids = 0
    for row, (kind, count, base) in enumerate(
        zip(geometries.kinds, geometries.surfaces.tolist(), starts[:-1].tolist(), strict=True)
    ):
        if kind == "CompositeSurface" and count:
            rows.append((base, base + count, row, False, True, -1))
        elif kind in SOLID_KINDS and count:
            said, solid_ends = _ends(_without_meanings(geometries.structures[row]))
            shell_ends = said or (count,)
            solid_ends = solid_ends or frozenset({len(shell_ends)})
            first, outer = 0, True
            for number, last in enumerate(shell_ends, start=1):
                rows.append((base + first, base + last, row, True, outer, solids))
                first, outer = last, number in solid_ends
                solids += outer
    columns = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    return Shells(columns[0], columns[1], columns[2], columns[3].astype(bool), columns[4].astype(bool), columns[5])


def runs(offsets: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """Return the members of some runs one after the other, and the offsets of the runs among them."""
    counts = offsets[chosen + 1] - offsets[chosen]
    ends = offsets_of(counts)
    members = np.arange(int(ends[-1])) + np.repeat(offsets[chosen] - ends[:-1], counts)
    return members, ends


def following(offsets: Ints) -> Ints:
    """Return the vertex after each vertex, round every ring."""
    after = np.arange(1, int(offsets[-1]) + 1)
    filled = np.diff(offsets) > 0
    after[offsets[1:][filled] - 1] = offsets[:-1][filled]
    return after


def summed(values: Floats, offsets: Ints) -> Floats:
    """Return the sum of each run of rows; an empty run has none."""
    if values.ndim == 2:
        # Axis by axis: numpy is quickest along an axis that lies in one piece.
        return np.stack([summed(np.ascontiguousarray(column), offsets) for column in values.T], axis=1)
    totals = np.zeros((len(offsets) - 1, *values.shape[1:]))
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        totals[filled] = np.add.reduceat(values, offsets[filled], axis=0)
    return totals


def some(values: Flags, offsets: Ints) -> Flags:
    """Return whether any value of each run is true."""
    found = np.zeros(len(offsets) - 1, dtype=bool)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        found[filled] = np.logical_or.reduceat(values, offsets[filled])
    return found


def largest(values: Floats, offsets: Ints) -> Floats:
    """Return the largest value of each run; 0 for an empty one."""
    found = np.zeros(len(offsets) - 1)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        found[filled] = np.maximum.reduceat(values, offsets[filled])
    return found


def area_vectors(coordinates: Floats, offsets: Ints) -> Floats:
    """Return each ring's area vector, shape (r, 3): along its normal, as long as its area in m2."""
    counts = np.diff(offsets)
    origins = coordinates[np.minimum(offsets[:-1], max(0, len(coordinates) - 1))]
    # Axis by axis: numpy is quickest along an axis that lies in one piece.
    local = [coordinates[:, axis] - np.repeat(origins[:, axis], counts) for axis in range(3)]
    round_ = following(offsets)
    after = [axis[round_] for axis in local]
    vectors = np.empty((3, len(coordinates)))
    for axis, (one, two) in enumerate(((1, 2), (2, 0), (0, 1))):
        vectors[axis] = local[one] * after[two] - local[two] * after[one]
    return summed(vectors.T, offsets) / 2.0
