"""What taking a source in would give, without storing anything: the dry run.

The child reads the source to its end, exactly as it would to take it in, and only counts; the parent keeps the
account as the job's summary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import shapely

from cim.city.model import CityFrame, Quarantined
from cim.findings import Finding, Verdict
from cim.geometry.crs import LONLAT, transformer
from cim.jobs.model import Job, JobLimits, Recovery
from cim.networks.model import Network
from cim.ports import Clock
from cim.quality.model import QualityNotes
from cim.sensing.model import Datastream, ObservationBatch
from ingest.columns import Piece
from ingest.prepared import ObjectBatch
from ingest.records import LayerNote, SourceHeader

FIELDS_MAX: Final = 200
"""Attributes of one type that are shown."""

SAMPLES_MAX: Final = 3
SAMPLE_LENGTH_MAX: Final = 80
EXAMPLES_MAX: Final = 100
"""Features put aside that are shown by name."""

SKETCH_MAX: Final = 400
"""Places that are shown on a map."""

SKETCH_TOLERANCE_M: Final = 0.5
_DIGITS: Final = 6


@dataclass(slots=True)
class _Field:
    count: int = 0
    modelled: int = 0
    unit: str | None = None
    samples: list[Any] = field(default_factory=list)

    def take(self, member: Mapping[str, Any]) -> None:
        self.count += 1
        self.modelled += member.get("q") == "modelled"
        self.unit = self.unit or member.get("u")
        value = member.get("v")
        if len(self.samples) < SAMPLES_MAX:
            value = value[:SAMPLE_LENGTH_MAX] if isinstance(value, str) else value
            if value not in self.samples and not isinstance(value, list | dict):
                self.samples.append(value)


@dataclass(slots=True)
class Preview:
    """The account of one source."""

    headers: list[SourceHeader] = field(default_factory=list)
    layers: list[LayerNote] = field(default_factory=list)
    objects: Counter[str] = field(default_factory=Counter)
    by_dataset: Counter[str] = field(default_factory=Counter)
    lods: Counter[str] = field(default_factory=Counter)
    fields: dict[str, dict[str, _Field]] = field(default_factory=dict)
    networks: list[dict[str, object]] = field(default_factory=list)
    datastreams: int = 0
    observations: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    examples: list[Quarantined] = field(default_factory=list)
    findings: Counter[str] = field(default_factory=Counter)
    notes: QualityNotes | None = None
    box: list[float] | None = None
    sketch: list[dict[str, object]] = field(default_factory=list)

    def take(self, piece: Piece) -> None:
        """Count one piece."""
        match piece:
            case ObjectBatch():
                self._objects(piece)
            case SourceHeader():
                self.headers.append(piece)
            case LayerNote():
                self.layers.append(piece)
            case Quarantined():
                self.quarantined[piece.code] += 1
                if len(self.examples) < EXAMPLES_MAX:
                    self.examples.append(piece)
            case Finding():
                if piece.verdict is not Verdict.PASS:
                    self.findings[piece.rule] += max(1, int(piece.measured or 1))
            case QualityNotes():
                self.notes = piece
            case _:
                self._others(piece)

    def _others(self, piece: Piece) -> None:
        match piece:
            case Network():
                self.networks.append({"id": piece.id, "nodes": len(piece.nodes), "links": len(piece.links)})
            case Datastream():
                self.datastreams += 1
            case ObservationBatch():
                self.observations += len(piece.datastream_ids)
            case _:
                pass

    def _objects(self, batch: ObjectBatch) -> None:
        types = batch.objects["type"].to_pylist()
        self.objects.update(types)
        self.by_dataset.update(batch.objects["dataset"].to_pylist())
        self.lods.update(batch.geometries["lod"].to_pylist())
        for type_, text in zip(types, batch.objects["attributes"].to_pylist(), strict=True):
            known = self.fields.setdefault(type_, {})
            for name, member in orjson.loads(text).items():
                if name in known or len(known) < FIELDS_MAX:
                    known.setdefault(name, _Field()).take(member)
        self._extent(batch.objects)
        if len(self.sketch) < SKETCH_MAX:
            self._draw(batch.objects)

    def _extent(self, objects: pa.RecordBatch) -> None:
        sides = [objects[name].to_numpy(zero_copy_only=False) for name in ("xmin", "ymin", "xmax", "ymax")]
        if not np.isfinite(sides[0]).any():
            return
        low, high = [float(np.nanmin(side)) for side in sides[:2]], [float(np.nanmax(side)) for side in sides[2:]]
        box = self.box or [*low, *high]
        self.box = [min(box[0], low[0]), min(box[1], low[1]), max(box[2], high[0]), max(box[3], high[1])]

    def _draw(self, objects: pa.RecordBatch) -> None:
        way = transformer(self.headers[-1].working_crs, LONLAT)
        rows = np.linspace(0, objects.num_rows - 1, min(objects.num_rows, SKETCH_MAX // 4)).astype(int)
        for row in np.unique(rows).tolist():
            blob = objects["place"][row].as_py()
            if blob is None or len(self.sketch) >= SKETCH_MAX:
                continue
            shape = shapely.simplify(shapely.from_wkb(blob), SKETCH_TOLERANCE_M)
            turned = shapely.transform(shape, lambda xy: np.round(np.column_stack(way.transform(*xy.T)), _DIGITS))
            self.sketch.append(
                {
                    "type": "Feature",
                    "id": objects["id"][row].as_py(),
                    "properties": {"type": objects["type"][row].as_py()},
                    "geometry": orjson.loads(shapely.to_geojson(turned)),
                }
            )

    def summary(self) -> dict[str, object]:
        """Return the account as JSON members."""
        return {
            "dry_run": True,
            "crs": self.headers[0].working_crs if self.headers else None,
            "datasets": [self._dataset(header) for header in self.headers],
            "objects": dict(self.objects.most_common()),
            "objects_total": self.objects.total(),
            "lods": dict(sorted(self.lods.items())),
            "fields": {type_: _described(fields) for type_, fields in self.fields.items()},
            "layers": [_layer(note) for note in self.layers],
            "mapping": mapping_document(self.layers),
            "networks": self.networks,
            "datastreams": self.datastreams,
            "observations": self.observations,
            "quarantined": self.quarantined.total(),
            "quarantined_by_code": dict(self.quarantined.most_common()),
            "quarantined_examples": [
                {"feature": one.feature, "code": one.code, "reason": one.reason} for one in self.examples
            ],
            "findings": dict(self.findings.most_common()),
            **({} if self.notes is None else self.notes.summary()),
            "bbox": self._bbox(),
            "sketch": {"type": "FeatureCollection", "features": self.sketch},
        }

    def _dataset(self, header: SourceHeader) -> dict[str, object]:
        return {
            "id": header.dataset,
            "title": header.title,
            "source_file": header.source_file,
            "reader": header.reader,
            "licence": header.licence,
            "attribution": header.attribution,
            "vertical_datum": header.vertical_datum,
            "ground": header.ground,
            "objects": self.by_dataset[header.dataset] if header.dataset else self.objects.total(),
        }

    def _bbox(self) -> list[float] | None:
        if self.box is None:
            return None
        way = transformer(self.headers[0].working_crs, LONLAT)
        west, south, east, north = self.box
        box = way.transform_bounds(west, south, east, north, densify_pts=21)
        return [round(float(side), _DIGITS) for side in box]


def _described(fields: Mapping[str, _Field]) -> list[dict[str, object]]:
    return [
        {"name": name, "count": one.count, "modelled": one.modelled, "unit": one.unit, "samples": one.samples}
        for name, one in fields.items()
    ]


def _layer(note: LayerNote) -> dict[str, object]:
    return {
        "layer": note.layer,
        "crs": note.crs,
        "features": note.features,
        "types": note.types,
        "mapping": note.mapping,
        "columns": list(note.columns),
    }


def mapping_document(layers: Sequence[LayerNote]) -> dict[str, object] | None:
    """Return the mapping of all layers as a file says it; ``None`` where there are no layers."""
    if not layers:
        return None
    if len(layers) == 1:
        return dict(layers[0].mapping)
    return {"layers": {note.layer: note.mapping for note in layers}}


class PreviewKind:
    """The job of a dry run: it stores nothing but its own summary.

    ``params`` are those of :class:`ingest.intake.IntakeKind`; the child is told the CRS that the city has.
    """

    name = "preview"
    entry = "ingest.worker:preview_source"
    steps = ("read",)
    limits = JobLimits()

    def __init__(self, frame: Callable[[], CityFrame | None], clock: Clock) -> None:
        self._frame = frame
        self._clock = clock

    def begin(self, job: Job) -> Mapping[str, object]:
        """Tell the child what the city has already."""
        params = {**job.params, "year_now": self._clock.now().year}
        frame = self._frame()
        return params if frame is None else {**params, "working_crs": frame.crs, "time_zone": frame.time_zone}

    def on_payload(self, job: Job, payload: object) -> None:
        """Take nothing."""

    def finish(self, job: Job, summary: Mapping[str, object]) -> Mapping[str, object]:  # noqa: ARG002 -- of the protocol
        """Return the account."""
        return summary

    def abort(self, job: Job) -> None:
        """Leave nothing: nothing was there."""

    def recover(self, job: Job) -> Recovery:  # noqa: ARG002 -- of the protocol
        """Forget it: asking again costs nothing."""
        return Recovery.ROLLED_BACK
