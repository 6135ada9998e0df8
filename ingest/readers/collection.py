"""The garbage collector stands still while a batch is parsed or looked at.

Parsed JSON is many small lists without cycles: a collector that walks them over and over finds
nothing and takes a third of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Switch cyclic collection off, and back on if it was on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
