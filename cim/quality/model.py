"""The report of a delivery, and the mark on an object; pure and light: the server imports it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from cim.city.rows import ObjectRows
from cim.quality.codes import VALIDITY_ATTRIBUTE, VALIDITY_METHOD, Criteria

if TYPE_CHECKING:
    from cim.quality.evidence import Evidence


@dataclass(frozen=True, slots=True)
class QualityNotes:
    """The report of one delivery, on its way to the store; places are in the working CRS."""

    document: dict[str, Any]

    def summary(self) -> dict[str, object]:
        """Return how many objects have a geometry that is not valid, and how many have which fault."""
        faults = {
            " ".join(dict.fromkeys((fault["code"], fault["name"]))): fault["objects"]
            for fault in self.document["faults"]
        }
        return {"invalid": self.document["counts"]["invalid"], "faults": faults}


class Inspecting(Protocol):
    """What looks at a delivery while it is read: :class:`cim.quality.inspector.Inspector`."""

    @property
    def criteria(self) -> Criteria:
        """What objects are held to."""
        ...

    def learn(self, working_crs: str) -> None:
        """Take in which coordinate system the objects are in."""
        ...

    def look(self, rows: ObjectRows) -> dict[int, tuple[str, ...]]:
        """Take a batch in and return the codes of the objects whose geometry is not valid, by row."""
        ...

    def take(self, evidence: Evidence) -> None:
        """Take in what was found in a batch that another has looked at."""
        ...

    def put_aside(self, reason: str) -> None:
        """Count a feature that did not go in."""
        ...

    def notes(self) -> QualityNotes:
        """Return the report, once everything has been taken in."""
        ...


def with_validity(attributes: str, codes: tuple[str, ...]) -> str:
    """Return the JSON of an object's attributes with the mark of what is wrong with its geometry."""
    mark = orjson.dumps({VALIDITY_ATTRIBUTE: {"v": " ".join(codes), "q": "modelled", "m": VALIDITY_METHOD}}).decode()
    return mark if attributes == "{}" else f"{attributes[:-1]},{mark[1:]}"
