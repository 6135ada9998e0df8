"""Ctrl-C while something loads (shell)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130
"""The exit code that shells give for SIGINT."""


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """While this lasts, Ctrl-C ends the process at once, without a word: only for where a kill does no harm.

    Raised inside a compiled module's import, an interrupt comes out as that module's failure, or does not come out at
    all and leaves a library that can never be loaded whole again.
    """
    if threading.current_thread() is not threading.main_thread():
        # Signals are the main thread's.
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
