"""What the child processes of the job tests do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from cim.errors import InvalidInput
from cim.jobs.bus import Channel


def count(params: Mapping[str, object], channel: Channel) -> dict[str, object]:
    """Hand over the numbers from `first` to `last`, slowly if asked to."""
    first, last, pause_s = int(str(params["first"])), int(str(params["last"])), float(str(params.get("pause_s", 0)))
    channel.step("count", last - first, "numbers")
    for number in range(first, last):
        channel.payload({"number": number, "bytes": b"x" * 1000})
        channel.progress(number - first + 1)
        time.sleep(pause_s)
    channel.step("sum up")
    return {"last": last - 1}


def refuse(_params: Mapping[str, object], _channel: Channel) -> None:
    raise InvalidInput("The file is truncated at byte 12.", hint="Get it again.", code="truncated", byte=12)


def divide_by_zero(_params: Mapping[str, object], _channel: Channel) -> None:
    raise ZeroDivisionError("secret detail")


def segfault(_params: Mapping[str, object], _channel: Channel) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def vanish(_params: Mapping[str, object], _channel: Channel) -> None:
    os._exit(7)


def oom_kill(_params: Mapping[str, object], _channel: Channel) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def eat_memory(_params: Mapping[str, object], _channel: Channel) -> None:
    hoard = []
    while True:
        hoard.append(bytearray(16 * 1024**2))


def spin(_params: Mapping[str, object], channel: Channel) -> None:
    channel.step("spin")
    while True:
        pass


def sleep_deaf(params: Mapping[str, object], channel: Channel) -> None:
    """Never look at the channel again; leave a grandchild's and an own process number behind."""
    channel.step("sleep")
    Path(str(params["pid_file"])).write_text(str(os.getpid()))
    time.sleep(600)


def write_large_file(params: Mapping[str, object], _channel: Channel) -> None:
    with Path(str(params["path"])).open("wb") as stream:
        stream.write(b"\0" * 4 * 1024**2)


def large_payload(_params: Mapping[str, object], channel: Channel) -> None:
    channel.payload(b"\0" * 4 * 1024**2)


def race_ahead(params: Mapping[str, object], channel: Channel) -> None:
    """Note how many payloads could be sent, so that the parent can see the child wait."""
    log = Path(str(params["log"]))
    for sent in range(1, 21):
        channel.payload(sent)
        log.write_text(str(sent))
