"""A browser without a window, spoken to through a pipe: opens the report, waits until it is whole, prints it."""

from __future__ import annotations

import base64
import fcntl
import os
import select
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from cim.errors import Unavailable
from cim.reports.model import BROWSERS, PAPER, command_of, message, result_of, split_messages

PRINT_S_MAX: Final = 240.0
DRAW_S_MAX: Final = 120.0
"""A machine without a graphics card draws a picture of the city in some seconds, a busy one in many."""
STOP_S_MAX: Final = 10.0
COMMANDS_FD, ANSWERS_FD = 3, 4
"""Where Chromium reads commands and writes answers: --remote-debugging-pipe."""
_HIGH_FD: Final = 10
_LOOK_S: Final = 0.5
_CHUNK_BYTES: Final = 1 << 20


def find_browser(named: str = "") -> str | None:
    """Return the browser that prints: the one that is named, else the first of those known."""
    return next((path for name in ((named,) if named else BROWSERS) if (path := shutil.which(name))), None)


class Printer:
    """Prints one report at a time."""

    def __init__(self, browser: str = "") -> None:
        self._named = browser
        self._guard = threading.Lock()

    def print_pdf(self, address: str) -> bytes:
        """Return the page at an address as a PDF; raises :class:`Unavailable` without a browser or in time."""
        browser = find_browser(self._named)
        if browser is None:
            raise Unavailable(
                "There is no Chromium here that could print the report.",
                hint="Install it (apt-get install chromium fonts-noto-cjk), or print the page from your own browser.",
                code="no-chromium",
            )
        with self._guard, _running(browser) as pipe:
            return pipe.print_page(address)


class _Pipe:
    """The DevTools protocol over two file descriptors; one command at a time."""

    def __init__(self, to_fd: int, from_fd: int) -> None:
        self._to, self._from = to_fd, from_fd
        self._held = b""
        self._number = 0
        self._ends_s = time.monotonic() + PRINT_S_MAX

    def ask(self, method: str, params: Mapping[str, Any], session: str | None = None) -> Mapping[str, Any]:
        """Send a command and return what it brought; events in between are let go."""
        self._number += 1
        said = message(self._number, method, params, session)
        with suppress(BrokenPipeError):
            while said:
                said = said[os.write(self._to, said) :]
        while True:
            found, self._held = split_messages(self._held)
            for answer in found:
                if answer.get("id") == self._number:
                    return result_of(answer)
            self._held += self._more()

    def print_page(self, address: str) -> bytes:
        """Open a page, wait until it says that it is whole, and return it as a PDF."""
        target = self.ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = str(self.ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"])
        self.ask("Page.enable", {}, session)
        self.ask("Page.navigate", {"url": address}, session)
        look = {"expression": "document.documentElement.dataset.ready || ''"}
        drawn_s = time.monotonic() + DRAW_S_MAX
        while (ready := self.ask("Runtime.evaluate", look, session).get("result", {}).get("value")) != "true":
            if ready == "told" and time.monotonic() >= drawn_s:
                # All words are there; a picture that is still being drawn is left out.
                break
            if ready == "failed":
                raise Unavailable("The report's schemes could not be read.", code="report-failed")
            time.sleep(_LOOK_S)
            self._check_time()
        return base64.b64decode(self.ask("Page.printToPDF", PAPER, session)["data"])

    def _more(self) -> bytes:
        ready, _, _ = select.select([self._from], [], [], max(0.0, self._ends_s - time.monotonic()))
        if not ready:
            self._check_time()
        chunk = os.read(self._from, _CHUNK_BYTES) if ready else b""
        if not chunk:
            raise Unavailable("The browser stopped before the report was printed.", code="report-failed")
        return chunk

    def _check_time(self) -> None:
        if time.monotonic() >= self._ends_s:
            raise Unavailable("The report was not drawn in time.", hint="Try again.", code="report-late")


@contextmanager
def _running(browser: str) -> Iterator[_Pipe]:
    """A browser with an empty profile, which ends with the block."""
    (its_in, to_browser), (from_browser, its_out) = _high_pipe(), _high_pipe()
    with tempfile.TemporaryDirectory(prefix="cim-report-", ignore_cleanup_errors=True) as profile:
        quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
        wired = [(os.POSIX_SPAWN_DUP2, its_in, COMMANDS_FD), (os.POSIX_SPAWN_DUP2, its_out, ANSWERS_FD)]
        command = command_of(browser, profile, as_root=os.geteuid() == 0)
        pid = os.posix_spawn(browser, command, os.environ, file_actions=[*quiet, *wired], setsid=True)
        os.close(its_in)
        os.close(its_out)
        try:
            yield _Pipe(to_browser, from_browser)
        finally:
            os.close(to_browser)
            os.close(from_browser)
            _end(pid)


def _high_pipe() -> tuple[int, int]:
    """Return a pipe whose numbers are not those that the browser gets, so that none overwrites another."""
    low = os.pipe()
    reading, writing = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD) for fd in low)
    for fd in low:
        os.close(fd)
    return reading, writing


def _end(pid: int) -> None:
    """End a browser and what it started; the pipe's end has told it already."""
    ends_s = time.monotonic() + STOP_S_MAX
    while time.monotonic() < ends_s:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return
        time.sleep(_LOOK_S / 10)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
