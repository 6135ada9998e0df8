"""Light of the current baseline, made at the first question and kept: the shell around the pure parts."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final

import numpy as np
import shapely

from cim.city.model import Attribute, CityObject
from cim.city.service import CityService
from cim.geometry.crs import WorkingFrame
from cim.impact.graph import Case, Node
from cim.impact.light.compare import BaseLight, assess_light, refine_light
from cim.impact.light.figures import LightFigures, figures_of
from cim.impact.light.nodes import light_document, light_nodes
from cim.impact.light.scene import Scene, scene_of_objects, scene_of_tables
from cim.impact.light.standards import SAMPLE, LightStandard, light_standards
from cim.impact.light.sun import SunPath, day_of_longitude, sun_path
from cim.impact.light.walls import FloatArray

WARM_AFTER_S: Final = 6.0
STEP_MIN: Final = 10.0
"""Minutes between two places of the sun."""
REFERENCE_YEAR: Final = 2026
"""The sun of a day named by its place in the ecliptic differs between years by less than its own error."""
THREADS_MAX: Final = 4
SITES_KEPT_MAX: Final = 8
"""Sites for which the figures of one state of the city are kept."""

_log = logging.getLogger(__name__)


class LightService:
    """Works light out for the cases of the indicators; one question at a time."""

    def __init__(self, city: CityService) -> None:
        self._city = city
        self._guard = threading.RLock()
        self._scene: tuple[int, Scene] | None = None
        self._bases: dict[str, BaseLight] = {}
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        """Have the kernel ready soon, but not while the first views are drawn; leaving need not wait for it."""
        if self._timer is None:
            self._timer = threading.Timer(WARM_AFTER_S, self._warm_quietly)
            self._timer.name, self._timer.daemon = "cim-light", True
            self._timer.start()

    def stop(self) -> None:
        """Forget about getting ready."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _warm_quietly(self) -> None:
        try:
            self.warm()
        except Exception:  # noqa: BLE001 -- whoever asks for light will see what is wrong
            _log.exception("light could not be made ready")

    def nodes(self) -> tuple[Node, ...]:
        """Return the indicators of light for the graph."""
        return light_nodes(self)

    def standard(self, case: Case) -> LightStandard:
        """Return the rule of the city's factor set."""
        return light_standards().of_factor_set(case.factors.id)

    def base(self, standard: LightStandard, version: int = 0) -> BaseLight:
        """Return the light of a baseline (the newest) by a rule; the scene is shared by all rules."""
        with self._guard:
            version = version or self._city.baseline_version
            if self._scene is None or self._scene[0] != version:
                snapshot = self._city.snapshot(version)
                flat = snapshot.frame.ground == "flat"
                self._scene = (version, scene_of_tables(snapshot.objects, snapshot.geometries, flat=flat))
                self._bases = {}
            found = self._bases.get(standard.id)
            if found is None:
                found = self._bases[standard.id] = base_light(self._scene[1], self._city.working, standard)
            return found

    def warm(self) -> None:
        """Load the kernel, compiled where it is not yet, and read the city, so that the first edit need not wait."""
        _load_kernel()
        if self._city.baseline_version:
            with self._guard:
                self.base(light_standards().get(SAMPLE)).solids()

    def refine(self, case: Case) -> Iterator[LightFigures | None]:
        """Yield coarse figures of a case, then complete ones; what is known already comes at once."""
        standard = self.standard(case)
        sites = _site_boxes(case)
        memo: dict[frozenset[int], LightFigures] = case.stock.memo.setdefault(f"light/{standard.id}", {})
        known = memo.get(case.site)
        if known is not None or (sites is None and not case.overlay):
            yield known
            return
        base = self.base(standard, case.stock.version)
        steps = refine_light(base, case.overlay, sites=sites)
        while True:
            case.check()
            with self._guard:
                comparison = next(steps, None)
            if comparison is None:
                return
            figures = figures_of(comparison, standard)
            if comparison.complete:
                while len(memo) >= SITES_KEPT_MAX:
                    memo.pop(next(iter(memo)))
                memo[case.site] = figures
            yield figures

    def document(self, case: Case, sequence: int) -> dict[str, Any]:
        """Return who wins and loses how many hours of sun in a case."""
        standard = self.standard(case)
        *_, figures = self.refine(case)
        return light_document(figures, standard, self.base(standard, case.stock.version).sun, sequence)


def base_light(
    scene: Scene, working: WorkingFrame, standard: LightStandard, *, step_min: float = STEP_MIN
) -> BaseLight:
    """Return the light of a scene by a rule; the sun is that over the middle of the city."""
    known = scene.box[np.isfinite(scene.box).all(axis=1)]
    middle = (known[:, :2].min(axis=0) + known[:, 3:5].max(axis=0)) / 2 if len(known) else np.zeros(2)
    place = (float(middle[0]), float(middle[1]))
    longitude = float(working.to_lonlat(np.array([place]))[0, 0])
    day = day_of_longitude(REFERENCE_YEAR, standard.solar_longitude_deg, longitude)
    sun = sun_path(working, place, day, standard.hours, elevation_deg_min=standard.elevation_deg_min, step_min=step_min)
    return BaseLight(scene, sun, threads=min(THREADS_MAX, os.cpu_count() or 1))


def _load_kernel() -> None:
    """Run each compiled function once, on a block and its change."""
    place = shapely.box(0.0, 0.0, 10.0, 10.0)
    block = CityObject("warm:1", "Building", place=place, attributes={"height_m": Attribute(9.0)})
    noon, none = np.array(["2026-03-20T12:00:00"], dtype="datetime64[ms]"), np.zeros(1)
    sun = SunPath(date(REFERENCE_YEAR, 3, 20), noon, none, none, np.array([[0.6, 0.0, 0.8]]), 1.0)
    base = BaseLight(scene_of_objects([block]), sun, threads=1)
    assess_light(base, {"warm:2": replace(block, id="warm:2", place=shapely.box(20.0, 0.0, 30.0, 10.0))})


def _site_boxes(case: Case) -> FloatArray | None:
    """Return the boxes (b, 4) of the land that the compared schemes touch."""
    if not case.site:
        return None
    places = case.stock.base.units.places[sorted(case.site)]
    boxes: FloatArray = np.array([place.bounds for place in places.tolist()])
    return boxes
