"""OGC API - Features over HTTP: ``/ogc`` for the city as it is, ``/s/{scheme}/ogc`` for a scheme.

The scheme is in the path, because desktop clients build addresses anew and drop query parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from cim.features import geojson
from cim.features.exports.api import export_routes
from cim.features.links import CITYJSON, CITYJSONSEQ, GEOJSON, HTML, SCHEMA, TILEJSON, Addresses
from cim.features.pages import page
from cim.features.service import Answer, FeatureService, Pairs
from cim.web.encodings import accept_weights, has_entity
from cim.web.routes import PlainRoute

BASE_SCHEME: Final = "base"
_JSON_TYPES: Final = ("application/json", GEOJSON, SCHEMA, "application/vnd.oai.openapi+json")

Asked = Callable[[FeatureService, Request, str, Addresses, Pairs, str], Answer]

_MEDIA: Final[Mapping[str, Collection[str]]] = {
    "json": _JSON_TYPES,
    "html": (HTML,),
    "cityjson": (CITYJSON,),
    "cityjsonseq": (CITYJSONSEQ,),
    "tilejson": (TILEJSON,),
}


def wanted_format(accept: str, format_: str | None) -> str:
    """Return the format that is wanted: ``f`` decides, then the Accept header, then it is JSON."""
    if format_ is not None:
        return format_
    weights = accept_weights(accept)
    best, most = "json", max(weights.get(type_, 0.0) for type_ in _JSON_TYPES)
    for name, types in _MEDIA.items():
        weight = max(weights.get(type_, 0.0) for type_ in types)
        if weight > most:
            best, most = name, weight
    return best


def feature_routes(service: FeatureService) -> list[PlainRoute]:
    """Return the routes at both mounts."""
    asked: dict[str, Asked] = {
        "": lambda s, _r, scheme, at, pairs, form: s.landing(scheme, at, pairs, as_html=form == "html"),
        "/": lambda s, _r, scheme, at, pairs, form: s.landing(scheme, at, pairs, as_html=form == "html"),
        "/conformance": lambda s, _r, scheme, at, pairs, form: s.conformance(scheme, at, pairs, as_html=form == "html"),
        "/api": lambda s, _r, scheme, at, pairs, _form: s.api(scheme, at, pairs),
        "/collections": lambda s, _r, scheme, at, pairs, form: s.collections(scheme, at, pairs, as_html=form == "html"),
        "/collections/{name}": lambda s, r, scheme, at, pairs, form: s.collection(
            scheme, r.path_params["name"], at, pairs, as_html=form == "html"
        ),
        "/collections/{name}/queryables": lambda s, r, scheme, at, pairs, _form: s.queryables(
            scheme, r.path_params["name"], at, pairs
        ),
        "/collections/{name}/tiles": lambda s, r, scheme, at, pairs, form: s.tilesets(
            scheme, r.path_params["name"], at, pairs, as_html=form == "html"
        ),
        "/collections/{name}/tiles/WebMercatorQuad": lambda s, r, scheme, at, pairs, form: s.tileset(
            scheme, r.path_params["name"], at, pairs, form=form
        ),
        "/collections/{name}/tiles/WebMercatorQuad/{z}/{y}/{x}": lambda s, r, scheme, _at, pairs, _form: s.tile(
            scheme,
            r.path_params["name"],
            (r.path_params["z"], r.path_params["y"], r.path_params["x"]),
            pairs,
        ),
        "/collections/{name}/items": lambda s, r, scheme, at, pairs, form: s.items(
            scheme, r.path_params["name"], at, pairs, form=form
        ),
        "/collections/{name}/items/{feature_id:path}": lambda s, r, scheme, at, pairs, form: s.item(
            scheme, r.path_params["name"], r.path_params["feature_id"], at, pairs, form=form
        ),
    }
    routes = [
        PlainRoute(f"{mount}{path}", _endpoint(service, ask))
        for mount in ("/ogc", "/s/{scheme}/ogc")
        for path, ask in asked.items()
    ]
    return [*routes, *export_routes(service)]


def _endpoint(service: FeatureService, ask: Asked) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        scheme = request.path_params.get("scheme")
        mount = "/ogc" if scheme is None else f"/s/{scheme}/ogc"
        root = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
        form = wanted_format(request.headers.get("accept", ""), request.query_params.get("f"))
        asked = service.asked_by(request.headers.get("authorization", ""))
        revision = await run_sync(asked.revision, scheme or BASE_SCHEME)
        # Weak: the time of the answer and the spaces between members may differ.
        headers = {"Cache-Control": "no-cache", "Vary": "Accept, Authorization", "ETag": f'W/"{revision}"'}
        if has_entity(request.headers.get("if-none-match"), f'"{revision}"'):
            return Response(status_code=304, headers=headers)
        body, answer = await run_sync(
            _answer, asked, ask, request, scheme or BASE_SCHEME, Addresses(root + mount), form
        )
        if not body:
            return Response(status_code=204, headers=headers)
        headers |= {**answer.headers, "Content-Type": answer.media_type}
        if answer.crs is not None:
            headers["Content-Crs"] = f"<{answer.crs.uri}>"
        return Response(body, headers=headers)

    return endpoint


def _answer(
    service: FeatureService, ask: Asked, request: Request, scheme: str, addresses: Addresses, form: str
) -> tuple[bytes, Answer]:
    answer = ask(service, request, scheme, addresses, request.query_params.multi_items(), form)
    if isinstance(answer.document, bytes):
        return answer.document, answer
    if form == "html":
        return page(answer.title, answer.document), replace(answer, media_type=f"{HTML}; charset=utf-8", crs=None)
    return geojson.encode(answer.document), answer
