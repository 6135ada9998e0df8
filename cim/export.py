"""Gather what a view draws, and the features of a collection, from the addresses that clients use.

``read`` returns the body behind a path of the server, and raises a :class:`~cim.errors.CimError`
where there is none: from the application in this process, or from the server that owns the city.
"""

from __future__ import annotations

import asyncio
import errno
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
import orjson
from starlette.types import ASGIApp

from cim.errors import CimError, IntegrityError, InvalidInput, StorageFull
from cim.features.model import LIMIT_MAX

Read = Callable[[str], bytes]
CheckSize = Callable[[int], None]

TILESETS_DEEP_MAX: Final = 8
"""External tilesets within each other."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A view: its specification, its city, its sensors, and the files by their paths."""

    spec: Mapping[str, Any]
    city: Mapping[str, Any]
    datastreams: list[dict[str, Any]]
    files: Mapping[str, bytes]


class _Files:
    """Files by path; told of every byte, ``check_size`` may refuse."""

    def __init__(self, read: Read, check_size: CheckSize) -> None:
        self.held: dict[str, bytes] = {}
        self._read = read
        self._check_size = check_size
        self._size_bytes = 0

    def read(self, path: str) -> bytes:
        return self.hold(path, self._read(path))

    def hold(self, path: str, content: bytes) -> bytes:
        self._size_bytes += len(content)
        self._check_size(self._size_bytes)
        self.held[path] = content
        return content


def gather_view(read: Read, view: str, check_size: CheckSize) -> Gathered:
    """Return a view and every file that it draws.

    ``check_size`` is told the bytes so far and raises where they are too many.
    """
    spec = orjson.loads(read(f"/api/v1/views/{quote(view, safe='')}.json"))
    files = _Files(read, check_size)
    for layer in spec["layers"]:
        hints = layer.get("cim", {})
        for path in (layer["data"], hints.get("nodes"), hints.get("heights")):
            if path is None or path in files.held:
                continue
            if path.endswith("/tileset.json"):
                _gather_tiles(files, path, 0)
            elif path == hints.get("heights"):
                files.read(path)
            else:
                features = b",".join(_feature_pages(read, path))
                files.hold(path, b'{"type":"FeatureCollection","features":[' + features + b"]}")
    city = orjson.loads(read("/api/v1/city"))
    return Gathered(spec, city, orjson.loads(read("/api/v1/datastreams"))["items"], files.held)


def collection_geojson(read: Read, name: str) -> Iterator[bytes]:
    """Yield a whole collection as one GeoJSON document (RFC 7946), in parts, one page in memory at a time."""
    about = orjson.loads(read(f"/ogc/collections/{quote(name, safe='')}"))
    named = {"name": name, "title": about.get("title", name), "attribution": about.get("attribution", "")}
    head = orjson.dumps({"type": "FeatureCollection", **{key: value for key, value in named.items() if value}})
    yield head[:-1] + b',"features":['
    between = b""
    for page in _feature_pages(read, f"/ogc/collections/{quote(name, safe='')}/items?limit={LIMIT_MAX}"):
        yield between + page
        between = b","
    yield b"]}\n"


def download_path(name: str, asked: Mapping[str, str]) -> str:
    """Return where the server offers a collection as a file."""
    return f"/api/v1/export/{quote(name, safe='')}?{urlencode(asked)}"


def _gather_tiles(files: _Files, path: str, depth: int) -> None:
    """Hold a tileset and all that it leads to."""
    if depth > TILESETS_DEEP_MAX:
        raise IntegrityError("A tileset leads to itself.", hint="Run: cim tiles build", code="tiles-unsound")
    pending = [orjson.loads(files.read(path))["root"]]
    while pending:
        tile = pending.pop()
        pending.extend(tile.get("children", ()))
        contents = [tile["content"]] if "content" in tile else tile.get("contents", [])
        for content in contents:
            found = posixpath.normpath(posixpath.join(posixpath.dirname(path), content["uri"]))
            if found in files.held:
                continue
            if found.endswith(".json"):
                _gather_tiles(files, found, depth + 1)
            else:
                files.read(found)


def _feature_pages(read: Read, path: str) -> Iterator[bytes]:
    """Yield the features of a collection, page by page, without the brackets around a page; no empty page."""
    while True:
        page = orjson.loads(read(path))
        if not page["features"]:
            return
        yield orjson.dumps(page["features"])[1:-1]
        following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        if following is None:
            return
        path = urlsplit(following)._replace(scheme="", netloc="").geturl()


@contextmanager
def reading(app: ASGIApp) -> Iterator[Read]:
    """Read from an application in this process, without a socket; what runs beside its requests is not started."""
    transport = httpx.ASGITransport(app=app)
    client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", trust_env=False)
    with asyncio.Runner() as runner:
        yield lambda path: body_of(runner.run(client.get(path)))
        runner.run(client.aclose())


def body_of(answer: httpx.Response) -> bytes:
    """Return the body of an answer; raises the problem in it as a :class:`CimError`."""
    if answer.is_error:
        problem = answer.json()
        raise CimError(
            str(problem.get("detail", "The server refused.")),
            hint=str(problem.get("hint", "")),
            code=str(problem.get("code", "unavailable")),
        )
    return answer.content


def write_whole(out: Path, parts: Iterable[bytes]) -> int:
    """Write a file that is there whole or not at all; return its bytes.

    Raises :class:`InvalidInput` where it cannot be written, :class:`StorageFull`.
    """
    if not out.absolute().parent.is_dir():
        raise InvalidInput(f"There is no folder {out.absolute().parent}.", hint="Make it first.", code="no-folder")
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with unfinished.open("xb") as file:
            file.writelines(parts)
        size_bytes = unfinished.stat().st_size
        unfinished.replace(out)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageFull("The disk is full; nothing was written.", hint="Make room and try again.") from error
        raise InvalidInput(f"{out} cannot be written.", hint="Check who may write there.", code="no-write") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return size_bytes
