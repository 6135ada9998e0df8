"""Projects out of a catalogue: what is to come and what is to go for it, in groups; pure.

Models that are to come stand together by their project's number; where there is none each is its own project.
A building that is to go belongs to the project on its parcel, else to the one that covers it, else it is
a project of its own parcel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.schemes.model import Text, Words

COVERED_SHARE: Final = 0.1
"""Part of a building that a project covers from which on it goes for that project."""

NO_PROJECT: Final = ("", "0")
ZOOM: Final = 16.6
PITCH_DEG: Final = 58
BEARING_DEG: Final = -28
SUNS: Final = ("03-20T16:45:00Z", "03-20T20:00:00Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """A building of a catalogue that is to come or to go."""

    id: str
    name: str
    status: str
    project: str
    parcel: str
    place: shapely.Geometry | None


@dataclass(slots=True)
class Project:
    """What is to come and what is to go for it."""

    key: str
    coming: list[Entry] = field(default_factory=list)
    going: list[Entry] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        """Both."""
        return [*self.coming, *self.going]

    @property
    def name(self) -> str:
        """Return the commonest name of what is to come, else of what is to go."""
        names = [entry.name.strip() for entry in self.coming or self.going if entry.name.strip()]
        if not names:
            return self.key
        return max(dict.fromkeys(names), key=names.count)


@dataclass(frozen=True, slots=True)
class ProposedModel:
    """A building that is to come as a model: triangles (n, 3, 3) about its own foot, where its middle and its foot are.

    Metres in the working CRS.
    """

    id: str
    triangles: NDArray[np.float64]
    anchor: tuple[float, float]
    ground_m: float


def projects_of(coming: Sequence[Entry], going: Sequence[Entry]) -> list[Project]:
    """Return the projects in the order of their keys; neither order of entries matters."""
    found: dict[str, Project] = {}
    for entry in sorted(coming, key=lambda one: one.id):
        key = f"project-{entry.project}" if entry.project not in NO_PROJECT else entry.id
        found.setdefault(key, Project(key)).coming.append(entry)
    for entry in sorted(going, key=lambda one: one.id):
        project = _on_parcel(entry, found) or _covering(entry, found)
        key = project.key if project else f"parcel-{entry.parcel}" if entry.parcel else entry.id
        found.setdefault(key, Project(key)).going.append(entry)
    return [found[key] for key in sorted(found)]


def _on_parcel(entry: Entry, projects: dict[str, Project]) -> Project | None:
    on_it = [
        project
        for project in projects.values()
        if entry.parcel and any(one.parcel == entry.parcel for one in project.coming)
    ]
    return min(on_it, key=lambda one: one.key, default=None)


def _covering(entry: Entry, projects: dict[str, Project]) -> Project | None:
    if entry.place is None or entry.place.area <= 0.0:
        return None
    shares = {
        key: max((_shared(one.place, entry.place) for one in project.coming), default=0.0)
        for key, project in projects.items()
    }
    best = max(sorted(shares), key=lambda key: shares[key], default=None)
    return projects[best] if best is not None and shares[best] / entry.place.area >= COVERED_SHARE else None


def _shared(one: shapely.Geometry | None, other: shapely.Geometry) -> float:
    return 0.0 if one is None else float(shapely.area(shapely.intersection(one, other)))


def words_of(project: Project, lonlat: tuple[float, float], source: str, year: int) -> Words:
    """Return what a scheme says of a project; ``lonlat`` its middle, ``source`` the title of its catalogue."""
    states = ", ".join(dict.fromkeys(entry.status for entry in project.entries if entry.status))
    summary = Text(
        f"As catalogued in {source}: {len(project.coming)} to come, {len(project.going)} to go ({states}). "
        "What the storeys are used for is not catalogued.",
        f"依据{source}目录：新建{len(project.coming)}栋，拆除{len(project.going)}栋（{states}）。目录未载明各层用途。",
    )
    view = f"{lonlat[0]:.6f},{lonlat[1]:.6f},{ZOOM},{PITCH_DEG},{BEARING_DEG}"
    stops = [
        (Text("The models as they were approved", "获批模型"), SUNS[0]),
        (Text("Afternoon shadows", "午后阴影"), SUNS[1]),
    ]
    tour = tuple(
        {"title": title.as_json(), "text": summary.as_json(), "view": view, "sun": f"{year}-{sun}"}
        for title, sun in stops
    )
    return Words(Text(project.name[:80], project.name[:80]), summary, tour)
