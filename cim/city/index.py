"""The city in memory: who is where, for questions that must be answered at once.

Built from the object rows of one baseline and replaced whole when the next is published, so that a
reader always sees one baseline and never half of two.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from cim.city.columns import attributes_from_json
from cim.city.model import Attribute

SEARCH_TEXT_MAX: Final = 100
"""Characters of a search that are read; the rest is ignored."""

_NAMED: Final = ("name", "address", "function")


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An object that answers a search; ``rank`` orders hits, small first."""

    row: int
    rank: int
    name: str
    detail: str | None


class CityIndex:
    """The objects of one baseline: ids, types, places in the working CRS, and a tree over them."""

    def __init__(self, rows: pa.Table, baseline_version: int) -> None:
        self.baseline_version = baseline_version
        self.ids: list[str] = rows["id"].to_pylist()
        self.types: list[str] = rows["type"].to_pylist()
        self.parents: list[str | None] = rows["parent_id"].to_pylist()
        self.versions: list[int] = rows["baseline_version"].to_pylist()
        self._attributes: list[str] = rows["attributes"].to_pylist()
        self.places: NDArray[np.object_] = shapely.from_wkb(np.array(rows["place"].to_pylist(), dtype=object))
        self.boxes = _boxes(rows)
        self.row_of = {identifier: row for row, identifier in enumerate(self.ids)}
        self.rows_of_type = _group(self.types)
        self._tree = shapely.STRtree(_diagonals(self.boxes))
        self._texts: list[tuple[str, str | None, str]] = []

    def __len__(self) -> int:
        return len(self.ids)

    def counts(self) -> dict[str, int]:
        """Return how many objects of each type there are."""
        return dict(sorted(Counter(self.types).items()))

    @cached_property
    def children(self) -> Mapping[str, Sequence[str]]:
        """The ids of the parts of each object that has any, in the order of the rows; made at the first question."""
        found: dict[str, list[str]] = {}
        for identifier, parent in zip(self.ids, self.parents, strict=True):
            if parent is not None:
                found.setdefault(parent, []).append(identifier)
        return found

    def attributes(self, row: int) -> Mapping[str, Attribute]:
        """Return the attributes of the object in a row."""
        return attributes_from_json(self._attributes[row])

    def attributes_json(self, row: int) -> str:
        """Return the attributes of the object in a row as the store has them, not decoded."""
        return self._attributes[row]

    def within(self, bbox: tuple[float, float, float, float]) -> NDArray[np.int64]:
        """Return the rows, ascending, whose boxes meet xmin, ymin, xmax, ymax in the working CRS."""
        return np.sort(self._tree.query(shapely.box(*bbox)))

    def bbox(self) -> tuple[float, float, float, float] | None:
        """Return xmin, ymin, xmax, ymax of all objects, or ``None`` for an empty city."""
        known = self.boxes[~np.isnan(self.boxes[:, 0])]
        if not len(known):
            return None
        low, high = known[:, :2].min(axis=0), known[:, 3:5].max(axis=0)
        return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    def middle(self, kind: str) -> tuple[float, float] | None:
        """Return the median place of the objects of a type in the working CRS: where most of them are, not halfway.

        ``None`` where there is none of them with a place.
        """
        boxes = self.boxes[self.rows_of_type.get(kind, [])]
        boxes = boxes[~np.isnan(boxes[:, 0])]
        if not len(boxes):
            return None
        x, y = np.median((boxes[:, :2] + boxes[:, 3:5]) / 2, axis=0)
        return (float(x), float(y))

    def centre(self, row: int) -> tuple[float, float] | None:
        """Return a point in the working CRS that lies on the object, or ``None`` where it has no place."""
        place = self.places[row]
        if place is not None:
            point = place.representative_point()
            return (point.x, point.y)
        box = self.boxes[row]
        if np.isnan(box[0]):
            return None
        return (float(box[0] + box[3]) / 2, float(box[1] + box[4]) / 2)

    def search(self, text: str, limit: int) -> list[SearchHit]:
        """Return objects whose id, name, address or use holds every word; exact and prefix hits first."""
        wanted = _fold(text[:SEARCH_TEXT_MAX])
        words = wanted.split()
        if not words:
            return []
        if not self._texts:
            # Worked out at the first search: a city is published and opened more often than it is searched at once.
            self._texts = [_search_text(attributes) for attributes in self._attributes]
        hits: list[SearchHit] = []
        for row, (name, detail, folded) in enumerate(self._texts):
            identifier = self.ids[row]
            if all(word in folded or word in identifier for word in words):
                hits.append(SearchHit(row, self._rank(row, wanted, name), name or identifier, detail))
        hits.sort(key=lambda hit: (hit.rank, hit.name, self.ids[hit.row]))
        return hits[:limit]

    def _rank(self, row: int, wanted: str, name: str) -> int:
        folded = _fold(name)
        if self.ids[row] == wanted or folded == wanted:
            return 0
        first = 0 if self.types[row] in ("Building", "Road") else 1
        if folded.startswith(wanted):
            return 1 + first
        return (3 if name else 5) + first


def _boxes(rows: pa.Table) -> NDArray[np.float64]:
    columns = [rows[name].to_numpy() for name in ("xmin", "ymin", "zmin", "xmax", "ymax", "zmax")]
    return np.column_stack(columns).astype(np.float64) if rows.num_rows else np.empty((0, 6))


def _diagonals(boxes: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return a line across each box: the tree asks for no more than its box, and it is made and kept for less."""
    known = ~np.isnan(boxes[:, 0]) if len(boxes) else np.empty(0, dtype=bool)
    lines = np.empty(len(boxes), dtype=object)
    lines[known] = shapely.linestrings(boxes[known][:, (0, 1, 3, 4)].reshape(-1, 2, 2))
    return lines


def _group(types: list[str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for row, type_ in enumerate(types):
        groups.setdefault(type_, []).append(row)
    return groups


def _search_text(attributes_json: str) -> tuple[str, str | None, str]:
    """Return an object's name, a second line for lists, and all that a search may match."""
    attributes = attributes_from_json(attributes_json)
    name, address, function = (_text(attributes, key) for key in _NAMED)
    # Names in other languages and older names: name:en, name:zh, alt_name, official_name …
    others = [_text(attributes, key) for key in attributes if key.startswith("name:") or key.endswith("_name")]
    detail = (address if name else None) or function or None
    return name or address, detail, _fold(" ".join((name, address, function, *others)))


def _text(attributes: Mapping[str, Attribute], name: str) -> str:
    attribute = attributes.get(name)
    return attribute.value if attribute is not None and isinstance(attribute.value, str) else ""


def _fold(text: str) -> str:
    """Lower case without accents, so that ``Poyta`` finds ``Pöytä``."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character)).strip()
