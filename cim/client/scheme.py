"""A scheme: its edits as typed functions, its indicators and findings as tables.

Places are longitude and latitude in degrees (WGS 84), lengths metres.  Every edit is durable when its
function returns, and says what it found on the ground (:attr:`Scheme.findings_of_last_edit`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from cim.client import tables
from cim.client.connection import Connection

LonLat = tuple[float, float]
POLL_S: Final = 0.1


class Scheme:
    """A branch of the city; ``summary`` is as the server last told it."""

    def __init__(self, connection: Connection, summary: Mapping[str, Any]) -> None:
        self._connection = connection
        self.summary: dict[str, Any] = dict(summary)
        self.findings_of_last_edit: list[dict[str, Any]] = []

    @property
    def id(self) -> str:
        """The scheme's id, the same in every path."""
        return str(self.summary["id"])

    def __repr__(self) -> str:
        """Name the scheme and how far it is."""
        return f"<Scheme {self.id} {self.summary['name']['en']!r}: {self.summary['edit_count']} edits>"

    @property
    def _path(self) -> str:
        return f"/api/v1/schemes/{self.id}"

    def edit(
        self, kind: str, target: str | None = None, *, phase_year: int | None = None, **params: Any
    ) -> dict[str, Any]:
        """Make an edit of any kind and return it; raises ``CityProblem`` if it is refused or no longer fits."""
        body: dict[str, Any] = {"kind": kind, "params": params}
        if target is not None:
            body["target"] = target
        if phase_year is not None:
            body["phase_year"] = phase_year
        return self._done(self._connection.post(f"{self._path}/edits", body))

    def _done(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        self.summary = dict(answer["scheme"])
        self.findings_of_last_edit = list(answer["findings"])
        edit: dict[str, Any] = answer["edit"]
        return edit

    def add_building(
        self, outline: Sequence[LonLat], *, storeys: int, use: str, storey_m: float = 3.2, phase_year: int | None = None
    ) -> str:
        """Put a building on an outline and return its id."""
        stack = [[storey_m, use]] * storeys
        edit = self.edit("building.add", phase_year=phase_year, footprint=polygon(outline), storeys=stack)
        return str(edit["targets"][0])

    def add_massing(
        self,
        form: str,
        at: LonLat,
        *,
        numbers: Mapping[str, float] | None = None,
        use: str = "residential",
        bearing_deg: float = 0.0,
        phase_year: int | None = None,
    ) -> list[str]:
        """Put a form of the massing library on a place and return the ids of its buildings."""
        edit = self.edit(
            "massing.add",
            phase_year=phase_year,
            form=form,
            anchor=list(at),
            numbers=dict(numbers or {}),
            use=use,
            bearing_deg=bearing_deg,
        )
        return list(edit["targets"])

    def demolish(self, building: str) -> None:
        """Take a building away."""
        self.edit("building.demolish", building)

    def set_height(self, building: str, height_m: float) -> None:
        """Pull a building up or push it down to a height, in whole storeys of its own storey height."""
        self.edit("building.height", building, height_m=height_m)

    def set_storeys(self, building: str, storeys: int) -> None:
        """Give a building a number of storeys."""
        self.edit("building.storeys", building, count=storeys)

    def set_use(self, building: str, use: str, storeys: Sequence[int] | None = None) -> None:
        """Change the use of a building, or of some of its storeys (0 is the lowest)."""
        some: dict[str, Any] = {} if storeys is None else {"levels": list(storeys)}
        self.edit("building.use", building, use=use, **some)

    def set_land_use(self, parcel: str, land_use: str) -> None:
        """Paint a parcel with a land use."""
        self.edit("parcel.land_use", parcel, land_use=land_use)

    def add_park(self, outline: Sequence[LonLat]) -> str:
        """Plant a park on an outline and return its id."""
        return str(self.edit("park.add", footprint=polygon(outline))["targets"][0])

    def close_street(self, street: str) -> None:
        """Close a street to cars."""
        self.edit("street.close", street)

    def undo(self) -> dict[str, Any]:
        """Take the last edit back; it stays in the log."""
        return self._done(self._connection.post(f"{self._path}/undo"))

    def redo(self) -> dict[str, Any]:
        """Make the last edit that was taken back again."""
        return self._done(self._connection.post(f"{self._path}/redo"))

    def edits(self) -> pd.DataFrame:
        """Return the log: one row per edit, what it changed and who made it."""
        items = self._connection.get(f"{self._path}/edits")["items"]
        columns = ["sequence", "kind", "targets", "author", "at", "phase_year", "undone"]
        return tables.table(items, columns).set_index("sequence")

    def indicators(self, *, against: str = "base", wait_s: float = 30.0) -> pd.DataFrame:
        """Return all indicators of the newest edit, waiting for those that are not ready yet.

        After ``wait_s`` seconds the rest stays as it is, its ``state`` saying so.
        """
        until = time.monotonic() + wait_s
        while True:
            document = self._connection.get(f"{self._path}/impact", against=against)
            items = document["items"]
            settled = all(item["state"] != "pending" and item["sequence"] >= self.summary["head"] for item in items)
            if (items and settled) or time.monotonic() > until:
                return tables.readings(items)
            time.sleep(POLL_S)

    def findings(self) -> pd.DataFrame:
        """Return what is to be judged: rule, verdict, measured value, limit, margin, object."""
        return tables.table(self._connection.get(f"{self._path}/findings")["items"], tables.FINDING_COLUMNS)

    def sun_losers(self) -> pd.DataFrame:
        """Return the neighbours that lose direct sun, hours before and after."""
        return tables.table(self._connection.get(f"{self._path}/light")["losers"], tables.LOSER_COLUMNS)

    def diff(self, against: str = "base") -> pd.DataFrame:
        """Return every field that differs from the base or from another scheme."""
        items = self._connection.get(f"{self._path}/diff", against=against)["items"]
        return tables.table(items, ["target", "type", "field", "before", "after"])

    def merge(self, other: Scheme | str, choices: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Bring another scheme's edits in; conflicts come back unresolved until ``choices`` settle them."""
        source = other.id if isinstance(other, Scheme) else other
        body = {"from": source, "choices": dict(choices or {})}
        answer: dict[str, Any] = self._connection.post(f"{self._path}/merge", body)
        self.refresh()
        return answer

    def publish(self) -> int:
        """Publish the scheme as it is and return the number under which it can be cited."""
        version = int(self._connection.post(f"{self._path}/publish")["version"])
        self.refresh()
        return version

    def withdraw(self) -> None:
        """Take the scheme back from the public; its versions stay citable."""
        self._connection.post(f"{self._path}/withdraw")
        self.refresh()

    def refresh(self) -> None:
        """Read the scheme's summary again."""
        self.summary = self._connection.get(self._path)


def polygon(outline: Sequence[LonLat]) -> dict[str, Any]:
    """Return an outline as a GeoJSON polygon, closed and counter-clockwise (RFC 7946, 3.1.6)."""
    ring = [list(point) for point in outline]
    if ring and ring[0] == ring[-1]:
        ring.pop()
    doubled = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], *ring[:1]], strict=True))
    if doubled < 0:
        ring.reverse()
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]] if ring else []]}
