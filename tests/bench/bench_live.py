"""What the live stream costs: CPU of the server per 1,000 messages, delay, memory of a client.

    python -m tests.bench.bench_live [--clients 200] [--seconds 8] [--rate-hz 2]

The server runs in a process of its own; its CPU time is its own clock's.  Bounded: four runs of
``seconds`` each.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import statistics
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

import orjson
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect

from cim.live.limits import SUBPROTOCOL
from tests.support.live_server import make_hub, observation, serve, stream_id

SENSORS = 200
MEBIBYTE = 1024 * 1024


@dataclass
class Run:
    """What one run measured."""

    title: str
    messages: int
    bytes_each: float
    cpu_ms_per_1000: float
    delay_p50_ms: float
    delay_p95_ms: float
    delay_max_ms: float
    encodings: int


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Bare:
    """The floor: a WebSocket that sends one finished text to everyone, with no protocol at all."""

    def __init__(self) -> None:
        self.queues: set[asyncio.Queue[str]] = set()

    def route(self, app: FastAPI) -> None:
        @app.websocket("/bare")
        async def bare(websocket: WebSocket) -> None:
            await websocket.accept(subprotocol=SUBPROTOCOL)
            queue: asyncio.Queue[str] = asyncio.Queue()
            await websocket.receive_text()
            await websocket.send_text("{}")
            self.queues.add(queue)
            with contextlib.suppress(WebSocketDisconnect, OSError):
                while True:
                    await websocket.send_text(await queue.get())

    def publish(self, text: str) -> None:
        for queue in self.queues:
            queue.put_nowait(text)


def serve_in_child(pipe: Connection) -> None:
    """Serve, publish on demand, and tell CPU seconds and memory."""
    bare = Bare()
    with serve(lambda: make_hub(sensors=SENSORS), loop="uvloop", also=bare.route) as running:
        pipe.send(running.port)
        while True:
            order = pipe.recv()
            if order == "stop":
                running.call(bare.publish, "")  # nobody is there any more: each sender finds out and ends
                return
            if order == "costs":
                encodings = running.hub.board.topic("observations").encodings
                pipe.send((time.process_time(), resident_bytes(), running.hub.clients, encodings))
            else:
                path, ticks, every_s = order
                begin = time.monotonic()
                for tick in range(ticks):
                    time.sleep(max(0.0, begin + tick * every_s - time.monotonic()))
                    if path == "bare":
                        text = f'{{"v":{time.monotonic()},"x":"{"x" * 2_480}"}}'
                        running.call(bare.publish, text)
                    else:
                        running.publish(*(observation(i, time.monotonic()) for i in range(SENSORS)))
                pipe.send("published")


async def measure(
    pipe: Connection, path: str, port: int, title: str, filters: list[dict | None], ticks: int, every_s: float
) -> Run:
    """Connect one client per filter, publish, and wait until every client has the last value."""
    delays_s: list[float] = []
    sizes: list[int] = []

    async def follow(chosen: dict | None, subscribed: asyncio.Semaphore) -> None:
        async with connect(
            f"ws://127.0.0.1:{port}/{path}",
            subprotocols=[SUBPROTOCOL],
            compression=None,
            proxy=None,
            ping_interval=None,  # type: ignore[list-item]
        ) as client:
            request: dict = {"op": "subscribe", "topic": "observations"}
            await client.send(orjson.dumps(request | ({"filter": chosen} if chosen else {})).decode())
            await client.recv()
            subscribed.release()
            for _ in range(ticks):
                text = await client.recv()
                now = time.monotonic()
                # The first change's value is the moment of publication; parsing the rest is the
                # client's cost, not the server's.
                begin = text.index('"v":') + 4
                delays_s.append(now - float(text[begin : text.index(",", begin)]))
                sizes.append(len(text))

    subscribed = asyncio.Semaphore(0)
    followers = [asyncio.create_task(follow(chosen, subscribed)) for chosen in filters]
    for _ in filters:
        await subscribed.acquire()
    before = await ask(pipe, "costs")
    await ask(pipe, (path, ticks, every_s))
    await asyncio.gather(*followers)
    after = await ask(pipe, "costs")
    return Run(
        title,
        len(delays_s),
        statistics.fmean(sizes),
        (after[0] - before[0]) * 1e6 / len(delays_s),
        statistics.median(delays_s) * 1000,
        statistics.quantiles(delays_s, n=20)[-1] * 1000,
        max(delays_s) * 1000,
        after[3] - before[3],
    )


async def ask(pipe: Connection, order: object) -> tuple:
    pipe.send(order)
    answer = await asyncio.to_thread(pipe.recv)
    return answer if isinstance(answer, tuple) else (answer,)


async def idle_bytes(pipe: Connection, port: int, clients: int) -> float:
    """Return what a subscribed client that hears nothing holds in the server."""
    before = await ask(pipe, "costs")
    sockets = []
    for _ in range(clients):
        client = await connect(f"ws://127.0.0.1:{port}/live", subprotocols=[SUBPROTOCOL], compression=None, proxy=None)  # type: ignore[list-item]
        await client.send('{"op":"subscribe","topic":"jobs"}')
        await client.recv()
        sockets.append(client)
    after = await ask(pipe, "costs")
    await asyncio.gather(*(client.close() for client in sockets))
    return (after[1] - before[1]) / clients


async def bench(clients: int, seconds: float, rate_hz: float) -> tuple[list[Run], float]:
    """Run all measurements against one server."""
    context = multiprocessing.get_context("spawn")
    pipe, other = context.Pipe()
    child = context.Process(target=serve_in_child, args=(other,), daemon=True)
    child.start()
    try:
        port = await asyncio.to_thread(pipe.recv)
        ticks = max(2, int(seconds * rate_hz))
        one: list[dict | None] = [{"datastreams": [stream_id(i) for i in range(28)]}] * clients
        own: list[dict | None] = [
            {"datastreams": [stream_id((i + k) % SENSORS) for k in range(28)]} for i in range(clients)
        ]
        every: list[dict | None] = [None] * clients
        memory = await idle_bytes(pipe, port, clients)
        runs = [
            await measure(pipe, "bare", port, "floor: bare WebSocket", every, ticks, 1 / rate_hz),
            await measure(pipe, "live", port, "28 sensors, one shared filter", one, ticks, 1 / rate_hz),
            await measure(pipe, "live", port, "28 sensors, a filter per client", own, ticks, 1 / rate_hz),
            await measure(pipe, "live", port, "all 200 sensors", every, ticks, 1 / rate_hz),
        ]
        pipe.send("stop")
        child.join(10)
        return runs, memory
    finally:
        if child.is_alive():
            child.terminate()


def main() -> None:
    """Print one line per run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rate-hz", type=float, default=2.0)
    chosen = parser.parse_args()
    clients = min(chosen.clients, 1_000)
    runs, memory = asyncio.run(bench(clients, min(chosen.seconds, 60.0), min(chosen.rate_hz, 20.0)))
    print(f"{clients} clients, {SENSORS} sensors at {chosen.rate_hz:g} Hz")
    for run in runs:
        print(
            f"{run.title:32} {run.messages:6} messages of {run.bytes_each:7.0f} B  "
            f"{run.cpu_ms_per_1000:6.1f} ms CPU per 1,000  delay p50 {run.delay_p50_ms:5.1f}"
            f" p95 {run.delay_p95_ms:5.1f} max {run.delay_max_ms:5.1f} ms  {run.encodings} encodings"
        )
    print(f"idle client: {memory / 1024:.0f} KiB in the server")


if __name__ == "__main__":
    main()
