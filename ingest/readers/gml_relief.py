"""The triangles of a relief in CityGML, taken one by one, so that a terrain of any size fits; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.city.model import COORDINATE_M_MAX, HEIGHT_M_MAX, Attribute, CityObject, Quarantined
from cim.errors import InvalidInput
from ingest.readers.gml_attributes import Facts, take
from ingest.readers.gml_crs import GmlPlace
from ingest.readers.gml_objects import identify
from ingest.readers.gml_positions import numbers, positions
from ingest.readers.gml_xml import Element, local, named_attribute, text_of
from ingest.readers.terrain_objects import CHUNK_TRIANGLES, chunk_id, chunk_object

_NUMBERS_EACH: Final = 12
FloatArray = NDArray[np.float64]


@dataclass(slots=True)
class ReliefStream:
    """One ``TINRelief`` while its triangles pass: it gives an object whenever enough of them have gathered."""

    dataset: str
    place: GmlPlace
    dimension: int
    is_open: bool = False
    native_id: str = ""
    lod: str = "1"
    attributes: dict[str, Attribute] = field(default_factory=dict)
    _texts: list[str] = field(default_factory=list)
    _pieces: int = 0
    _bad: int = 0

    def begin(self, relief: Element) -> None:
        """Take what a relief says of itself before its triangles begin."""
        self.native_id = named_attribute(relief, "id") or identify(relief)
        self.is_open, self._pieces, self._bad = True, 0, 0
        facts = Facts()
        for prop in relief:
            if local(prop) not in {"tin", "boundedBy", "extent"}:
                take(facts, prop)
        self.lod = str(facts.values.pop("lod", "1"))[:8]
        self.attributes = {name: Attribute(value) for name, value in facts.values.items()}
        whole = relief.getparent() if relief.getparent() is None else relief.getparent().getparent()
        if whole is not None and local(whole) == "ReliefFeature":
            self.attributes["relief_feature"] = Attribute(identify(whole))

    def triangle(self, patch: Element) -> Iterator[CityObject | Quarantined]:
        """Take one triangle."""
        places = next(patch.iter("{*}posList"), None)
        if places is not None and self.dimension == 3 and not places.attrib:
            self._texts.append(text_of(places))
        else:
            self._texts.append(self._written_out(patch))
        if len(self._texts) >= CHUNK_TRIANGLES:
            yield from self._flush()

    def _written_out(self, patch: Element) -> str:
        for ring in patch.iter("{*}LinearRing"):
            try:
                return " ".join(map(repr, positions(ring, self.dimension).reshape(-1).tolist()))
            except InvalidInput:
                return ""
        return ""

    def end(self) -> Iterator[CityObject | Quarantined]:
        """Give what is left."""
        self.is_open = False
        if self._texts:
            yield from self._flush()
        if self._bad:
            yield Quarantined(
                self.native_id[:80], "tin-triangle", f"{self._bad:,} of its triangles are none, or no place on Earth."
            )

    def _flush(self) -> Iterator[CityObject | Quarantined]:
        corners = self._parsed(self._texts)
        self._texts = []
        with np.errstate(invalid="ignore", over="ignore"):
            placed = self.place(corners.reshape(-1, 3)).reshape(-1, 3, 3)
            sound = (np.abs(placed[..., :2]) < COORDINATE_M_MAX).all(axis=(1, 2))
            sound &= (np.abs(placed[..., 2]) < HEIGHT_M_MAX).all(axis=1)
        self._bad += int((~sound).sum())
        kept = placed[sound]
        if len(kept):
            name = chunk_id(self.native_id, self._pieces)
            self._pieces += 1
            yield chunk_object(self.dataset, name, kept, self.lod, self.attributes)

    def _parsed(self, texts: list[str]) -> FloatArray:
        """Return triangles, shape (n, 3, 3), as they stand in the file; what is none is counted and left out."""
        words = [text.split() for text in texts]
        try:
            if all(len(each) == _NUMBERS_EACH for each in words):
                flat = np.array(words, dtype=np.float64)
                closed = (flat[:, :3] == flat[:, 9:]).all(axis=1)
                if closed.all():
                    return flat[:, :9].reshape(-1, 3, 3)
        except ValueError:
            pass
        found = [one for text in texts if (one := _one(text)) is not None]
        self._bad += len(texts) - len(found)
        return np.array(found).reshape(-1, 3, 3)


def _one(text: str) -> FloatArray | None:
    try:
        points = numbers(text, 3)
    except InvalidInput:
        return None
    if len(points) == 4 and (points[0] == points[3]).all():
        points = points[:3]
    return points if len(points) == 3 else None
