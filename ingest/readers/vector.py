"""GeoPackage, Shapefile, FlatGeobuf, GeoJSON, TopoJSON and GeoParquet: layers of features, by a field mapping.

Two passes a layer: the first learns what the second needs (what identifies a feature, the storeys of known
buildings), the second streams.  Buildings keep footprint and height, from which they are drawn as blocks
(LoD1); memory is a batch, and two numbers for each building whose storeys are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import orjson
import shapely

from cim.city.model import Quarantined
from cim.errors import InvalidInput
from cim.findings import Finding, to_discuss
from ingest.mapping import SKIP, LayerMapping, SourceMapping, as_members, mapping_of
from ingest.readers.limits import HEAD_BYTES, check_file_size
from ingest.readers.source_crs import Projection, projection, source_crs
from ingest.readers.vector_parquet import GeoParquetSource, is_geoparquet
from ingest.readers.vector_rows import RowMaker, Tally
from ingest.readers.vector_shapes import KEEP, place_shapes
from ingest.readers.vector_source import LayerInfo, OgrSource, VectorSource, format_of
from ingest.readers.vector_survey import Survey, check_axes, survey
from ingest.readers.vector_values import plain_values
from ingest.readers.vector_wkb import is_harmless
from ingest.records import LayerNote, Progress, ReadContext, Record, SourceHeader

LICENCE_UNSTATED: Final = "unstated"
_CLAUSE: Final = "ISO 19107"


@dataclass(frozen=True, slots=True)
class _Plan:
    survey: Survey
    way: Projection
    prefix: str


class VectorReader:
    """Reads vector files.

    Options: ``mapping`` (JSON of :mod:`ingest.mapping`), ``invalid`` (``keep``: what can be mended is, with a
    mark; ``quarantine``: it is kept out), ``preview`` (say what was understood of each layer).
    """

    name = "vector"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell by the formats' marks, GeoJSON by its first member, GeoParquet by its metadata."""
        return format_of(path, head) is not None or is_geoparquet(path, head)

    def open(self, path: Path) -> VectorSource:
        """Return the file's layers."""
        check_file_size(path)
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        kind = format_of(path, head)
        return GeoParquetSource(path) if kind is None else OgrSource(path, kind)

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, what is refused of the file, then each layer's features."""
        mapping = mapping_of(orjson.loads(str(context.options.get("mapping") or "{}")))
        source = self.open(path)
        plans, refused = _plans(path, source, mapping, context)
        yield SourceHeader(
            title=mapping.title or path.name,
            working_crs=plans[0].way.working_crs,
            vertical_datum=None,
            ground="flat",
            licence=mapping.licence or LICENCE_UNSTATED,
            attribution=mapping.attribution,
            reader=self.name,
            reader_version=self.version,
        )
        yield from refused
        total = sum(plan.survey.features for plan in plans)
        done = 0
        for plan in plans:
            if context.options.get("preview"):
                yield _note(plan)
            for record in _stream(source, plan, context):
                if isinstance(record, Progress):
                    yield Progress(done + record.done, total, "features")
                else:
                    yield record
            done += plan.survey.features


def _plans(
    path: Path, source: VectorSource, mapping: SourceMapping, context: ReadContext
) -> tuple[list[_Plan], list[Quarantined]]:
    """Survey the layers; a layer that cannot be taken in is refused alone, unless there is no other."""
    layers = source.layers()
    refused = [Quarantined(name, code, reason) for name, code, reason in source.left_out()]
    problems: list[InvalidInput] = []
    plans: list[_Plan] = []
    crs = context.working_crs or str(context.options.get("working_crs") or "") or None
    for layer in layers:
        declared = mapping.of(layer.name)
        if declared is not None and declared.type == SKIP and declared.type_by is None:
            continue
        try:
            plan = _plan(source, layer, declared, replace(context, working_crs=crs), alone=len(layers) == 1)
        except InvalidInput as error:
            if error.problem_code not in {"crs-missing", "unknown-crs", "axes-swapped", "crs-does-not-fit"}:
                raise
            problems.append(error)
            refused.append(Quarantined(layer.name[:120], error.problem_code, f"{error.message} {error.hint}"))
            continue
        crs = crs or plan.way.working_crs
        plans.append(plan)
    if plans:
        return plans, refused
    if problems:
        raise problems[0]
    raise InvalidInput(
        f"{path.name} has no layer with features that can be taken in.",
        hint=refused[0].reason if refused else "Export the layers that you need.",
        code="source-empty",
        file=path.name,
    )


def _plan(
    source: VectorSource, layer: LayerInfo, declared: LayerMapping | None, context: ReadContext, *, alone: bool
) -> _Plan:
    stated = (declared.crs if declared else None) or (context.source_crs if alone or layer.crs is None else None)
    text = stated or layer.crs
    if text is None:
        what = f" ({layer.crs_name[:60]!r} is not defined in it)" if layer.crs_name else ""
        raise InvalidInput(
            f"The layer {layer.name[:80]} does not say which coordinate system it is in{what}.",
            hint="Name it with --crs, for example --crs EPSG:28992, or as crs of the layer in a --mapping file.",
            code="crs-missing",
            layer=layer.name[:80],
        )
    crs = source_crs(None, text)
    found = survey(source, layer, declared)
    check_axes(layer.name, found.xy, crs, context.working_crs)
    x, y = found.position()
    if not np.isfinite([x, y]).all():
        x, y = 0.0, 0.0
    way = projection(crs, context.working_crs, (x, y))
    return _Plan(found, way, "" if alone else f"{layer.name}/")


def _note(plan: _Plan) -> LayerNote:
    mappings = plan.survey.mappings
    members = [as_members(mapping) for mapping in mappings.values()]
    merged = {**members[0], "attributes": {k: v for one in members for k, v in one["attributes"].items()}}
    if len({str(one["type"]) for one in members}) > 1:
        # What areas, lines and points become differs: the file leaves it to be guessed.
        del merged["type"]
    return LayerNote(
        layer=plan.survey.layer.name,
        crs=plan.way.source.horizontal,
        features=plan.survey.features,
        types={dimension: str(mapping.type) for dimension, mapping in mappings.items()},
        mapping=merged,
        columns=plan.survey.layer.columns,
    )


def _stream(source: VectorSource, plan: _Plan, context: ReadContext) -> Iterator[Record]:
    layer, mappings = plan.survey.layer, plan.survey.mappings
    policy = str(context.options.get("invalid") or KEEP)
    tally = Tally()
    known = plan.survey.known(plan.way)
    maker = RowMaker(context.dataset, layer.name, plan.prefix, mappings, known, layer.keyed, tally)
    first = next(iter(mappings.values()))
    done = 0
    for batch in source.batches(layer, None, first.encoding):
        shapes = _turned(batch.shapes) if first.swap_axes else batch.shapes
        placed = place_shapes(shapes, plan.way, policy)
        columns = {}
        for name, column in batch.columns.items():
            columns[name], broken = plain_values(column)
            tally.encoding += len(broken)
        rows, faults = maker.make(placed, batch.shapes, batch.numbers, columns)
        yield from faults
        if rows is not None:
            yield rows
        done += len(batch)
        yield Progress(done, None, "features")
    yield from _findings(layer.name, tally)


def _turned(shapes: list[bytes | None]) -> list[bytes | None]:
    """Return shapes with x and y exchanged, as the mapping declares."""
    sound = [blob if blob is not None and is_harmless(blob) else None for blob in shapes]
    decoded = shapely.from_wkb(np.array(sound, dtype=object), on_invalid="fix")
    turned = shapely.transform(decoded, lambda xy: xy[:, ::-1])
    out: list[bytes | None] = shapely.to_wkb(turned).tolist()
    return out


def _findings(layer: str, tally: Tally) -> Iterator[Finding]:
    """Say what was mended and what could not be used, once a rule and layer."""
    counts = [(f"geometry-repaired-{code}", count) for code, count in tally.repairs.items()]
    counts += [(f"attribute-unusable-{target}", count) for target, count in tally.unusable.items()]
    counts += [("text-encoding", tally.encoding), ("left-out-by-mapping", tally.left_out)]
    for rule, count in counts:
        if count:
            yield to_discuss(rule, _CLAUSE, count, layer=layer[:80])
