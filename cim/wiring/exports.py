"""A collection as a file for other programs: from the city that is open here, or from the server that has it open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Annotated, Literal, Protocol

from cyclopts import Parameter

from cim.city.service import CityService
from cim.errors import InvalidInput
from cim.export import download_path
from cim.features.exports.service import ExportService
from cim.handover import Handover
from cim.networks.service import NetworkService
from cim.ports import Clock
from cim.sensing.service import SensingService
from cim.wiring.features import wire_features
from cim.wiring.schemes import Planning


class OpenCity(Protocol):
    """What is needed of a city that is open in this process."""

    @property
    def city(self) -> CityService: ...  # noqa: D102 -- named as in ``cim.main.City``
    @property
    def planning(self) -> Planning: ...  # noqa: D102
    @property
    def networks(self) -> NetworkService: ...  # noqa: D102
    @property
    def sensing(self) -> SensingService: ...  # noqa: D102
    @property
    def clock(self) -> Clock: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of a collection is written, and as what; parameters of ``cim export``."""

    format: Literal["geoparquet", "cityjsonseq", "glb", "csv"] | None = None
    """Write the collection (default: buildings) as this instead."""
    bbox: str | None = None
    """Only what meets west,south,east,north in degrees; with --format."""
    filter: Annotated[str | None, Parameter(help="Only what meets a condition in CQL2; with --format.")] = None
    ids: str | None = None
    """Only the objects of these ids, with commas between them; with --format."""
    scheme: str | None = None
    """The city as this scheme would have it; with --format."""

    def parts(self, source: OpenCity | Handover, collection: str, version: str) -> Iterator[bytes] | None:
        """Return the file part by part, ``None`` where no format is chosen; raises :class:`InvalidInput`."""
        asked = {one.name: value for one in fields(self) if (value := getattr(self, one.name)) is not None}
        if self.format is None:
            if asked:
                raise InvalidInput(f"--{next(iter(asked))} goes with --format.", code="usage")
            return None
        if isinstance(source, Handover):
            return source.stream(download_path(collection, asked))
        _, features = wire_features(
            *(source.city, source.planning, source.networks.networks, lambda: source.sensing.datastreams),
            version=version,
            clock=source.clock,
        )
        return ExportService(features).export(collection, [*asked.items()]).parts
