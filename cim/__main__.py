"""``cim`` and ``python -m cim``: the command line, quiet when it is interrupted while it still starts."""

from __future__ import annotations

import sys

INTERRUPTED = 130
"""The exit code that shells give for SIGINT."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        # Imported here: loading takes a moment, and Ctrl-C in that moment is no reason for a stack.
        from cim.cli import run  # noqa: PLC0415

        code = run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
