"""The report as a PDF over HTTP: for planners, since it keeps a browser busy."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from cim.reports.model import check_wish, report_address
from cim.web.asking import Asking

Print = Callable[[str], bytes]


def reports_router(print_pdf: Print, asking: Asking) -> APIRouter:
    """Return the route of the printed report."""
    router = APIRouter(prefix="/api/v1", tags=["schemes"])

    @router.get(
        "/report.pdf", dependencies=[Depends(asking.planner)], summary="The comparison of schemes, printed to PDF"
    )
    def report(
        request: Request,
        schemes: Annotated[str, Query(max_length=400)] = "",
        lang: Annotated[str, Query(max_length=2)] = "en",
    ) -> Response:
        names = check_wish([name for name in schemes.split(",") if name], lang)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        address = report_address(_own_address(request), names, lang, token)
        headers = {"Content-Disposition": 'inline; filename="comparison.pdf"', "Cache-Control": "no-store"}
        return Response(print_pdf(address), media_type="application/pdf", headers=headers)

    return router


def _own_address(request: Request) -> str:
    """Return where this server listens: the browser runs on the same machine."""
    _, port = request.scope.get("server") or ("", None)
    return f"http://127.0.0.1:{port or 80}"
