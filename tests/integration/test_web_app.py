"""The application as a whole: pages, headers, problems, limits, compression."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import brotli
import httpx
import pytest
import structlog
from fastapi import APIRouter
from starlette.responses import StreamingResponse

from tests.support.web_city import asgi_client, build_test_app, live_server, write_bundle

PATHS = ["/explore", "/api/v1/health", "/assets/main-1a2b.js", "/nope", "/api/v1/fail", "/metrics", "/openapi.json"]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    write_bundle(tmp_path / "static")
    async with asgi_client(build_test_app(tmp_path)) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "access-control-allow-origin" not in headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["object-src"] == "'none'"
    assert policy["connect-src"] == "'self' ws://127.0.0.1:8000 wss://127.0.0.1:8000"


async def test_the_start_is_the_explore_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/explore")


async def test_health(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/health")).json()
    assert answer["status"] == "ok"
    assert (answer["version"], answer["baseline_version"], answer["epoch"]) == ("0.1.0", 3, "e1")
    assert answer["uptime_s"] >= 0


async def test_views(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/views/explore.json")).json() == {"layers": []}
    assert (await client.get("/api/v1/views/other.json")).json()["code"] == "view"
    assert (await client.get("/api/v1/views/NOT-A-NAME.json")).status_code == 422


class TestProblems:
    async def test_an_unexpected_error_says_nothing_of_itself(self, client: httpx.AsyncClient) -> None:
        with structlog.testing.capture_logs() as logs:
            answer = await client.get("/api/v1/fail")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "hunter2" not in answer.text
        assert "RuntimeError" not in answer.text
        assert answer.json()["code"] == "internal"
        assert [line["incident"] for line in logs] == [answer.json()["params"]["incident"]]

    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nope", 404, "not-found"),
            ("GET", "/assets/nope.js", 404, "not-found"),
            ("DELETE", "/api/v1/health", 405, "method-not-allowed"),
            ("GET", "/api/v1/conflict", 409, "conflict"),
            ("GET", "/api/v1/numbers?count=many", 422, "invalid-input"),
            ("GET", "/tiles/base/tileset.json", 404, "tiles-not-built"),
        ],
    )
    async def test_every_refusal_is_a_problem(
        self, client: httpx.AsyncClient, method: str, path: str, status: int, code: str
    ) -> None:
        answer = await client.request(method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
        assert problem["type"] == f"urn:cim:problem:{code}"
        assert problem["title"]
        assert problem["detail"]

    async def test_validation_says_where_but_not_what_was_sent(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/api/v1/numbers?count=s3cret")
        assert answer.json()["params"]["fields"] == [{"at": "query.count", "rule": "int_parsing"}]
        assert "s3cret" not in answer.text

    async def test_the_description_says_that_errors_are_problems(self, client: httpx.AsyncClient) -> None:
        document = (await client.get("/openapi.json")).json()
        answers = document["paths"]["/api/v1/numbers"]["get"]["responses"]
        assert list(answers["422"]["content"]) == ["application/problem+json"]
        assert "HTTPValidationError" not in document["components"]["schemas"]


class TestHostAndOrigin:
    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "localhost;evil", ""])
    async def test_a_foreign_host_is_refused(self, client: httpx.AsyncClient, host: str) -> None:
        answer = await client.get("/api/v1/health", headers={"host": host})
        assert (answer.status_code, answer.json()["code"]) == (421, "host")
        assert "evil" not in answer.headers["content-security-policy"]

    async def test_a_configured_host_is_answered(self, tmp_path: Path) -> None:
        async with asgi_client(build_test_app(tmp_path, allowed_hosts="City.example, other.example")) as client:
            assert (await client.get("/api/v1/health", headers={"host": "city.example"})).status_code == 200

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 200),
            ({"origin": "http://127.0.0.1:8000"}, 200),
            ({"sec-fetch-site": "same-origin"}, 200),
            ({"origin": "http://evil.example"}, 403),
            ({"origin": "null"}, 403),
            ({"origin": "http://127.0.0.1:9000"}, 403),
            ({"sec-fetch-site": "cross-site"}, 403),
            ({"sec-fetch-site": "same-site"}, 403),
        ],
    )
    async def test_a_write_from_another_origin_is_refused(
        self, client: httpx.AsyncClient, headers: dict[str, str], status: int
    ) -> None:
        answer = await client.post("/api/v1/echo", content=b"x", headers=headers)
        assert answer.status_code == status

    async def test_reading_is_not_a_write(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/api/v1/health", headers={"origin": "http://evil.example"})
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers


class TestLimits:
    async def test_a_declared_body_over_the_limit(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/api/v1/echo", content=bytes(1_048_577))
        assert (answer.status_code, answer.json()["code"]) == (413, "body-bytes")
        assert answer.json()["params"]["limit"] == 1_048_576
        assert (await client.post("/api/v1/echo", content=bytes(1_048_576))).json() == {"bytes": 1_048_576}

    async def test_a_body_of_unknown_length_over_the_limit(self, client: httpx.AsyncClient) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield bytes(100_000)

        answer = await client.post("/api/v1/echo", content=pieces())
        assert (answer.status_code, answer.json()["code"]) == (413, "body-bytes")

    async def test_a_body_that_lies_about_its_length(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/api/v1/echo", content=b"x", headers={"content-length": "-1"})
        assert answer.status_code == 400

    async def test_a_long_address(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/api/v1/health?" + "x" * 9_000)
        assert (answer.status_code, answer.json()["code"]) == (414, "url-length")

    async def test_many_headers(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/api/v1/health", headers={f"x-{n}": "1" for n in range(120)})
        assert (answer.status_code, answer.json()["code"]) == (431, "header-count")

    async def test_large_headers(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/api/v1/health", headers={"x-large": "1" * 40_000})
        assert (answer.status_code, answer.json()["code"]) == (431, "header-bytes")

    async def test_the_rate(self, tmp_path: Path) -> None:
        async with asgi_client(build_test_app(tmp_path, rate_per_s=0.5, rate_burst=3)) as client:
            answers = [await client.get("/api/v1/health") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[3].headers["retry-after"] == "2"
        assert answers[3].json()["params"]["limit"] == 0.5


class TestStatic:
    async def test_assets_are_immutable_and_pages_are_asked_again(self, client: httpx.AsyncClient) -> None:
        asset = await client.get("/assets/main-1a2b.js")
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert asset.headers["content-type"] == "text/javascript; charset=utf-8"
        page = await client.get("/table")
        assert page.headers["cache-control"] == "no-cache"
        assert page.headers["content-type"] == "text/html; charset=utf-8"

    @pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
    async def test_each_coding_gives_the_same_file(
        self, client: httpx.AsyncClient, tmp_path: Path, coding: str
    ) -> None:
        async with client.stream("GET", "/assets/main-1a2b.js", headers={"accept-encoding": coding}) as answer:
            raw = b"".join([piece async for piece in answer.aiter_raw()])
        undo = {"br": brotli.decompress, "gzip": gzip.decompress, "identity": bytes}[coding]
        assert answer.headers.get("content-encoding", "identity") == coding
        assert answer.headers["vary"] == "Accept-Encoding"
        assert int(answer.headers["content-length"]) == len(raw)
        assert undo(raw) == (tmp_path / "static/assets/main-1a2b.js").read_bytes()

    async def test_a_twin_beside_the_file_is_used(self, client: httpx.AsyncClient, tmp_path: Path) -> None:
        twin = tmp_path / "static/assets/main-1a2b.js.br"
        twin.write_bytes(brotli.compress(b"from the twin"))
        assert (await client.get("/assets/main-1a2b.js")).text == "from the twin"
        assert (await client.get("/assets/main-1a2b.js.br")).status_code == 404

    async def test_a_known_file_is_not_sent_again(self, client: httpx.AsyncClient) -> None:
        first = await client.get("/explore")
        again = await client.get("/explore", headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        other = await client.get(
            "/explore", headers={"if-none-match": first.headers["etag"], "accept-encoding": "identity"}
        )
        assert other.status_code == 200

    async def test_head_is_get_without_its_body(self, client: httpx.AsyncClient) -> None:
        for path in ("/explore", "/assets/main-1a2b.js", "/api/v1/health", "/assets/dot.png"):
            got, head = await client.get(path), await client.head(path)
            assert head.status_code == 200
            assert head.content == b""
            assert head.headers["content-type"] == got.headers["content-type"]
            assert abs(int(head.headers["content-length"]) - int(got.headers["content-length"])) < 5

    async def test_a_picture_is_not_compressed(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/assets/dot.png")
        assert "content-encoding" not in answer.headers
        assert answer.headers["content-type"] == "image/png"

    @pytest.mark.parametrize(
        "path",
        [
            "/assets/../secret.txt",
            "/assets/..%2fsecret.txt",
            "/assets/%2e%2e/secret.txt",
            "/assets/%2e%2e%2fsecret.txt",
            "/assets/..%5csecret.txt",
            "/assets//etc/passwd",
            "/assets/%00",
            "/secret.txt",
            "/explore.html",
            "/assets/",
        ],
    )
    async def test_nothing_else_has_an_address(self, tmp_path: Path, path: str) -> None:
        write_bundle(tmp_path / "static")
        (tmp_path / "static/assets/link.txt").symlink_to("/etc/passwd")
        with live_server(build_test_app(tmp_path)) as base:
            host, port = base.removeprefix("http://").split(":")
            status, body = raw_get(host, int(port), path)
            assert status == 404, (status, body)
            assert b"not an asset" not in body
            assert raw_get(host, int(port), "/assets/link.txt")[0] == 404

    async def test_a_page_that_is_not_built_says_what_to_run(self, tmp_path: Path) -> None:
        async with asgi_client(build_test_app(tmp_path)) as client:
            answer = await client.get("/explore")
            assert answer.status_code == 503
            assert "make demo" in answer.text
            assert "npm run build" in answer.text
            assert "style=" not in answer.text
            assert "<script" not in answer.text
            write_bundle(tmp_path / "static")
            assert (await client.get("/explore")).status_code == 200


def raw_get(host: str, port: int, path: str) -> tuple[int, bytes]:
    """GET without the normalising that HTTP clients do to a path."""
    import socket

    with socket.create_connection((host, port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body


class TestCompression:
    async def test_json_over_a_kilobyte_is_compressed(self, client: httpx.AsyncClient) -> None:
        large = await client.get("/api/v1/numbers?count=1000")
        assert large.headers["content-encoding"] == "br"
        assert large.json() == list(range(1000))
        plain = await client.get("/api/v1/numbers?count=1000", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.headers["vary"] == "Accept-Encoding"
        small = await client.get("/api/v1/numbers?count=3")
        assert "content-encoding" not in small.headers

    async def test_a_body_for_the_thread_is_the_same(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/api/v1/numbers?count=50000", headers={"accept-encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.json()[-1] == 49_999

    async def test_an_event_stream_is_left_alone_and_head_of_it_ends(self, tmp_path: Path) -> None:
        router = APIRouter()

        @router.get("/endless")
        async def endless() -> StreamingResponse:
            async def events() -> AsyncIterator[bytes]:
                import asyncio

                while True:
                    yield b"data: x\n\n" * 200
                    await asyncio.sleep(0.01)

            return StreamingResponse(events(), media_type="text/event-stream")

        with live_server(build_test_app(tmp_path, router)) as base:
            async with httpx.AsyncClient(base_url=base, timeout=5) as client:
                async with client.stream("GET", "/endless") as answer:
                    assert "content-encoding" not in answer.headers
                    assert (await anext(answer.aiter_bytes())).startswith(b"data: x")
                assert (await client.head("/endless")).status_code == 200


async def test_metrics_name_routes_by_their_template(client: httpx.AsyncClient) -> None:
    for path in ("/api/v1/numbers?count=1", "/assets/main-1a2b.js", "/explore", "/some/unknown", "/other/unknown"):
        await client.get(path)
    text = (await client.get("/metrics")).text
    assert 'cim_http_requests_total{method="GET",route="/api/v1/numbers",status="200"} 1.0' in text
    assert 'cim_http_requests_total{method="GET",route="/assets/{path}",status="200"} 1.0' in text
    assert 'cim_http_requests_total{method="GET",route="unmatched",status="404"} 2.0' in text
    assert "cim_live_clients 0.0" in text


async def test_hooks_run_in_order_and_a_failing_stop_does_not_keep_the_next(tmp_path: Path) -> None:
    from cim.app import Services, build_app
    from cim.config import Settings
    from cim.tilesets.service import TilesetService
    from cim.tilesets.store import TilesetStore

    ran: list[str] = []

    def hook(name: str, *, fails: bool = False):
        async def run() -> None:
            ran.append(name)
            if fails:
                raise RuntimeError(name)

        return run

    app = build_app(
        Services(
            version="1",
            bundle=tmp_path,
            tiles=TilesetService(TilesetStore(tmp_path)),
            view=lambda _name: {},
            starts=[hook("start 1"), hook("start 2")],
            stops=[hook("stop 1"), hook("stop 2", fails=True)],
        ),
        Settings(),
    )
    with structlog.testing.capture_logs() as logs:
        async with app.router.lifespan_context(app):
            assert ran == ["start 1", "start 2"]
    assert ran[2:] == ["stop 2", "stop 1"]
    assert [line["event"] for line in logs] == ["stop-failed"]
