"""Answers made of files: validator, twin (``x.br``, ``x.gz``) by Accept-Encoding, 304, HEAD.

Where no twin lies beside a file one is made on first request and kept in memory.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import brotli
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from cim.web.encodings import SUFFIX, Coding, choose_coding, encode, entity_tag, has_entity, is_compressible

IMMUTABLE: Final = "public, max-age=31536000, immutable"
REVALIDATE: Final = "no-cache"

TWIN_CACHE_BYTES_MAX: Final = 64 * 1024 * 1024
TWIN_BYTES_MIN: Final = 1_024
"""Smaller files are sent as they are."""

_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".glb": "model/gltf-binary",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


def media_type_of(name: str) -> str:
    """Return the media type of a file name; the machine's own table is asked last."""
    suffix = Path(name).suffix.lower()
    return _MEDIA_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file that may be sent; ``digest`` identifies its content.

    Of one that is ``packed`` only its brotli twin is kept, and that is what ``path`` names.
    """

    path: Path
    digest: str
    media_type: str
    cache_control: str
    packed: bool = False

    def content(self) -> bytes:
        """Return the content as it was before any coding."""
        kept = self.path.read_bytes()
        return brotli.decompress(kept) if self.packed else kept


def digest_of(path: Path) -> str:
    """Return the first 16 hex digits of a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


class FileSender:
    """Sends files; holds the twins that it had to make."""

    def __init__(self, cache_bytes_max: int = TWIN_CACHE_BYTES_MAX) -> None:
        self._cache_bytes_max = cache_bytes_max
        self._made: OrderedDict[tuple[str, Coding], bytes] = OrderedDict()
        self._made_bytes = 0

    async def answer(self, request: Request, entry: FileEntry) -> Response:
        """Return the answer to a GET or HEAD of a file; raises :class:`FileNotFoundError` if it is gone."""
        coding = choose_coding(request.headers.get("accept-encoding", "")) if self._may_encode(entry) else None
        etag = entity_tag(entry.digest, coding)
        headers = {"ETag": etag, "Cache-Control": entry.cache_control}
        if is_compressible(entry.media_type):
            headers["Vary"] = "Accept-Encoding"
        if has_entity(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        body = await run_sync(self._read, entry, coding)
        if coding:
            headers["Content-Encoding"] = coding
        return Response(body, media_type=None, headers={**headers, "Content-Type": entry.media_type})

    def _may_encode(self, entry: FileEntry) -> bool:
        if not is_compressible(entry.media_type):
            return False
        return entry.packed or entry.path.stat().st_size >= TWIN_BYTES_MIN

    def _read(self, entry: FileEntry, coding: Coding | None) -> bytes:
        if coding is None:
            return entry.content()
        if entry.packed:
            return entry.path.read_bytes() if coding == "br" else self._make(entry, coding)
        twin = entry.path.with_name(entry.path.name + SUFFIX[coding])
        if twin.is_file():
            return twin.read_bytes()
        return self._make(entry, coding)

    def _make(self, entry: FileEntry, coding: Coding) -> bytes:
        key = (entry.digest, coding)
        kept = self._made.get(key)
        if kept is not None:
            return kept
        made = encode(entry.content(), coding)
        self._made[key] = made
        self._made_bytes += len(made)
        while self._made_bytes > self._cache_bytes_max and self._made:
            self._made_bytes -= len(self._made.popitem(last=False)[1])
        return made
