"""Schemes as they are sent: JSON members, places in degrees (pure)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import orjson
import shapely

from cim.errors import InvalidInput
from cim.findings import Finding
from cim.geometry.crs import WorkingFrame
from cim.geometry.geojson import geometry_document
from cim.schemes.model import EXISTS, TYPE, Change, Edit, Scheme, Value, Version, Words
from cim.schemes.shaping import WithModels, motion_of_model
from cim.schemes.state import State

_DIGITS: Final = 7
"""Decimals of a degree in answers: about 1 cm."""

_PLACES: Final = ("footprint", "axis", "place", "places", "line", "anchor", "site", "from", "to")
"""Parameters of an edit that hold geometry, in degrees at the edge."""

_SHAPES: Final = ("footprint", "axis", "place")
_SOLID: Final = frozenset({"Building"})
"""Types whose base shape is not drawn once a scheme has changed it."""

MODEL_NORTH_M: Final = 1_000.0
"""How far apart the two places lie that say how a model is turned: 1 cm of rounding turns nothing."""

_NAMED: Final = frozenset(
    {*_SHAPES, "ground_m", "height_m", "storeys", "roof", "land_use", "name", "model", EXISTS, TYPE}
)
"""Fields that are members of a scheme object; the others are its properties."""

COORDINATES_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Overview:
    """What a scheme amounts to at one of its edits."""

    sequence: int
    edit_count: int
    baseline_version: int
    counts: Mapping[str, int]
    bbox: list[float] | None
    phases: list[int]


def change_of(state: State, target: str) -> str | None:
    """Return ``added``, ``changed`` or ``demolished``; ``None`` for what neither was nor is there."""
    was = state.base.fields(target) is not None
    if state.exists(target):
        return "changed" if was else "added"
    return "demolished" if was else None


def hidden(state: State) -> list[str]:
    """Return the ids of objects of the baseline that are gone, or that the scheme draws in their place."""
    return [
        target
        for target in state.targets
        if (fields := state.base.fields(target)) is not None
        and (not state.exists(target) or fields.get(TYPE) in _SOLID)
    ]


def shape_of(fields: Mapping[str, Value]) -> shapely.Geometry | None:
    """Return the place that fields describe, in the working CRS."""
    for name in _SHAPES:
        value = fields.get(name)
        if value is not None:
            if name == "footprint":
                return shapely.Polygon(value[0], value[1:])
            return shapely.LineString(value) if name == "axis" else shapely.Point(value)
    return None


def to_degrees(shape: shapely.Geometry | None, frame: WorkingFrame) -> dict[str, Any] | None:
    """Return a shape as GeoJSON."""
    if shape is None or shape.is_empty:
        return None
    return geometry_document(shapely.transform(shape, frame.to_lonlat), _DIGITS)


def object_json(state: State, target: str, frame: WorkingFrame) -> dict[str, Any] | None:
    """Return a scheme object; one that is demolished as it was in the baseline."""
    change = change_of(state, target)
    if change is None:
        return None
    fields = (state.base.fields(target) or {}) if change == "demolished" else state.fields(target)
    storeys, roof = fields.get("storeys"), fields.get("roof")
    height_m = fields.get("height_m")
    if storeys:
        height_m = round(sum(storey[0] for storey in storeys) + (roof or {"height_m": 0.0})["height_m"], 3)
    return {
        "id": target,
        "type": fields.get(TYPE),
        "change": change,
        "geometry": to_degrees(shape_of(fields), frame),
        "ground_m": fields.get("ground_m"),
        "height_m": height_m,
        "storeys": storeys,
        "roof": roof,
        "land_use": fields.get("land_use"),
        "phase_year": state.phase_of(target),
        "name": fields.get("name"),
        "model": None if change == "demolished" else _model_json(state, fields, frame),
        "properties": {name: value for name, value in fields.items() if name not in _NAMED},
    }


def _model_json(state: State, fields: Mapping[str, Value], frame: WorkingFrame) -> dict[str, Any] | None:
    """Return which model a building is and where: its origin, and the place ``MODEL_NORTH_M`` along its own north."""
    digest, base = fields.get("model"), state.base
    model = base.model(digest) if isinstance(digest, str) and isinstance(base, WithModels) else None
    motion = None if model is None or fields.get("footprint") is None else motion_of_model(model, fields)
    if motion is None:
        return None
    axis = motion.of(np.array([[0.0, 0.0], [0.0, MODEL_NORTH_M]]))
    origin, north = np.round(frame.to_lonlat(axis), _DIGITS).tolist()
    return {"id": digest, "origin": origin, "north": north, "north_m": MODEL_NORTH_M}


def objects_json(state: State, targets: Iterable[str], frame: WorkingFrame) -> list[dict[str, Any]]:
    """Return scheme objects, without those that have left again."""
    found = (object_json(state, target, frame) for target in targets)
    return [item for item in found if item is not None]


def counts(state: State) -> dict[str, int]:
    """Return how many objects a state adds, changes and demolishes."""
    found = [change_of(state, target) for target in state.targets]
    return {name: found.count(name) for name in ("added", "changed", "demolished")}


def extent(state: State, frame: WorkingFrame) -> list[float] | None:
    """Return west, south, east, north of what a state changes, ``None`` where nothing has a place."""
    shapes = []
    for target in state.targets:
        for fields in (state.base.fields(target), state.fields(target)):
            shape = shape_of(fields) if fields else None
            if shape is not None and not shape.is_empty:
                shapes.append(shape)
    if not shapes:
        return None
    west, south, east, north = shapely.total_bounds(np.array(shapes, dtype=object)).tolist()
    box = frame.bbox_to_lonlat((west, south, east, north))
    return [round(value, _DIGITS) for value in box] if all(map(math.isfinite, box)) else None


def finding_json(finding: Finding, frame: WorkingFrame | None) -> dict[str, Any]:
    """Return a finding; its witness in degrees."""
    shape = None if finding.witness_wkb is None else shapely.from_wkb(finding.witness_wkb)
    return {
        "rule": finding.rule,
        "clause": finding.clause,
        "verdict": finding.verdict.value,
        "severity": finding.severity.value,
        "measured": finding.measured,
        "limit": finding.limit,
        "margin": finding.margin,
        "unit": finding.unit,
        "object_id": finding.object_id,
        "witness": None if frame is None else to_degrees(shape, frame),
        "params": finding.params,
    }


def edit_json(edit: Edit, frame: WorkingFrame, undone: Collection[int]) -> dict[str, Any]:
    """Return an edit; the values of its changes are in the working CRS, as they are compared."""
    return {
        "sequence": edit.sequence,
        "id": edit.id,
        "kind": edit.kind,
        "title": {"code": edit.kind, "params": dict(edit.title)},
        "targets": edit.targets,
        "changes": [change.as_json() for change in edit.changes],
        "author": edit.author,
        "at": iso(edit.at),
        "phase_year": edit.phase_year,
        "undoes": edit.undoes,
        "undone": edit.sequence in undone,
        "baseline_version": edit.baseline_version,
        "merged": None if edit.merged is None else {"scheme": edit.merged.scheme_id, "sequence": edit.merged.sequence},
        "findings": [finding_json(finding, frame) for finding in edit.findings],
    }


def scheme_json(
    scheme: Scheme,
    words: Words,
    seen: Overview,
    *,
    newest_baseline: int,
    published_sequence: int | None,
    updated_at: datetime,
) -> dict[str, Any]:
    """Return a scheme as a reader may see it: ``seen`` is the edit up to which they may."""
    branch = scheme.branch
    return {
        "id": scheme.id,
        "name": words.name.as_json(),
        "summary": words.summary.as_json(),
        "letter": scheme.letter,
        "colour_index": branch.position,
        "parent": branch.parent,
        "parent_sequence": branch.parent_sequence,
        "baseline_version": seen.baseline_version,
        "state": scheme.state.value,
        "version": scheme.version,
        "published_sequence": published_sequence,
        "edit_count": seen.edit_count,
        "head": seen.sequence,
        "author": branch.author,
        "created_at": iso(branch.created_at),
        "updated_at": iso(updated_at),
        "stale_baseline": seen.baseline_version < newest_baseline,
        "bbox": seen.bbox,
        "counts": dict(seen.counts),
        "tour": [dict(stop) for stop in words.tour],
        "phases": seen.phases,
    }


def version_json(version: Version, *, withdrawn: bool) -> dict[str, Any]:
    """Return a published version."""
    return {
        "scheme": version.scheme_id,
        "version": version.number,
        "sequence": version.sequence,
        "baseline_version": version.baseline_version,
        "digest": version.digest,
        "name": version.words.name.as_json(),
        "summary": version.words.summary.as_json(),
        "tour": [dict(stop) for stop in version.words.tour],
        "author": version.author,
        "published_at": iso(version.published_at),
        "withdrawn": withdrawn,
    }


def diff_json(changes: Sequence[Change], before: State, after: State) -> list[dict[str, Any]]:
    """Return what differs between two states, field by field."""
    return [
        {
            "target": change.target,
            "type": after.type_of(change.target) or before.type_of(change.target),
            "field": change.field,
            "before": change.old,
            "after": change.new,
        }
        for change in changes
        if change.field != TYPE
    ]


def digest(scheme_id: str, words: Words, sequence: int, state: State) -> str:
    """Return the SHA-256, in hexadecimal, of a version's canonical JSON: sorted keys, no spaces, UTF-8.

    It covers the words, the baseline's number and every value that differs from the baseline.
    """
    document = {
        "scheme": scheme_id,
        "sequence": sequence,
        "baseline_version": state.base.version,
        "name": words.name.as_json(),
        "summary": words.summary.as_json(),
        "tour": [dict(stop) for stop in words.tour],
        "values": [[target, field, value] for (target, field), value in sorted(state.net().items())],
        "phases": sorted(
            [target, field, cell.phase_year]
            for target in state.targets
            for field, cell in state.own(target).items()
            if cell.phase_year is not None
        ),
    }
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def to_working(params: Mapping[str, Value], frame: WorkingFrame) -> dict[str, Value]:
    """Return the parameters of an edit with their places in the working CRS.

    A place is bare coordinates, longitude first, or a GeoJSON geometry.  Raises
    :class:`InvalidInput` (``edit-place``).
    """
    return {name: _converted(value, frame) if name in _PLACES else value for name, value in params.items()}


def _converted(value: Value, frame: WorkingFrame) -> Value:
    if isinstance(value, Mapping):
        value = value.get("coordinates")
    flat: list[list[float]] = []
    shape = _gather(value, flat, 0)
    if len(flat) > COORDINATES_MAX:
        raise _not_a_place()
    if not flat:
        return []
    moved = frame.from_lonlat(np.array(flat, dtype=np.float64))
    if not np.isfinite(moved).all():
        raise _not_a_place()
    rounded = iter((np.round(moved, 3) + 0.0).tolist())
    return _laid_out(shape, rounded)


def _gather(value: Value, flat: list[list[float]], depth: int) -> Any:
    """Return how coordinates nest; the points themselves go to ``flat`` in order."""
    if not isinstance(value, list | tuple) or depth > 3:
        raise _not_a_place()
    if value and not isinstance(value[0], list | tuple):
        numbers = value[:2]
        if len(numbers) != 2 or not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
            raise _not_a_place()
        lon, lat = numbers
        if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
            raise _not_a_place()
        flat.append([float(lon), float(lat)])
        return None
    return [_gather(part, flat, depth + 1) for part in value]


def _laid_out(shape: Any, points: Any) -> Value:
    return next(points) if shape is None else [_laid_out(part, points) for part in shape]


def _not_a_place() -> InvalidInput:
    return InvalidInput(
        "A place is longitude and latitude in degrees.",
        hint="Send coordinates or a GeoJSON geometry, longitude first.",
        code="edit-place",
    )


def iso(instant: datetime) -> str:
    """Return an instant in ISO 8601, UTC."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
