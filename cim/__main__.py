"""``cim`` and ``python -m cim``: the command line, quiet when it is interrupted while it still starts."""

from __future__ import annotations

import os
import signal
import sys

INTERRUPTED = 130
"""The exit code that shells give for SIGINT."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # Loading takes a moment. Ctrl-C in that moment leaves at once: raised inside a compiled module's import it would
    # come out as that module's failure, with a stack.
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from cim.cli import run  # noqa: PLC0415

    signal.signal(signal.SIGINT, before)
    try:
        code = run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
