"""What a reader gives: a stream of records, in the working CRS, one feature at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from cim.city.model import CityObject, Quarantined
from cim.city.rows import ObjectRows
from cim.findings import Finding
from cim.networks.model import Network
from cim.sensing.model import Datastream, ObservationBatch, StateSeries
from ingest.prepared import Prepare, Prepared
from tiles.crew import Crew


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What a reader is told.

    ``dataset``: slug for ids.  ``working_crs``: the city's CRS, or ``None`` when this is the first
    ingest and the reader proposes one in its :class:`SourceHeader`.  ``source_crs``: what ``--crs``
    said, which overrides the file.  ``options``: declared per reader.  ``crew``: processes that a
    reader may have decode a large file, and ``prepare`` the rows of it, if nobody wants to see them before.
    """

    dataset: str
    working_crs: str | None = None
    source_crs: str | None = None
    options: dict[str, str | int | float | bool] = field(default_factory=dict)
    crew: Crew = field(default_factory=partial(Crew, 1), compare=False)
    prepare: Prepare | None = None


@dataclass(frozen=True, slots=True)
class SourceHeader:
    """First record of every reader: what the file says of itself.

    ``dataset`` is the slug that the following records belong to (``""``: the one the reader was told),
    ``source_file`` the file inside of a folder or an archive (``""``: the path of the job).
    ``working_crs`` is the CRS in which all following records are; ``vertical_datum`` is ``None``
    where heights are above ground; ``ground`` is ``flat``,
    ``interpolated`` or ``terrain``.
    """

    title: str
    working_crs: str
    vertical_datum: str | None
    ground: str
    licence: str
    attribution: str
    reader: str
    reader_version: str
    generated: bool = False
    dataset: str = ""
    source_file: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reader is: ``done`` of ``total`` (``None``: unknown) in ``unit`` (``bytes``, ``features``)."""

    done: int
    total: int | None
    unit: str


@dataclass(frozen=True, slots=True)
class LayerNote:
    """What a reader understood of a layer; only where the option ``preview`` asks for it.

    ``mapping`` has the members of a mapping file, ``types`` what areas, lines and points become; ``crs`` is the
    source's; ``columns`` are all that it has.
    """

    layer: str
    crs: str
    features: int
    types: dict[str, str]
    mapping: dict[str, Any]
    columns: tuple[str, ...]


Record: TypeAlias = (
    SourceHeader
    | CityObject
    | ObjectRows
    | Prepared
    | Network
    | Datastream
    | ObservationBatch
    | StateSeries
    | Finding
    | Quarantined
    | LayerNote
    | Progress
)


class Reader(Protocol):
    """One format.

    ``read`` yields a :class:`SourceHeader` first.  What is wrong with one feature is yielded as
    :class:`Quarantined` and the rest goes on; what is wrong with the whole file raises
    :class:`cim.errors.InvalidInput` (``UnsupportedFormat`` when it is not that format).
    """

    name: str
    version: str

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell from the first 64 KiB, not only from the name, whether this is the format."""
        ...

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Stream the records of a file."""
        ...
