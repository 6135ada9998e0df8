"""The live WebSocket as a client sees it: real server, real sockets."""

from __future__ import annotations

import asyncio
import socket
import statistics
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import orjson
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from cim.live.limits import SUBPROTOCOL, LiveLimits
from tests.support.live_server import Running, make_hub, observation, serve, stream_id


@pytest.fixture
def live() -> Iterator[Running]:
    with serve() as running:
        yield running


def dial(running: Running, **options: object) -> connect:
    return connect(running.ws, subprotocols=[SUBPROTOCOL], compression=None, proxy=None, **options)  # type: ignore[arg-type]


async def hear(client: ClientConnection, wait_s: float = 5.0) -> dict:
    return orjson.loads(await asyncio.wait_for(client.recv(), wait_s))


async def say(client: ClientConnection, **frame: object) -> None:
    await client.send(orjson.dumps(frame).decode())


async def tell(running: Running, *changes: object, topic: str = "observations") -> int:
    return await asyncio.to_thread(running.publish, *changes, topic=topic)


async def test_snapshot_then_deltas(live: Running) -> None:
    await tell(live, observation(0, 1.0), observation(1, 2.0))
    async with dial(live) as client:
        assert client.subprotocol == SUBPROTOCOL
        await say(client, op="subscribe", topic="observations")
        first = await hear(client)
        assert (first["op"], first["epoch"], first["offset"]) == ("snapshot", "e1", 1)
        assert {item["id"]: item["v"] for item in first["state"]} == {stream_id(0): 1.0, stream_id(1): 2.0}
        await tell(live, observation(1, 3.5))
        second = await hear(client)
        assert (second["op"], second["from"], second["offset"]) == ("delta", 1, 2)
        assert [(item["id"], item["v"]) for item in second["changes"]] == [(stream_id(1), 3.5)]


async def test_resume_gives_exactly_what_was_missed(live: Running) -> None:
    await tell(live, observation(0, 1.0))
    async with dial(live) as client:
        await say(client, op="subscribe", topic="observations")
        seen = await hear(client)
    for value in (2.0, 3.0, 4.0):
        await tell(live, observation(0, value), observation(5, value))
    async with dial(live) as client:
        await say(client, op="subscribe", topic="observations", since={"epoch": "e1", "offset": seen["offset"]})
        missed = await hear(client)
        assert (missed["op"], missed["from"], missed["offset"]) == ("delta", 1, 4)
        assert [c["v"] for c in missed["changes"] if c["id"] == stream_id(0)] == [2.0, 3.0, 4.0]
        await say(client, op="subscribe", topic="observations", since={"epoch": "e1", "offset": 4})
        nothing = await hear(client)
        assert (nothing["op"], nothing["offset"], nothing["changes"]) == ("delta", 4, [])


async def test_another_epoch_or_an_offset_of_the_future_gives_a_snapshot(live: Running) -> None:
    await tell(live, observation(0, 1.0))
    async with dial(live) as client:
        for since in ({"epoch": "before", "offset": 1}, {"epoch": "e1", "offset": 99}):
            await say(client, op="subscribe", topic="observations", since=since)
            frame = await hear(client)
            assert (frame["op"], frame["epoch"], frame["offset"]) == ("snapshot", "e1", 1)


async def test_filters(live: Running) -> None:
    await tell(live, *(observation(i, float(i)) for i in range(10)))
    wanted = {
        "bbox": ({"bbox": [24.9015, 60.0, 24.9035, 60.5]}, {2, 3}),
        "datastreams": ({"datastreams": [stream_id(4), "nobody"]}, {4}),
        "property": ({"observed_property": ["flow"]}, {1, 5, 9}),
        "both": ({"observed_property": ["flow"], "bbox": [24.904, 60.0, 24.906, 60.5]}, {5}),
    }
    async with dial(live) as client:
        for chosen, numbers in wanted.values():
            await say(client, op="subscribe", topic="observations", filter=chosen)
            state = (await hear(client))["state"]
            assert {item["id"] for item in state} == {stream_id(i) for i in numbers}
        await tell(live, observation(0, 7.0))
        await tell(live, observation(5, 8.0))
        frame = await hear(client)
        assert frame["changes"] == [{"id": stream_id(5), "t": "2026-11-22T12:00:00.000Z", "v": 8.0, "q": "ok"}]
        assert (frame["from"], frame["offset"]) == (1, 3)


async def test_events_are_told_one_by_one(live: Running) -> None:
    async with dial(live) as client:
        await say(client, op="subscribe", topic="tiles")
        assert (await hear(client))["state"] == []
        await asyncio.to_thread(
            live.call, live.hub.publish_event, "tiles", "base", "cim.tileset.swapped", {"baseline_version": 4}
        )
        frame = await hear(client)
        assert (frame["op"], frame["offset"]) == ("event", 1)
        assert frame["event"]["data"] == {"baseline_version": 4}
        assert frame["event"]["specversion"] == "1.0"
        await say(client, op="subscribe", topic="tiles")
        assert (await hear(client))["state"] == [{"id": "base", "baseline_version": 4}]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "live-json"),
        ("[]", "live-json"),
        ('{"op":"fly"}', "unknown-op"),
        ('{"op":"subscribe","topic":"nowhere"}', "unknown-topic"),
        ('{"op":"subscribe","topic":"observations","filter":{"bbox":[1,2,3]}}', "live-filter"),
        ('{"op":"subscribe","topic":"observations","max_rate_hz":0}', "live-rate"),
        ('{"op":"ping","x":1}', "live-member"),
        ('{"op":' + "[" * 500 + "]" * 500 + "}", "live-nesting"),
    ],
)
async def test_a_bad_frame_is_answered_and_the_connection_goes_on(live: Running, text: str, code: str) -> None:
    async with dial(live) as client:
        await client.send(text)
        frame = await hear(client)
        assert (frame["op"], frame["code"]) == ("error", code)
        await say(client, op="ping")
        assert (await hear(client))["op"] == "pong"


async def closed_with(client: ClientConnection) -> int:
    async def to_the_end() -> None:
        while True:
            await asyncio.wait_for(client.recv(), 5)

    with pytest.raises(websockets.ConnectionClosed) as ended:
        await to_the_end()
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code


async def test_frames_that_end_the_connection(live: Running) -> None:
    async with dial(live) as client:
        await client.send("x" * 70_000)
        assert await closed_with(client) == 1009
    async with dial(live) as client:
        await client.send(b"\x00\x01")
        assert await closed_with(client) == 1003
    async with dial(live) as client:
        for _ in range(25):
            await client.send("{")
        assert await closed_with(client) == 1008
    async with dial(live) as client:
        for _ in range(70):
            await say(client, op="ping")
        assert await closed_with(client) == 1008


async def test_handshakes_that_are_refused(live: Running) -> None:
    async def refused(**options: object) -> tuple[int, str]:
        with pytest.raises(websockets.InvalidStatus) as error:
            async with connect(live.ws, compression=None, proxy=None, **options):  # type: ignore[arg-type]
                pass
        return error.value.response.status_code, orjson.loads(error.value.response.body)["code"]

    assert await refused() == (400, "live-subprotocol")
    assert await refused(subprotocols=["cim.v9+json"]) == (400, "live-subprotocol")
    assert await refused(subprotocols=[SUBPROTOCOL], origin="http://evil.example") == (403, "forbidden")
    async with dial(live, origin=live.http) as client:
        await say(client, op="ping")
        assert (await hear(client))["op"] == "pong"


async def test_a_full_house_is_refused_and_a_place_is_given_back() -> None:
    with serve(lambda: make_hub(limits=LiveLimits(clients_max=1))) as running:
        async with dial(running):
            with pytest.raises(websockets.InvalidStatus) as error:
                async with dial(running):
                    pass
            assert error.value.response.status_code == 503
        for _ in range(50):
            if running.hub.clients == 0:
                break
            await asyncio.sleep(0.02)
        async with dial(running) as client:
            await say(client, op="ping")
            assert (await hear(client))["op"] == "pong"


async def test_silence_is_filled_by_heartbeats() -> None:
    with serve(lambda: make_hub(limits=LiveLimits(heartbeat_s=0.2))) as running:
        async with dial(running) as client:
            start = time.monotonic()
            assert (await hear(client))["op"] == "heartbeat"
            assert (await hear(client))["op"] == "heartbeat"
            assert 0.3 < time.monotonic() - start < 2.0


async def test_rate_is_kept_and_the_last_value_comes(live: Running) -> None:
    async with dial(live) as client:
        await say(client, op="subscribe", topic="observations", max_rate_hz=4)
        await hear(client)
        for i in range(20):
            await tell(live, observation(0, float(i)))
            await asyncio.sleep(0.03)
        frames = [await hear(client)]
        while frames[-1]["offset"] < 20:
            frames.append(await hear(client))
        assert len(frames) <= 5
        assert frames[-1]["changes"][-1]["v"] == 19.0
        assert all(len(frame["changes"]) == 1 for frame in frames)
        assert [f["from"] for f in frames] == [0, *(f["offset"] for f in frames[:-1])]


async def test_a_server_that_stops_says_so_and_the_next_run_gives_a_fresh_snapshot() -> None:
    with serve() as running:
        async with dial(running) as client:
            await say(client, op="subscribe", topic="observations")
            await hear(client)
            running.server.should_exit = True
            frame = await hear(client)
            assert frame == {"op": "reset", "reason": "stopping"}
            assert await closed_with(client) == 1001


async def test_server_sent_events_carry_the_same_frames_and_resume(live: Running) -> None:
    await tell(live, observation(0, 1.0), observation(1, 1.0))

    async def events(response: httpx.Response) -> AsyncIterator[tuple[str, dict]]:
        position = ""
        async for line in response.aiter_lines():
            if line.startswith("id: "):
                position = line[4:]
            elif line.startswith("data: "):
                yield position, orjson.loads(line[6:])

    async with httpx.AsyncClient(base_url=live.http, trust_env=False, timeout=5) as http:
        chosen = {"topic": "observations", "datastreams": stream_id(0)}
        async with http.stream("GET", "/live/sse", params=chosen) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            stream = events(response)
            position, frame = await anext(stream)
            assert (position, frame["op"], len(frame["state"])) == ("e1:1", "snapshot", 1)
        await tell(live, observation(0, 2.0), observation(1, 2.0))
        await tell(live, observation(0, 3.0))
        async with http.stream("GET", "/live/sse", params=chosen, headers={"Last-Event-ID": position}) as response:
            position, frame = await anext(events(response))
            assert (position, [c["v"] for c in frame["changes"]]) == ("e1:3", [2.0, 3.0])
        assert (await http.get("/live/sse", params={"topic": "nowhere"})).status_code == 404
        assert (await http.get("/live/sse", params={"topic": "jobs", "bbox": "1,2,3,4"})).status_code == 400
        assert (
            await http.get("/live/sse", params=chosen, headers={"Origin": "http://evil.example"})
        ).status_code == 403
        assert (await http.get("/asyncapi.json")).json()["asyncapi"] == "3.0.0"
    for _ in range(100):
        if live.hub.clients == 0:
            break
        await asyncio.sleep(0.02)
    assert live.hub.clients == 0


def stalled_socket(running: Running) -> socket.socket:
    """A WebSocket client that subscribes and never reads again."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", running.port))
    sock.sendall(
        f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n".encode()
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += sock.recv(1)
    text = orjson.dumps({"op": "subscribe", "topic": "observations"})
    sock.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    return sock


async def test_a_client_that_never_reads_costs_fifty_others_nothing_and_is_let_go() -> None:
    sensors, clients, ticks = 200, 50, 20
    limits = LiveLimits(stalled_s_max=1.0)
    with serve(lambda: make_hub(sensors=sensors, limits=limits), send_buffer_bytes=16_384) as running:
        stalled = await asyncio.to_thread(stalled_socket, running)
        arrivals: list[float] = []
        values: list[float] = []

        async def follow(ready: asyncio.Semaphore) -> None:
            async with dial(running) as client:
                await say(client, op="subscribe", topic="observations")
                await hear(client)
                ready.release()
                offset = 0
                while offset < ticks:
                    frame = await hear(client, 10)
                    now = time.monotonic()
                    offset = frame["offset"]
                    values.append(frame["changes"][0]["v"])
                    arrivals.append(now - frame["changes"][0]["v"])

        ready = asyncio.Semaphore(0)
        followers = [asyncio.create_task(follow(ready)) for _ in range(clients)]
        for _ in range(clients):
            await ready.acquire()
        for _ in range(ticks):
            sent = time.monotonic()
            await tell(running, *(observation(i, sent) for i in range(sensors)))
            await asyncio.sleep(0.15)
        await asyncio.gather(*followers)
        assert len(arrivals) == clients * ticks
        p95 = statistics.quantiles(arrivals, n=20)[-1]
        print(f"change to client with one stalled of {clients + 1}: p95 {p95 * 1000:.1f} ms")
        assert p95 < 1.0
        for _ in range(100):
            if running.hub.clients == 0:
                break
            await asyncio.sleep(0.05)
        assert running.hub.clients == 0, "the stalled client was not let go"
        stalled.close()


async def test_a_reader_of_server_sent_events_that_never_reads_is_let_go() -> None:
    limits = LiveLimits(stalled_s_max=1.0)
    with serve(lambda: make_hub(sensors=200, limits=limits), send_buffer_bytes=16_384) as running:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", running.port))
        sock.sendall(f"GET /live/sse?topic=observations HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\n\r\n".encode())
        for tick in range(60):
            await tell(running, *(observation(i, float(tick)) for i in range(200)))
            await asyncio.sleep(0.005)
        assert running.hub.clients == 1
        for _ in range(100):
            if running.hub.clients == 0:
                break
            await asyncio.sleep(0.05)
        assert running.hub.clients == 0
        sock.close()


async def test_another_thread_publishes_in_order(live: Running) -> None:
    async with dial(live) as client:
        await say(client, op="subscribe", topic="jobs")
        await hear(client)
        for done in range(50):
            live.hub.publish_threadsafe("jobs", [{"id": "job/1", "done": done}])
        seen = []
        while not seen or seen[-1] != 49:
            seen.extend(change["done"] for change in (await hear(client))["changes"])
        assert seen == sorted(seen)
        live.hub.publish_threadsafe("jobs", [{"id": "job/1", "removed": True}])
        assert (await hear(client))["changes"] == [{"id": "job/1", "removed": True}]
        await say(client, op="subscribe", topic="jobs")
        assert (await hear(client))["state"] == []


async def test_a_slow_client_gets_the_latest_of_each_and_no_backlog() -> None:
    with serve(lambda: make_hub(sensors=200), send_buffer_bytes=16_384) as running:
        sock = await asyncio.to_thread(stalled_socket, running)
        await asyncio.sleep(0.2)
        for tick in range(300):
            await tell(running, *(observation(i, float(tick)) for i in range(200)))

        def drain() -> bytes:
            sock.settimeout(1.0)
            received = b""
            try:
                while chunk := sock.recv(1 << 16):
                    received += chunk
            except TimeoutError:
                pass
            return received

        received = await asyncio.to_thread(drain)
        sock.close()
        frames = received.count(b'"op":"delta"')
        assert received.count(b'"v":299.0') == 200
        assert b'"offset":300,' in received
        print(f"300 ticks came to a slow client in {frames} frames")
        assert frames < 150
