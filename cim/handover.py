"""Speaking to the server that owns a data directory: one process writes, the others ask it to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import httpx
import numpy as np
import orjson

from cim.db.directory import DataDirectory, ServerAddress
from cim.errors import Unavailable
from cim.export import body_of
from cim.sensing.model import ObservationBatch

POLL_S: Final = 0.3
TIMEOUT_S: Final = 30.0
ENDED: Final = frozenset({"succeeded", "failed", "cancelled", "interrupted"})


class Handover:
    """A client of the running server, on the same machine, with its token."""

    def __init__(self, server: ServerAddress) -> None:
        self.server = server
        self._client = httpx.Client(
            base_url=server.address,
            headers={"Authorization": f"Bearer {server.token}"},
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    def run(
        self, kind: str, params: Mapping[str, object], title: str, on_change: Callable[[Mapping[str, Any]], None]
    ) -> Mapping[str, Any]:
        """Have a job run by the server and wait for its end; Ctrl-C cancels it there."""
        job: Mapping[str, Any] = self._ask(
            "POST", "/api/v1/jobs", {"kind": kind, "params": dict(params), "title": title}
        )
        while job["state"] not in ENDED:
            try:
                time.sleep(POLL_S)
                job = self._ask("GET", f"/api/v1/jobs/{job['id']}")
                on_change(job)
            except KeyboardInterrupt:
                self._ask("POST", f"/api/v1/jobs/{job['id']}/cancel", {})
        return job

    def replay(self, batches: Iterable[ObservationBatch], speed: float, sleep: Callable[[float], None]) -> int:
        """Send observations instant by instant, ``speed`` times as fast as they were; return how many."""
        sent, before = 0, None
        for batch in batches:
            times = batch.phenomenon_times
            for instant in np.unique(times):
                if before is not None and instant > before:
                    sleep(float((instant - before) / np.timedelta64(1, "us")) / 1e6 / speed)
                before = instant
                rows = np.flatnonzero(times == instant).tolist()
                stamp = f"{np.datetime_as_string(instant, unit='us')}Z"
                items = [{"id": batch.datastream_ids[row], "t": stamp, "v": float(batch.results[row])} for row in rows]
                self._ask("POST", "/api/v1/observations", {"items": items})
                sent += len(items)
        return sent

    def read(self, path: str) -> bytes:
        """Return the body behind a path; a server that asks for patience gets it."""
        while (answer := self._send("GET", path)).status_code == httpx.codes.TOO_MANY_REQUESTS:
            time.sleep(POLL_S)
        return body_of(answer)

    def stream(self, path: str) -> Iterator[bytes]:
        """Yield the body behind a path as it comes; it may take as long as it needs between two parts."""
        try:
            with self._client.stream("GET", path, timeout=None) as answer:
                if answer.is_error:
                    answer.read()
                    body_of(answer)
                yield from answer.iter_bytes()
        except httpx.HTTPError as error:
            raise self._silent() from error

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        return orjson.loads(body_of(self._send(method, path, body)))

    def _send(self, method: str, path: str, body: object = None) -> httpx.Response:
        try:
            return self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise self._silent() from error

    def _silent(self) -> Unavailable:
        return Unavailable(
            "The server that owns the city does not answer.",
            hint="Look at its log, or stop it and run the command again.",
            address=self.server.address,
        )


def running_server(directory: DataDirectory) -> Handover | None:
    """Return a client of the server that owns a data directory, ``None`` where none runs."""
    address = directory.read_address()
    return None if address is None else Handover(address)
