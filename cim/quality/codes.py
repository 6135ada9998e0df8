"""What may be wrong, by name: geometry by the codes of val3dity, facts and coverage by codes of our own; pure.

The geometry codes, their names and the default tolerances are those of val3dity, which checks ISO 19107:2019
primitives (H. Ledoux: *val3dity: validation of 3D GIS primitives according to the international standards*, Open
Geospatial Data, Software and Standards 3(1), 2018, https://doi.org/10.1186/s40965-018-0043-x; error codes and
options: https://val3dity.readthedocs.io).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Policy(StrEnum):
    """What becomes of a feature whose geometry is not valid."""

    KEEP = "keep"
    """It goes in and carries the codes as the attribute ``geometry_validity``."""
    QUARANTINE = "quarantine"
    """It is put aside with the codes as its reason."""


class Group(StrEnum):
    """What a check looks at."""

    GEOMETRY = "geometry"
    ATTRIBUTES = "attributes"
    COVERAGE = "coverage"


@dataclass(frozen=True, slots=True)
class Tolerances:
    """What counts as the same place, as plane, as one direction; the defaults are those of val3dity.

    ``snap_m``: vertices that are closer are one (``--snap_tol``).  ``plane_m``: how far a vertex may be from the
    plane of its surface (``--planarity_d2p_tol``).  ``normals_deg``: how far the triangles of a surface may differ in
    direction (``--planarity_n_tol``).
    """

    snap_m: float = 0.001
    plane_m: float = 0.01
    normals_deg: float = 20.0

    @property
    def near_m(self) -> float:
        """The distance up to which two vertices are one: just under ``snap_m``, in which many files count."""
        return self.snap_m * (1.0 - 1e-4)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What the objects of a delivery are held to; without ``year_now`` (UTC) no year is in the future."""

    policy: Policy = Policy.KEEP
    tolerances: Tolerances = Tolerances()
    year_now: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of fault: its code, its name, its group, and the unit of what is measured (UCUM)."""

    code: str
    name: str
    group: Group
    unit: str = "1"


TOO_FEW_POINTS: Final = 101
CONSECUTIVE_POINTS_SAME: Final = 102
RING_NOT_CLOSED: Final = 103
RING_SELF_INTERSECTION: Final = 104
INTERSECTION_RINGS: Final = 201
DUPLICATED_RINGS: Final = 202
NON_PLANAR_DISTANCE: Final = 203
NON_PLANAR_NORMALS: Final = 204
INTERIOR_DISCONNECTED: Final = 205
INNER_RING_OUTSIDE: Final = 206
INNER_RINGS_NESTED: Final = 207
ORIENTATION_RINGS_SAME: Final = 208
TOO_FEW_POLYGONS: Final = 301
SHELL_NOT_CLOSED: Final = 302
NON_MANIFOLD: Final = 303
MULTIPLE_COMPONENTS: Final = 305
SHELL_SELF_INTERSECTION: Final = 306
WRONG_ORIENTATION: Final = 307
INTERSECTION_SHELLS: Final = 401
DUPLICATED_SHELLS: Final = 402
INNER_SHELL_OUTSIDE: Final = 403
WRONG_ORIENTATION_SHELL: Final = 405

_GEOMETRY: Final = (
    (TOO_FEW_POINTS, "TOO_FEW_POINTS", "1"),
    (CONSECUTIVE_POINTS_SAME, "CONSECUTIVE_POINTS_SAME", "m"),
    (RING_NOT_CLOSED, "RING_NOT_CLOSED", "m"),
    (RING_SELF_INTERSECTION, "RING_SELF_INTERSECTION", "1"),
    (INTERSECTION_RINGS, "INTERSECTION_RINGS", "1"),
    (DUPLICATED_RINGS, "DUPLICATED_RINGS", "1"),
    (NON_PLANAR_DISTANCE, "NON_PLANAR_POLYGON_DISTANCE_PLANE", "m"),
    (NON_PLANAR_NORMALS, "NON_PLANAR_POLYGON_NORMALS_DEVIATION", "deg"),
    (INTERIOR_DISCONNECTED, "POLYGON_INTERIOR_DISCONNECTED", "1"),
    (INNER_RING_OUTSIDE, "INNER_RING_OUTSIDE", "1"),
    (INNER_RINGS_NESTED, "INNER_RINGS_NESTED", "1"),
    (ORIENTATION_RINGS_SAME, "ORIENTATION_RINGS_SAME", "1"),
    (TOO_FEW_POLYGONS, "TOO_FEW_POLYGONS", "1"),
    (SHELL_NOT_CLOSED, "SHELL_NOT_CLOSED", "m"),
    (NON_MANIFOLD, "NON_MANIFOLD_CASE", "1"),
    (MULTIPLE_COMPONENTS, "MULTIPLE_CONNECTED_COMPONENTS", "1"),
    (SHELL_SELF_INTERSECTION, "SHELL_SELF_INTERSECTION", "1"),
    (WRONG_ORIENTATION, "POLYGON_WRONG_ORIENTATION", "1"),
    (INTERSECTION_SHELLS, "INTERSECTION_SHELLS", "1"),
    (DUPLICATED_SHELLS, "DUPLICATED_SHELLS", "1"),
    (INNER_SHELL_OUTSIDE, "INNER_SHELL_OUTSIDE", "1"),
    (WRONG_ORIENTATION_SHELL, "WRONG_ORIENTATION_SHELL", "m3"),
)

_FACTS: Final = (
    ("height-not-positive", "m"),
    ("height-beyond-tallest", "m"),
    ("height-not-as-drawn", "m"),
    ("storeys-negative", "1"),
    ("storeys-not-whole", "1"),
    ("storey-height-odd", "m"),
    ("year-in-future", "a"),
    ("year-too-early", "a"),
    ("area-negative", "m2"),
    ("not-a-number", "1"),
)

_COVERAGE: Final = (
    ("nowhere", "1"),
    ("far-from-the-rest", "m"),
    ("outside-crs-area", "1"),
    ("parent-missing", "1"),
    ("footprint-twice", "m2"),
    ("no-ground-surface", "1"),
    ("not-checked", "1"),
)

CHECKS: Final = {
    check.code: check
    for check in (
        *(Check(str(code), name, Group.GEOMETRY, unit) for code, name, unit in _GEOMETRY),
        *(Check(code, code, Group.ATTRIBUTES, unit) for code, unit in _FACTS),
        *(Check(code, code, Group.COVERAGE, unit) for code, unit in _COVERAGE),
    )
}
"""Every check by its code, in the order of a report."""

VALIDITY_ATTRIBUTE: Final = "geometry_validity"
VALIDITY_METHOD: Final = "ISO 19107, codes of val3dity"

CODE_OF_REASON: Final = {"ring-too-short": str(TOO_FEW_POINTS), "ring-not-closed": str(RING_NOT_CLOSED)}
"""Reasons for which a reader puts a feature aside that have a code of their own here."""

UNCHECKED: Final = ("404", "501", "502", "503", "601")
"""Codes of val3dity that are not looked for: whether the inside of a solid hangs together, solids against solids."""
