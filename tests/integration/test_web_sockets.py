"""WebSockets stand behind the same door."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.web_city import build_test_app, live_server


async def test_own_origin_and_no_origin_may_connect(tmp_path: Path) -> None:
    with live_server(build_test_app(tmp_path)) as base:
        address = base.replace("http", "ws") + "/live"
        for origin in (None, base):
            async with connect(address, origin=origin) as socket:
                assert await socket.recv() == "hello"
        async with httpx.AsyncClient(base_url=base) as client:
            assert "cim_live_clients 0.0" in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_foreign_page_may_not(tmp_path: Path, headers: dict[str, str]) -> None:
    with live_server(build_test_app(tmp_path)) as base:
        with pytest.raises(InvalidStatus) as caught:
            async with connect(base.replace("http", "ws") + "/live", additional_headers=headers):
                pass
        assert caught.value.response.status_code == 403


async def test_a_rebound_host_may_not(tmp_path: Path) -> None:
    with live_server(build_test_app(tmp_path)) as base:
        port = base.rpartition(":")[2]
        with pytest.raises(InvalidStatus):
            async with connect(f"ws://evil.example:{port}/live", host="127.0.0.1", port=int(port)):
                pass
