"""Models that planners bring: read in a bounded child process, kept, and handed to edits and to what is drawn."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.errors import CimError, InvalidInput, NotFound, StorageFull
from cim.geometry.surfaces import Geometry
from cim.jobs.actor import ChildActor
from cim.jobs.model import JobLimits
from cim.ports import Clock
from cim.schemes.forms.glb import model_glb
from cim.schemes.forms.store import ModelStore
from cim.schemes.making import ModelFacts
from cim.schemes.shaping import PlacedModel

MODEL_BYTES_MAX: Final = 50 * 1024**2
MODELS_KEPT_MAX: Final = 32
"""Models that are held in memory."""
LIMITS: Final = JobLimits(memory_bytes=2 * 1024**3, cpu_s=30, wall_s=45.0, file_bytes=64 * 1024**2)
HINT: Final = "A model is GLB or CityJSON of one building, in metres, without compression."
UNION_MAX: Final = 20_000
"""Triangles whose plan is united exactly; of more the hull is taken."""
OUTLINE_M: Final = 0.05
CORNERS_MAX: Final = 400

Triangles: TypeAlias = NDArray[np.float64]


class ModelService:
    """Uploaded models by the SHA-256 of what was uploaded."""

    def __init__(self, store: ModelStore, entry: str, clock: Clock) -> None:
        """``entry`` names the function that a child process reads a model with."""
        self._store = store
        self._entry = entry
        self._clock = clock
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, PlacedModel] = OrderedDict()

    def upload(self, content: bytes) -> dict[str, Any]:
        """Take a model in and tell its id and size; what cannot be read is refused and leaves nothing."""
        if not content:
            raise InvalidInput("The model is empty.", code="model-empty")
        digest = hashlib.sha256(content).hexdigest()
        if self.placed(digest) is None:
            self._store.keep(digest, lambda out: self._read(content, out))
        model = self.placed(digest)
        assert model is not None
        low_x, low_y, _, high_x, high_y, high_z = model.body.bounds()
        return {
            "id": digest,
            "triangles": model.body.surface_count,
            "bbox_m": [low_x, low_y, high_x, high_y],
            "height_m": round(high_z, 3),
        }

    def hold(self, triangles: Triangles) -> str:
        """Keep a model that a job's child has read, (n, 3, 3) metres about its own foot, and return its id."""
        digest = hashlib.sha256(triangles.tobytes()).hexdigest()
        if self.placed(digest) is None:
            self._store.keep(digest, lambda out: _write(triangles, out))
        return digest

    def _read(self, content: bytes, out: Path) -> None:
        source = self._store.scratch(f"upload-{secrets.token_hex(8)}")
        try:
            source.write_bytes(content)
            child = ChildActor(self._entry, {"path": str(source), "out": str(out)}, LIMITS, self._clock)
            child.run(on_progress=_ignore, on_payload=_ignore, is_cancelled=_never)
        except StorageFull:
            raise
        except CimError as error:
            # A child's end says what went wrong, not whose fault it was: here it is always the file's.
            raise InvalidInput(
                error.message, hint=error.hint or HINT, code=error.problem_code, **error.params
            ) from None
        finally:
            source.unlink(missing_ok=True)

    def facts(self, digest: str) -> ModelFacts | None:
        """Return a model's outline and height."""
        model = self.placed(digest)
        return None if model is None else ModelFacts(model.outline, model.height_m)

    def drawing(self, digest: str) -> bytes:
        """Return a model about its own origin as a GLB; raises :class:`NotFound` (``model-unknown``)."""
        found = self._store.drawing(digest)
        if found is None:
            triangles = self._store.load(digest)
            if triangles is None:
                raise NotFound("No such model was brought.", code="model-unknown", model=digest[:64])
            found = model_glb(triangles)
            self._store.keep_drawing(digest, found)
        return found

    def placed(self, digest: str) -> PlacedModel | None:
        """Return a model about its own origin."""
        with self._guard:
            kept = self._kept.get(digest)
            if kept is not None:
                self._kept.move_to_end(digest)
                return kept
        triangles = self._store.load(digest)
        if triangles is None:
            return None
        model = model_of(triangles)
        with self._guard:
            self._kept[digest] = model
            while len(self._kept) > MODELS_KEPT_MAX:
                self._kept.popitem(last=False)
        return model


def _write(triangles: Triangles, out: Path) -> None:
    with out.open("wb") as file:
        np.save(file, triangles, allow_pickle=False)


def _ignore(_: object) -> None:
    """Do without what a child reports."""


def _never() -> bool:
    return False


def model_of(triangles: Triangles) -> PlacedModel:
    """Return a model of triangles (n, 3, 3) whose foot is at 0, with the outline of its plan."""
    count = len(triangles)
    body = Geometry(
        kind="MultiSurface",
        lod="2",
        coordinates=np.ascontiguousarray(triangles.reshape(-1, 3)),
        ring_ends=np.arange(1, count + 1, dtype=np.int32) * 3,
        surface_ends=np.arange(1, count + 1, dtype=np.int32),
    )
    return PlacedModel(outline_of(triangles), round(float(triangles[..., 2].max()), 3), body)


def outline_of(triangles: Triangles) -> shapely.Polygon:
    """Return the plan of a model as one polygon without holes, to a millimetre; its hull where it has several parts."""
    plans = shapely.polygons(triangles[..., :2])
    plans = plans[shapely.area(plans) > 1e-4]
    united = shapely.union_all(plans, grid_size=0.01) if 0 < len(plans) <= UNION_MAX else None
    parts = [] if united is None else [part for part in shapely.get_parts(united) if part.area > 1.0]
    if len(parts) == 1 and parts[0].geom_type == "Polygon":
        outline = shapely.simplify(shapely.Polygon(parts[0].exterior), OUTLINE_M)
    else:
        outline = shapely.convex_hull(shapely.MultiPoint(triangles[..., :2].reshape(-1, 2)))
    if len(outline.exterior.coords) > CORNERS_MAX:
        outline = shapely.convex_hull(outline)
    return shapely.orient_polygons(shapely.set_precision(outline, 0.001))
