"""Facts of a source's footprints for the buildings that they cover.

An older survey has other outlines than the city: one of its footprints may cover three of the city's buildings.
With ``join`` a source gives no buildings of its own.  Each building of the city gets the facts of the footprint
that covers most of it, as a contribution that names it (``same_as``), so that merging keeps them with their
source; what covers nothing is left out, and counted.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from cim.city.columns import columns_to_objects, rows_to_columns
from cim.city.index import CityIndex
from cim.city.matching import Shared, shared_area
from cim.city.merging.naming import MEANT_ATTRIBUTE
from cim.city.model import Attribute, CityObject
from cim.city.rows import ObjectRows
from cim.errors import InvalidInput
from cim.findings import Quality, to_discuss
from ingest.records import Record

COVERED_MIN: Final = 0.5
"""Part of a building that a footprint covers from which on its facts are the building's."""

SAME_IOU_MIN: Final = 0.5
"""Shared part of the union from which on footprint and building are the same thing, not one part of the other."""

JOINED_MAX: Final = 1_000_000
"""Footprints of one source that are held until all are there."""

METHOD: Final = "of the footprint that covers it"
_BUILDING: Final = "Building"
_OF_A_WHOLE: Final = frozenset({"function", "parcel_id", "year_of_construction"})
"""What is as true of a part of a footprint as of all of it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The buildings that a city has: ids and outlines, in the working CRS."""

    ids: list[str]
    places: NDArray[np.object_]


def lay_down(index: CityIndex, dataset: str) -> Path:
    """Write the outlines of the buildings that others than ``dataset`` gave to a file for the child, and return it."""
    rows = [row for row in index.rows_of_type.get(_BUILDING, []) if not index.ids[row].startswith(f"{dataset}:")]
    places = shapely.to_wkb(index.places[rows]).tolist()
    table = pa.table({"id": [index.ids[row] for row in rows], "place": pa.array(places, pa.binary())})
    with tempfile.NamedTemporaryFile(prefix="cim-join-", suffix=".arrow", delete=False) as file:
        path = Path(file.name)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return path


def take_up(path: Path) -> Standing:
    """Read what :func:`lay_down` has written."""
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
        places = shapely.from_wkb(np.array(table["place"].to_pylist(), dtype=object))
        return Standing(table["id"].to_pylist(), places)


def joined(records: Iterable[Record], standing: Standing) -> Iterator[Record]:
    """Yield everything but buildings as it came, then the contributions, then how many footprints covered nothing."""
    footprints: list[CityObject] = []
    for record in records:
        if isinstance(record, ObjectRows):
            found = [one for one in _objects(record) if one.type == _BUILDING]
            footprints.extend(found)
            if len(found) < len(record):
                yield from (one for one in _objects(record) if one.type != _BUILDING)
        elif isinstance(record, CityObject) and record.type == _BUILDING:
            footprints.append(record)
        else:
            yield record
        if len(footprints) > JOINED_MAX:
            raise InvalidInput(
                f"A source that is joined may have {JOINED_MAX:,} footprints.",
                hint="Select a part of it with within.",
                code="joined-max",
                limit=JOINED_MAX,
            )
    covered = _covered(footprints, standing)
    yield from covered
    used = {str(one.attributes["footprint"].value) for one in covered}
    if len(used) < len(footprints):
        yield to_discuss(
            "footprints-without-building",
            "footprints that cover no building of the city",
            len(footprints) - len(used),
            used=len(used),
            contributions=len(covered),
        )


def _objects(rows: ObjectRows) -> list[CityObject]:
    return columns_to_objects(*(pa.Table.from_batches([part]) for part in rows_to_columns(rows)))


def _covered(footprints: list[CityObject], standing: Standing) -> list[CityObject]:
    """Return one contribution for each building that a footprint covers, in the order of the buildings."""
    places = np.array([one.place for one in footprints], dtype=object)
    shared = shared_area(places, standing.places)
    part = _part_of_building(places, standing.places, shared)
    order = sorted(
        np.flatnonzero(part >= COVERED_MIN).tolist(),
        key=lambda row: (int(shared.present[row]), -part[row], footprints[int(shared.incoming[row])].id),
    )
    best: dict[int, int] = {}
    for row in order:
        best.setdefault(int(shared.present[row]), row)
    buildings_of = Counter(int(shared.incoming[row]) for row in best.values())
    made = []
    for building, row in best.items():
        footprint = footprints[int(shared.incoming[row])]
        is_same = buildings_of[int(shared.incoming[row])] == 1 and float(shared.iou[row]) >= SAME_IOU_MIN
        made.append(_contribution(footprint, standing.ids[building], is_same=is_same))
    return made


def _part_of_building(
    places: NDArray[np.object_], standing: NDArray[np.object_], shared: Shared
) -> NDArray[np.float64]:
    """Return which part of the building each pair shares: of the smaller it is known, of the larger it follows."""
    own, other = shapely.area(places)[shared.incoming], shapely.area(standing)[shared.present]
    common = shared.overlap * np.minimum(own, other)
    part: NDArray[np.float64] = np.divide(common, other, out=np.zeros(len(other)), where=other > 0)
    return part


def _contribution(footprint: CityObject, building: str, *, is_same: bool) -> CityObject:
    facts = dict(footprint.attributes) if is_same else _of_a_part(footprint.attributes)
    native = footprint.id.partition(":")[2]
    facts["footprint"] = Attribute(native)
    facts[MEANT_ATTRIBUTE] = Attribute(building)
    identifier = footprint.id if is_same else f"{footprint.id}@{building.partition(':')[2]}"
    return replace(footprint, id=identifier, attributes=facts, geometries=())


def _of_a_part(facts: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """Return facts of a footprint as those of one of the buildings in it: what need not be so is modelled."""
    return {
        name: attribute
        if name in _OF_A_WHOLE or attribute.quality is not Quality.RECORDED
        else replace(attribute, quality=Quality.MODELLED, method=METHOD)
        for name, attribute in facts.items()
    }
