"""The city as a whole: one baseline at a time, published, indexed, and read back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

import duckdb
import numpy as np
import orjson
import pyarrow as pa

from cim.city import store
from cim.city.attached import Attachment, FindAttachments
from cim.city.columns import columns_to_objects
from cim.city.committing.service import Committer
from cim.city.index import CityIndex
from cim.city.merging.report import counts_of
from cim.city.merging.service import Declared, Delivery, merge_delivery
from cim.city.merging.store import read_report
from cim.city.model import Attribute, CityFrame, CityObject
from cim.city.staging import store as staging
from cim.city.staging.store import Compared, Staged
from cim.city.store import Act, Published
from cim.city.terrain import TERRAIN_TYPE
from cim.db.bench import Bench
from cim.db.store import Database
from cim.errors import NotFound, Unavailable
from cim.findings import Provenance
from cim.geometry.crs import WorkingFrame

Also = Callable[[duckdb.DuckDBPyConnection, int], None]
"""Something else to be written in the same transaction as a baseline: networks, datastreams."""

TILED_TYPES: Final = ("Building", "BuildingPart", "BuildingInstallation", "Bridge", "BridgePart", "OtherConstruction")
"""Types whose geometry is drawn as buildings."""

GROUND_TYPES: Final = (
    "LandUse",
    "WaterBody",
    "PlantCover",
    "Road",
    "Railway",
    "TransportSquare",
    "Waterway",
    "+Coverage",
)
"""Types that the ground is painted from."""


@dataclass(frozen=True, slots=True)
class CitySnapshot:
    """All rows of one baseline that tiles are built from."""

    frame: CityFrame
    baseline_version: int
    objects: pa.Table
    geometries: pa.Table


@dataclass(frozen=True, slots=True)
class View:
    """What readers share: swapped whole, so that nobody sees half of two baselines."""

    frame: CityFrame | None
    working: WorkingFrame | None
    index: CityIndex
    datasets: tuple[Provenance, ...]
    published_at: datetime | None


class CityService:
    """Publishes baselines and answers from the newest one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._staged: dict[str, Staged] = {}
        self._benches: dict[str, Bench] = {}
        self.committer = Committer(database)
        """Gives the numbers of baselines; whoever publishes one goes through it."""
        self.attachments: list[FindAttachments] = []
        """Who is asked what is attached to objects that go."""
        self._view = self._load()

    @property
    def view(self) -> View:
        """The newest baseline, complete."""
        return self._view

    @property
    def baseline_version(self) -> int:
        """The number of the newest baseline, 0 for an empty city."""
        return self._view.index.baseline_version

    @property
    def frame(self) -> CityFrame:
        """The frame of the city; raises :class:`Unavailable` (``city-empty``) before its first ingest."""
        frame = self._view.frame
        if frame is None:
            raise Unavailable(
                "The city is empty.", hint="Put something in with `cim ingest FILE` or `cim sample`.", code="city-empty"
            )
        return frame

    @property
    def working(self) -> WorkingFrame:
        """The way between the working CRS and degrees; raises :class:`Unavailable` for an empty city."""
        working = self._view.working
        if working is None:
            raise Unavailable("The city is empty.", code="city-empty")
        return working

    def _load(self) -> View:
        with self._database.read() as cursor:
            version = store.current_version(cursor)
            frame = store.read_frame(cursor)
            rows = store.read_objects(cursor, version)
            datasets = store.read_datasets(cursor)
            published_at = store.published_at(cursor, version)
        working = None if frame is None else WorkingFrame(frame.crs)
        return View(frame, working, CityIndex(rows, version), tuple(datasets), published_at)

    def reload(self) -> None:
        """Read the newest baseline into memory."""
        with self._guard:
            self._view = self._load()

    def reload_and_look(self) -> tuple[Attachment, ...]:
        """Read the newest baseline into memory; return what is attached to objects that it shows no more."""
        before = self._view.index
        self.reload()
        return self.attached_to({identifier for identifier in before.ids if identifier not in self._view.index.row_of})

    def attached_to(self, identifiers: Collection[str]) -> tuple[Attachment, ...]:
        """Return what people and instruments have attached to some objects."""
        if not identifiers:
            return ()
        return tuple(sorted(one for find in self.attachments for one in find(identifiers)))

    def stage(self, job_id: str, first_sequence: int, objects: pa.RecordBatch, geometries: pa.RecordBatch) -> None:
        """Keep rows that a job has read, unseen until they are published."""
        bench = self._benches.setdefault(job_id, self._database.bench())
        bench.run(lambda c: staging.stage(c, job_id, first_sequence, objects, geometries))
        self._staged[job_id] = self._staged.get(job_id, Staged()).with_batch(objects, geometries)

    def discard(self, job_id: str) -> None:
        """Forget what a job has staged: the city is as it was."""
        self._staged.pop(job_id, None)
        bench = self._benches.pop(job_id, None)
        if bench is not None:
            bench.close()

    def publish(
        self,
        act: Act,
        frame: CityFrame,
        datasets: Sequence[Provenance],
        also: Sequence[Also] = (),
        declared: Declared | None = None,
    ) -> Published:
        """Publish what a job has staged as the next baseline, with ``also`` in the transaction that makes it seen.

        ``declared`` says how sources that share buildings are matched and whose word counts.  What is worked out is
        worked out beside the writer, who is held for short turns only.
        Raises :class:`cim.errors.Conflict` if the city has another CRS; then nothing is changed.
        """
        names = tuple(dataset.dataset for dataset in datasets)
        bench = self._benches.setdefault(act.job_id, self._database.bench())
        with self.committer.next_baseline(bench) as version:

            def gather(connection: duckdb.DuckDBPyConnection) -> Compared:
                delivery = Delivery(act.job_id, version, act.at, names, declared or Declared())
                staged = self._staged.get(act.job_id, Staged())
                share = partial(merge_delivery, connection, delivery)
                return staging.gather(connection, act.at, names, staged, version, share)

            store.check_frame(self._view.frame, frame)
            compared = bench.run(gather)
            published = compared.published

            def finish(connection: duckdb.DuckDBPyConnection) -> None:
                store.write_frame(connection, frame, act.at)
                store.write_baseline(connection, act, published)
                for dataset in datasets:
                    store.write_dataset(connection, dataset, version)
                for write in also:
                    write(connection, version)

            self.committer.commit(bench, version, finish, compared.rows)
        self.discard(act.job_id)
        return replace(published, attached=self.reload_and_look())

    def has_published(self, job_id: str) -> bool:
        """Tell whether a job's baseline is committed."""
        with self._database.read() as cursor:
            return store.has_published(cursor, job_id)

    def merge_report(self, job_id: str) -> dict[str, Any] | None:
        """Return what a job's delivery did where sources share buildings; ``None`` where it met no other source."""
        with self._database.read() as cursor:
            text = read_report(cursor, job_id)
        return None if text is None else dict(orjson.loads(text))

    def merge_counts(self, job_id: str) -> dict[str, Any]:
        """Return the numbers of a job's report for its summary; nothing where it met no other source."""
        report = self.merge_report(job_id)
        return {} if report is None else {"merge": counts_of(report)}

    def index_at(self, version: int) -> CityIndex:
        """Return the index of a baseline: the shared one of the newest, of an older one a new one each time."""
        index = self._view.index
        if version == index.baseline_version:
            return index
        with self._database.read() as cursor:
            return CityIndex(store.read_objects(cursor, version), version)

    def snapshot(self, version: int | None = None) -> CitySnapshot:
        """Return the rows of a baseline (the newest) that tiles are built from."""
        frame, version = self.frame, version or self.baseline_version
        with self._database.read() as cursor:
            types = (*TILED_TYPES, *GROUND_TYPES, TERRAIN_TYPE)
            objects = store.read_objects(cursor, version, types)
            geometries = store.read_geometries(cursor, version, types)
        return CitySnapshot(frame, version, objects, geometries)

    def all_rows(self, version: int) -> tuple[pa.Table, pa.Table]:
        """Return the rows of every object of a baseline, whatever its type, and those of their geometries."""
        with self._database.read() as cursor:
            return store.read_objects(cursor, version), store.read_geometries(cursor, version)

    def rows_at(self, version: int, identifiers: Sequence[str]) -> tuple[pa.Table, pa.Table]:
        """Return the rows of some objects as a baseline had them, in its order, and those of their geometries."""
        with self._database.read() as cursor:
            objects, geometries = store.read_objects_at(cursor, version, identifiers)
        return objects.sort_by([("baseline_version", "ascending"), ("id", "ascending")]), geometries

    def changed_between(self, since: int, version: int, limit: int) -> list[tuple[str, str]]:
        """Return id and type of at most ``limit`` objects that have changed after one baseline, up to another."""
        with self._database.read() as cursor:
            return store.read_changed(cursor, since, version, limit)

    def ground_rows(self, version: int) -> pa.Table:
        """Return the rows of all objects that the ground is painted from, as a baseline had them."""
        with self._database.read() as cursor:
            return store.read_objects(cursor, version, GROUND_TYPES)

    def object(self, identifier: str) -> CityObject:
        """Return the newest version of an object with all its geometries; raises :class:`NotFound`."""
        row = self.row(identifier)
        with self._database.read() as cursor:
            rows = store.read_object_rows(cursor, self.baseline_version, [identifier])
            geometries = store.read_geometry_rows(cursor, identifier, self._view.index.versions[row])
        found = columns_to_objects(rows, geometries)
        if not found:
            raise _unknown(identifier)
        return found[0]

    def objects_at(self, version: int, identifiers: Sequence[str]) -> dict[str, CityObject]:
        """Return some objects as a baseline had them, by id; those that it had not are left out."""
        if not identifiers:
            return {}
        with self._database.read() as cursor:
            rows, geometries = store.read_objects_at(cursor, version, identifiers)
        return {found.id: found for found in columns_to_objects(rows, geometries)}

    def row(self, identifier: str) -> int:
        """Return the row of an object in the index; raises :class:`NotFound`."""
        row = self._view.index.row_of.get(identifier)
        if row is None:
            raise _unknown(identifier)
        return row

    def card(self, identifier: str) -> dict[str, Any]:
        """Return what is known of an object, each fact with its source, in degrees; raises :class:`NotFound`."""
        view, city_object = self._view, self.object(identifier)
        row = self.row(identifier)
        centre = view.index.centre(row)
        sources = {city_object.dataset, *(a.source for a in city_object.attributes.values() if a.source)}
        name = city_object.attributes.get("name")
        return {
            "id": identifier,
            "type": city_object.type,
            "dataset": city_object.dataset,
            "parent_id": city_object.parent_id,
            "baseline_version": view.index.versions[row],
            "name": name.value if name is not None else None,
            "centroid": None if centre is None else _lonlat(self.working, centre),
            "bbox": self._bbox(row),
            "lods": sorted({geometry.lod for geometry in city_object.geometries}),
            "attributes": [fact_json(key, fact, city_object.dataset) for key, fact in city_object.attributes.items()],
            "provenance": [provenance(dataset) for dataset in view.datasets if dataset.dataset in sources],
        }

    def _bbox(self, row: int) -> list[float] | None:
        box = self._view.index.boxes[row]
        if box[0] != box[0]:
            return None
        return list(self.working.bbox_to_lonlat((float(box[0]), float(box[1]), float(box[3]), float(box[4]))))

    def search(self, text: str, limit: int) -> list[dict[str, Any]]:
        """Return objects that answer a search, best first."""
        view, found = self._view, []
        for hit in view.index.search(text, limit):
            centre = view.index.centre(hit.row)
            found.append(
                {
                    "id": view.index.ids[hit.row],
                    "type": view.index.types[hit.row],
                    "name": hit.name,
                    "detail": hit.detail,
                    "centroid": None if centre is None else _lonlat(self.working, centre),
                }
            )
        return found

    def summary(self) -> dict[str, Any]:
        """Return the city in one answer: frame, extent, counts, sources."""
        view, frame = self._view, self.frame
        bbox = view.index.bbox()
        degrees = None if bbox is None else self.working.bbox_to_lonlat(bbox)
        middle = view.index.middle("Building")
        attributions = list(dict.fromkeys(dataset.attribution for dataset in view.datasets if dataset.attribution))
        return {
            "slug": frame.slug,
            "title": {"en": frame.title_en, "zh": frame.title_zh},
            "crs": frame.crs,
            "vertical_datum": frame.vertical_datum,
            "ground": frame.ground,
            "origin": None
            if bbox is None
            else dict(
                zip(
                    ("lon", "lat"),
                    _lonlat(self.working, ((bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2)),
                    strict=True,
                ),
                height_m=0.0,
            ),
            "bbox": degrees,
            "middle": None if middle is None else _lonlat(self.working, middle),
            "first_view": None if frame.first_view is None else list(frame.first_view),
            "baseline_version": view.index.baseline_version,
            "time_zone": frame.time_zone,
            "counts": view.index.counts(),
            "datasets": [provenance(dataset) for dataset in view.datasets],
            "attributions": attributions,
            "generated": any(dataset.generated for dataset in view.datasets),
        }


def fact_json(name: str, fact: Attribute, dataset: str) -> dict[str, Any]:
    """Return a fact as JSON members; ``dataset`` is the source of an object's own facts."""
    return {
        "name": name,
        "value": fact.value,
        "unit": fact.unit,
        "quality": fact.quality.value,
        "interval": fact.interval,
        "method": fact.method,
        "source": fact.source or dataset,
    }


def provenance(dataset: Provenance) -> dict[str, Any]:
    """Return where a source comes from, as JSON members."""
    return {
        "id": dataset.dataset,
        "dataset": dataset.dataset,
        "title": dataset.title,
        "source_file": dataset.source_file,
        "source_sha256": dataset.source_sha256,
        "licence": dataset.licence,
        "attribution": dataset.attribution,
        "reader": dataset.reader,
        "reader_version": dataset.reader_version,
        "read_at": dataset.read_at.isoformat(),
        "generated": dataset.generated,
    }


def _lonlat(working: WorkingFrame, point: tuple[float, float]) -> list[float]:
    lon, lat = working.to_lonlat(np.array([point]))[0].tolist()
    return [round(lon, 7), round(lat, 7)]


def _unknown(identifier: str) -> NotFound:
    return NotFound("The city has no object of that id.", code="object-not-found", id=identifier[:240])
