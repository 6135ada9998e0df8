"""``cim quality``: says what is wrong with a delivery, or with the whole city."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import orjson
from cyclopts import App, Parameter

from cim.config import Settings
from cim.quality.text import report_lines

ReadReport: TypeAlias = Callable[[Settings, str], Mapping[str, Any] | None]
"""Returns the report of a job; of none (``""``), checks the city and returns that; ``None`` where that failed."""


def add_quality(app: App, read_report: ReadReport) -> None:
    """Add the command."""

    @app.command
    def quality(
        job: str = "",
        /,
        *,
        data: Annotated[
            Path | None, Parameter(name="--data", help="The city's data directory (CIM_DATA, else ./cim-data).")
        ] = None,
        json: bool = False,
    ) -> int:
        """Say what is wrong with a delivery, or check the whole city as it is stored.

        Example: cim quality --data ./rotterdam

        Args:
            job: The job that took the delivery in (default: check the whole city now).
            data: The city's data directory.
            json: Print the report as JSON.
        """
        report = read_report(Settings() if data is None else Settings(data=data), job)
        if report is None:
            return 1
        if json:
            sys.stdout.write(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() + "\n")
            return 0
        for line in report_lines(report):
            sys.stdout.write(f"{line}\n")
        return 0
