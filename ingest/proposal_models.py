"""Objects of a city as models that schemes place; runs in a child process."""

from __future__ import annotations

import numpy as np

from cim.city.model import CityObject
from cim.errors import CimError
from cim.geometry.surfaces import Geometry
from ingest.model_reading import settled, triangles_of
from ingest.proposals import ProposedModel


def model_of(proposed: CityObject) -> ProposedModel | None:
    """Return the most detailed body of an object as a model, ``None`` where it has none of a building's size."""
    bodies = [geometry for geometry in proposed.geometries if geometry.surface_count]
    if not bodies:
        return None
    triangles = triangles_of(max(bodies, key=_level))
    try:
        model = settled(triangles)
    except CimError:
        return None
    points = triangles.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    x, y = ((low + high) / 2)[:2].tolist()
    return ProposedModel(proposed.id, np.ascontiguousarray(model), (x, y), float(low[2]))


def _level(geometry: Geometry) -> str:
    return geometry.lod
