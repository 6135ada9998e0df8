"""A city that somebody serves: its facts, its objects, its schemes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pandas as pd

from cim.client import tables
from cim.client.connection import Connection
from cim.client.job import Job
from cim.client.scheme import Scheme

PAGE_ITEMS = 10_000
"""Features that one request brings; the server's own limit."""
MODEL_TYPES = {".glb": "model/gltf-binary", ".json": "application/city+json"}


def open_city(
    address: str = "http://127.0.0.1:8000",
    token: str | None = None,
    *,
    author: str = "",
    http: httpx.Client | None = None,
) -> City:
    """Open the city that a server shows at ``address``; editing needs the planner's ``token``.

    ``author`` is the name that edits are signed with.  Raises
    :class:`~cim.client.connection.CityProblem` (``unreachable``) where no server answers.
    """
    return City(Connection(address, token, author, http=http))


class City:
    """One city; a context manager that closes its connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.summary: dict[str, Any] = connection.get("/api/v1/city")

    def __enter__(self) -> Self:
        """Return the city."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __repr__(self) -> str:
        """Name the city and its baseline."""
        return f"<City {self.summary['slug']} at baseline {self.summary['baseline_version']}>"

    def object(self, identifier: str) -> dict[str, Any]:
        """Return the card of an object: each fact with unit, quality, interval and source."""
        found: dict[str, Any] = self._connection.get(f"/api/v1/objects/{quote(identifier, safe='')}")
        return found

    def search(self, text: str, limit: int = 10) -> pd.DataFrame:
        """Return what answers a search, best first: id, type, name, detail, centroid (lon, lat)."""
        found = self._connection.get("/api/v1/search", q=text, limit=limit)
        return tables.table(found["items"], ["id", "type", "name", "detail", "centroid"])

    def features(
        self,
        collection: str = "buildings",
        *,
        bbox: Sequence[float] | None = None,
        where: str | None = None,
        scheme: str | None = None,
    ) -> pd.DataFrame:
        """Return a collection as a table, as the city is or as a scheme makes it.

        ``bbox`` is west, south, east, north; ``where`` a condition in CQL2, such as ``height_m > 20``.
        """
        root = "/ogc" if scheme is None else f"/s/{scheme}/ogc"
        box = None if bbox is None else ",".join(str(value) for value in bbox)
        path = f"{root}/collections/{collection}/items"
        pages, cursor = [], None
        while True:
            page = self._connection.get(path, bbox=box, filter=where, limit=PAGE_ITEMS, cursor=cursor)
            pages.extend(page["features"])
            following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
            if following is None:
                return tables.features({"features": pages})
            cursor = parse_qs(urlsplit(following).query)["cursor"][0]

    def indicators(self) -> pd.DataFrame:
        """Return what can be asked of a scheme: id, unit, method, quality, and which way is better."""
        found = self._connection.get("/api/v1/indicators")
        return tables.table(found["items"], ["id", "unit", "method", "quality", "better", "inputs"]).set_index("id")

    def massings(self) -> pd.DataFrame:
        """Return the forms of the massing library with their numbers."""
        found = self._connection.get("/api/v1/massings")
        return tables.table(found["items"], ["id", "title", "params"]).set_index("id")

    def schemes(self, language: str = "en") -> pd.DataFrame:
        """Return the schemes that this token may see, one row each."""
        return tables.schemes(self._connection.get("/api/v1/schemes")["items"], language)

    def scheme(self, identifier: str) -> Scheme:
        """Return a scheme by its id; raises ``CityProblem`` for one that is not there."""
        return Scheme(self._connection, self._connection.get(f"/api/v1/schemes/{identifier}"))

    def branch(self, name: str, *, zh: str | None = None, parent: str = "base") -> Scheme:
        """Begin a scheme on the city as it is, or on another scheme."""
        names = {"en": name, "zh": zh or name}
        return Scheme(self._connection, self._connection.post("/api/v1/schemes", {"name": names, "parent": parent}))

    def compare(self, schemes: Sequence[str | Scheme]) -> pd.DataFrame:
        """Return one row per indicator and one column per scheme; ``"base"`` is the city as it is."""
        ids = [scheme.id if isinstance(scheme, Scheme) else scheme for scheme in schemes]
        return tables.comparison(self._connection.get("/api/v1/compare", schemes=",".join(ids)))

    def jobs(self) -> pd.DataFrame:
        """Return the server's jobs, newest first, indexed by their ids."""
        return tables.table(self._connection.get("/api/v1/jobs")["items"], tables.JOB_COLUMNS).set_index("id")

    def job(self, identifier: str) -> Job:
        """Return a job by its id: its reports, and taking it back; raises ``CityProblem`` for one that is not there."""
        return Job(self._connection, self._connection.get(f"/api/v1/jobs/{quote(identifier, safe='')}"))

    def upload_model(self, path: Path) -> dict[str, Any]:
        """Send a glTF (.glb) or CityJSON model to be placed by schemes; return its id, size and height."""
        media_type = MODEL_TYPES.get(path.suffix.lower(), "application/octet-stream")
        found: dict[str, Any] = self._connection.upload("/api/v1/models", path.read_bytes(), media_type)
        return found
