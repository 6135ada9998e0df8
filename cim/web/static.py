"""The web client: its pages, and all that they ask for under ``/assets/``.

Only files that were found under the bundle's directory have an address, so no path that a client
writes is ever joined to a directory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cim.errors import NotFound
from cim.web.cards import Card, with_card
from cim.web.encodings import SUFFIX
from cim.web.files import IMMUTABLE, REVALIDATE, FileEntry, FileSender, digest_of, media_type_of
from cim.web.routes import PlainRoute

PAGES: Final = {
    "/explore": "explore.html",
    "/plan": "plan.html",
    "/plan/report": "report.html",
    "/jobs/{job_id}/quality": "quality.html",
    "/table": "table.html",
    "/upload": "upload.html",
    "/docs": "docs.html",
    "/embed": "embed.html",
}
"""Files of the bundle by the address of their page; what stands in braces the page reads itself."""
START_PAGE: Final = "/explore"
NAMED_ASSETS: Final = frozenset({"assets/cim-viewer.js"})
"""Assets whose name does not change with what is in them: other sites write it down."""

CardOf = Callable[[Mapping[str, str], str], Card | None]
"""Returns what a link with some query tells of itself; the second is the server's own address."""

MISSING_PAGE: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>The pages are not built</title></head>
<body>
<main>
<h1>The pages are not built yet</h1>
<p>The server runs, but its web client has not been built. Run <code>make demo</code> in the checkout, or
<code>npm run build</code> in <code>viewer/web</code>, then reload this page.</p>
<p lang="zh">服务器已运行，但网页尚未构建。请在仓库中运行 <code>make demo</code>，或在 <code>viewer/web</code>
中运行 <code>npm run build</code>，然后刷新本页。</p>
<p><a href="/ogc?f=json">OGC API Features</a> · <a href="/api/v1/health">/api/v1/health</a> ·
<a href="/openapi.json">/openapi.json</a></p>
</main>
</body>
</html>
"""


class Bundle:
    """The built client: an index from addresses to files, read again when the directory changes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stamp: tuple[int, ...] | None = None
        self._entries: dict[str, FileEntry] = {}

    def entry(self, address: str) -> FileEntry | None:
        """Return the file at an address such as ``explore.html`` or ``assets/x.js``."""
        stamp = self._changed()
        if stamp != self._stamp:
            self._entries = self._scan()
            self._stamp = stamp
        return self._entries.get(address)

    def _changed(self) -> tuple[int, ...]:
        """Return what differs after a build: the directories' times (a build replaces their files)."""
        try:
            return tuple(path.stat().st_mtime_ns for path in (self._root, self._root / "assets"))
        except FileNotFoundError:
            return ()

    def _scan(self) -> dict[str, FileEntry]:
        entries = {}
        for path in self._root.rglob("*") if self._root.is_dir() else ():
            if path.suffix in SUFFIX.values() or path.is_symlink() or not path.is_file():
                continue
            address = path.relative_to(self._root).as_posix()
            entries[address] = FileEntry(
                path=path,
                digest=digest_of(path),
                media_type=media_type_of(path.name),
                cache_control=_cache_control(address),
            )
        return entries


def _cache_control(address: str) -> str:
    return IMMUTABLE if address.startswith("assets/") and address not in NAMED_ASSETS else REVALIDATE


def static_routes(root: Path, sender: FileSender, card_of: CardOf | None = None) -> list[PlainRoute]:
    """Return the routes of the pages and of their assets; ``root`` is the built bundle."""
    bundle = Bundle(root)

    async def start(_request: Request) -> Response:
        return RedirectResponse(START_PAGE, status_code=302)

    async def page(request: Request) -> Response:
        entry = await run_sync(bundle.entry, PAGES[request.scope["route"].path])
        if entry is None:
            return Response(
                MISSING_PAGE,
                status_code=503,
                media_type="text/html; charset=utf-8",
                headers={"Cache-Control": "no-store", "Retry-After": "10"},
            )
        if card_of is not None and request.url.path == START_PAGE and request.query_params:
            card = await run_sync(card_of, request.query_params, f"{request.url.scheme}://{request.url.netloc}")
            if card is not None:
                content = await run_sync(entry.path.read_text, "utf-8")
                return HTMLResponse(with_card(content, card), headers={"Cache-Control": REVALIDATE})
        return await sender.answer(request, entry)

    async def asset(request: Request) -> Response:
        entry = await run_sync(bundle.entry, f"assets/{request.path_params['path']}")
        if entry is None:
            raise NotFound("There is no such asset.", hint="Reload the page: it may have been built anew.")
        return await sender.answer(request, entry)

    async def at_root(request: Request) -> Response:
        entry = await run_sync(bundle.entry, request.url.path.strip("/"))
        if entry is None:
            raise NotFound("There is no such file.")
        return await sender.answer(request, entry)

    return [
        PlainRoute("/", start),
        *(PlainRoute(address, page) for address in PAGES),
        PlainRoute("/assets/{path:path}", asset),
        PlainRoute("/favicon.ico", at_root),
        PlainRoute("/favicon.svg", at_root),
    ]
