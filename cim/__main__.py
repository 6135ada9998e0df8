"""``cim`` and ``python -m cim``: the command line, quiet when it is interrupted while it still starts."""

from __future__ import annotations

import sys

from cim.interrupts import INTERRUPTED, leaving_at_once


def main() -> None:
    """Run the command line and end the process with its exit code."""
    with leaving_at_once():
        from cim.cli import run  # noqa: PLC0415 - what takes a moment is loaded where Ctrl-C is expected
    try:
        code = run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
