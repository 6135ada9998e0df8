"""A city server as a user starts it: a process of its own, on loopback, on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx

START_S = 60.0
STOP_S = 20.0
JOB_S = 180.0


def environment() -> dict[str, str]:
    """The environment of a child: ours, without settings of somebody's own city."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CIM_")}


def run_cim(*arguments: str, timeout_s: float = JOB_S) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cim", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=environment(),
        check=False,
    )


class CityServer:
    """``cim serve`` over a data directory on a free port; another ``command`` gets its own arguments only."""

    def __init__(self, data: Path, *arguments: str, command: Sequence[str] | None = None) -> None:
        self.data = data
        self._arguments = arguments
        self._command = command
        self._port = 0
        self.address = ""
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start and wait for the address; a restart listens where it did before."""
        command = self._command or ("serve", "--port", str(self._port))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cim", *command, "--data", str(self.data), *self._arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
        )
        assert self.process.stdout is not None
        deadline = time.monotonic() + START_S
        said = []
        while time.monotonic() < deadline:
            line = self.process.stdout.readline()
            said.append(line)
            found = re.search(r"http://\S+", line)
            if found:
                self.address = found.group()
                self._port = int(self.address.rpartition(":")[2])
                return
            if not line and self.process.poll() is not None:
                break
        raise AssertionError("the server did not start: " + "".join(said))

    def stop(self) -> int:
        """Ask it to stop and wait; returns its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it without a word, as a power cut does."""
        return self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(STOP_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    def get(self, path: str, **options: object) -> httpx.Response:
        """Ask for a path."""
        return httpx.get(self.address + path, timeout=30.0, trust_env=False, **options)  # type: ignore[arg-type]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.stop()
