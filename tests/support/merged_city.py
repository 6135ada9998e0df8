"""A city of several sources, for the tests of merging: small buildings in rows, delivered by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from cim.city import store
from cim.city.columns import objects_to_columns
from cim.city.merging.service import Declared
from cim.city.model import Attribute, CityFrame, CityObject
from cim.city.service import CityService
from cim.city.store import Act, Published
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.findings import Provenance
from cim.geometry.surfaces import Geometry

FRAME = CityFrame("test", "Test", "测试", "EPSG:3879", None, "flat", "Europe/Helsinki")
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
X, Y = 25_496_000.0, 6_673_000.0


def box(number: float, dx: float = 0.0, size: float = 10.0) -> shapely.Polygon:
    """The plot of a building: every 20 m a square of 10 m."""
    x = X + 20 * number + dx
    return shapely.box(x, Y, x + size, Y + size)


def building(
    identifier: str,
    place: shapely.Geometry | None,
    lod: str | None = None,
    parent: str | None = None,
    kind: str = "Building",
    **facts: Any,
) -> CityObject:
    """A building; a fact is a value or an :class:`Attribute`."""
    attributes = {name: fact if isinstance(fact, Attribute) else Attribute(fact) for name, fact in facts.items()}
    shapes = () if lod is None or place is None else (roof(place, lod, float(len(identifier))),)
    return CityObject(identifier, kind, place, shapes, attributes, parent)


def roof(place: shapely.Geometry, lod: str, z: float) -> Geometry:
    """One flat face over a place."""
    corners = shapely.get_coordinates(place.envelope.exterior)[:-1]
    return Geometry(
        kind="MultiSurface",
        lod=lod,
        coordinates=np.column_stack([corners, np.full(len(corners), z)]),
        ring_ends=np.array([len(corners)], dtype=np.int32),
        surface_ends=np.array([1], dtype=np.int32),
    )


def dataset(identifier: str) -> Provenance:
    """The source of that slug."""
    return Provenance(identifier, identifier, f"{identifier}.json", "0" * 64, "CC0-1.0", "nobody", "test", "1", AT)


@dataclass(slots=True)
class MergedCity:
    """A city that is open, and a counter of its jobs."""

    database: Database
    city: CityService
    jobs: int = 0

    def deliver(
        self,
        objects: Sequence[CityObject],
        *datasets: str,
        priority: str | None = None,
        match_attribute: str = "same_as",
    ) -> Published:
        """Publish a delivery of one or more datasets: all objects of theirs that there are now."""
        self.jobs += 1
        job = f"j{self.jobs}"
        if objects:
            self.city.stage(job, 0, *objects_to_columns(objects))
        names = datasets or tuple(dict.fromkeys(one.dataset for one in objects))
        return self.city.publish(
            Act(job, "local", "test", AT + timedelta(minutes=self.jobs)),
            FRAME,
            [dataset(name) for name in names],
            declared=Declared(priority, match_attribute),
        )

    def report(self, job: str = "") -> dict[str, Any]:
        """What a job, else the newest, did."""
        found = self.city.merge_report(job or f"j{self.jobs}")
        assert found is not None
        return found

    def shown(self) -> dict[str, CityObject]:
        """All objects of the newest baseline."""
        return self.city.objects_at(self.city.baseline_version, self.city.view.index.ids)

    def links(self) -> dict[str, str]:
        """Which object contributes to which, as the store has it."""
        with self.database.read() as cursor:
            rows = cursor.execute(
                """SELECT object_id, canonical_id FROM contribution WHERE baseline_version <= ?
                   QUALIFY row_number() OVER (PARTITION BY object_id ORDER BY baseline_version DESC) = 1""",
                [self.city.baseline_version],
            ).fetchall()
        return {one: canonical for one, canonical in rows if canonical is not None}

    def state(self) -> bytes:
        """All that the city says now, but for when it came to say so: equal states are equal bytes."""
        version = self.city.baseline_version
        with self.database.read() as cursor:
            parts: list[Any] = []
            for table, geometries in (("city_object", "city_geometry"), ("source_object", "source_geometry")):
                rows = cursor.execute(
                    f"""SELECT id, baseline_version, type, dataset, parent_id, attributes, hex(place),
                               xmin, ymin, zmin, xmax, ymax, zmax, digest FROM {table} WHERE baseline_version <= ?
                        QUALIFY row_number() OVER (PARTITION BY id ORDER BY baseline_version DESC) = 1 AND NOT removed
                        ORDER BY id""",
                    [version],
                ).fetchall()
                parts.append([[row[0], *row[2:]] for row in rows])
                owners = {(row[0], row[1]) for row in rows}
                shapes = cursor.execute(
                    f"SELECT object_id, baseline_version, lod, kind, hex(surfaces), structure FROM {geometries}"
                ).fetchall()
                parts.append(sorted([[r[0], *map(str, r[2:])] for r in shapes if (r[0], r[1]) in owners]))
            parts.append([one.dataset for one in store.read_datasets(cursor)])
        parts.append(sorted(self.links().items()))
        return orjson.dumps(parts)


@contextmanager
def merged_city(path: Path) -> Iterator[MergedCity]:
    """Open a city in a directory."""
    with DataDirectory(path) as directory, Database.open(directory) as database:
        yield MergedCity(database, CityService(database))
