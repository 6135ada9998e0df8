"""OGC API - Features over HTTP: ``/ogc`` for the city as it is, ``/s/{scheme}/ogc`` for a scheme.

The scheme is in the path, because desktop clients build addresses anew and drop query parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from cim.features import geojson
from cim.features.links import GEOJSON, HTML, Addresses
from cim.features.model import CRS84
from cim.features.pages import page
from cim.features.service import Answer, FeatureService, Pairs
from cim.web.encodings import accept_weights, has_entity
from cim.web.routes import PlainRoute

BASE_SCHEME: Final = "base"
_JSON_TYPES: Final = ("application/json", GEOJSON, "application/vnd.oai.openapi+json")

Asked = Callable[[FeatureService, Request, str, Addresses, Pairs, bool], Answer]


def wants_html(accept: str, format_: str | None) -> bool:
    """Tell whether the page is preferred to JSON: ``f`` decides, then the Accept header, then JSON."""
    if format_ is not None:
        return format_ == "html"
    weights = accept_weights(accept)
    html = weights.get(HTML, 0.0)
    return html > max(weights.get(type_, 0.0) for type_ in _JSON_TYPES)


def feature_routes(service: FeatureService) -> list[PlainRoute]:
    """Return the routes at both mounts."""
    asked: dict[str, Asked] = {
        "": lambda service, _r, scheme, at, pairs, html: service.landing(scheme, at, pairs, as_html=html),
        "/": lambda service, _r, scheme, at, pairs, html: service.landing(scheme, at, pairs, as_html=html),
        "/conformance": lambda service, _r, scheme, at, pairs, html: service.conformance(
            scheme, at, pairs, as_html=html
        ),
        "/api": lambda service, _r, scheme, at, pairs, _html: service.api(scheme, at, pairs),
        "/collections": lambda service, _r, scheme, at, pairs, html: service.collections(
            scheme, at, pairs, as_html=html
        ),
        "/collections/{name}": lambda service, r, scheme, at, pairs, html: service.collection(
            scheme, r.path_params["name"], at, pairs, as_html=html
        ),
        "/collections/{name}/items": lambda service, r, scheme, at, pairs, html: service.items(
            scheme, r.path_params["name"], at, pairs, as_html=html
        ),
        "/collections/{name}/items/{feature_id:path}": lambda service, r, scheme, at, pairs, html: service.item(
            scheme, r.path_params["name"], r.path_params["feature_id"], at, pairs, as_html=html
        ),
    }
    return [
        PlainRoute(f"{mount}{path}", _endpoint(service, ask))
        for mount in ("/ogc", "/s/{scheme}/ogc")
        for path, ask in asked.items()
    ]


def _endpoint(service: FeatureService, ask: Asked) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        scheme = request.path_params.get("scheme")
        mount = "/ogc" if scheme is None else f"/s/{scheme}/ogc"
        root = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
        as_html = wants_html(request.headers.get("accept", ""), request.query_params.get("f"))
        asked = service.asked_by(request.headers.get("authorization", ""))
        revision = await run_sync(asked.revision, scheme or BASE_SCHEME)
        # Weak: the time of the answer and the spaces between members may differ.
        headers = {"Cache-Control": "no-cache", "Vary": "Accept, Authorization", "ETag": f'W/"{revision}"'}
        if has_entity(request.headers.get("if-none-match"), f'"{revision}"'):
            return Response(status_code=304, headers=headers)
        body, media_type = await run_sync(
            _answer, asked, ask, request, scheme or BASE_SCHEME, Addresses(root + mount), as_html
        )
        headers["Content-Type"] = media_type
        if media_type == GEOJSON:
            headers["Content-Crs"] = f"<{CRS84}>"
        return Response(body, headers=headers)

    return endpoint


def _answer(
    service: FeatureService, ask: Asked, request: Request, scheme: str, addresses: Addresses, as_html: bool
) -> tuple[bytes, str]:
    answer = ask(service, request, scheme, addresses, request.query_params.multi_items(), as_html)
    if as_html:
        return page(answer.title, answer.document), f"{HTML}; charset=utf-8"
    return geojson.encode(answer.document), answer.media_type
