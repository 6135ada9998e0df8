"""What a reader gave, as objects: readers of very many objects give rows."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from cim.city.columns import columns_to_objects, rows_to_columns
from cim.city.model import CityObject
from cim.city.rows import ObjectRows


def objects_of(records: Iterable[object]) -> dict[str, CityObject]:
    """Return the objects among some records, by id, in their order."""
    found: dict[str, CityObject] = {}
    for record in records:
        if isinstance(record, CityObject):
            found[record.id] = record
        elif isinstance(record, ObjectRows):
            rows, geometries = (pa.Table.from_batches([part]) for part in rows_to_columns(record))
            found.update((one.id, one) for one in columns_to_objects(rows, geometries))
    return found
