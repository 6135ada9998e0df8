"""Objects of a city as models that schemes place; runs in a child process."""

from __future__ import annotations

import numpy as np

from cim.city.model import CityObject
from cim.geometry.surfaces import Geometry
from cim.schemes.forms.glb import model_glb
from ingest.model_reading import triangles_of
from ingest.proposals import ProposedModel


def model_of(proposed: CityObject) -> ProposedModel | None:
    """Return the most detailed body of an object as a model, ``None`` where it has none."""
    bodies = [geometry for geometry in proposed.geometries if geometry.surface_count]
    if not bodies:
        return None
    triangles = triangles_of(max(bodies, key=_level))
    if not len(triangles):
        return None
    points = triangles.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    middle = np.array([*((low + high) / 2)[:2], low[2]])
    return ProposedModel(
        proposed.id, model_glb(triangles - middle), (float(middle[0]), float(middle[1])), float(low[2])
    )


def _level(geometry: Geometry) -> str:
    return geometry.lod
