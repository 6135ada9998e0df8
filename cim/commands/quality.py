"""``cim quality``: says what is wrong with a delivery, or with the whole city."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import orjson
from cyclopts import App, Parameter

from cim.config import Settings
from cim.console import JobDisplay, say_error
from cim.db.directory import DataDirectory
from cim.errors import CimError
from cim.export import Read, reading
from cim.handover import running_server
from cim.quality.text import report_lines

OpenCity: TypeAlias = Callable[[Path, Settings], AbstractContextManager[Any]]
BuildServer: TypeAlias = Callable[..., Any]
RunJob: TypeAlias = Callable[..., Mapping[str, Any]]
"""What the composition root has: opens a city, builds its application, runs a job in this process."""

KIND = "quality"
Show: TypeAlias = Callable[[Mapping[str, Any]], None]


def add_quality(app: App, open_city: OpenCity, build_server: BuildServer, run_job: RunJob) -> None:
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
        settings = Settings() if data is None else Settings(data=data)
        report = _read_report(settings, job, open_city, build_server, run_job)
        if report is None:
            return 1
        lines = [orjson.dumps(report, option=orjson.OPT_INDENT_2).decode()] if json else report_lines(report)
        for line in lines:
            sys.stdout.write(f"{line}\n")
        return 0


def _read_report(
    settings: Settings, job: str, open_city: OpenCity, build_server: BuildServer, run_job: RunJob
) -> Mapping[str, Any] | None:
    """Return the report of a job; of none, check the city first; ``None`` where that failed, which was said."""
    server = running_server(DataDirectory(settings.data))
    if server is not None:
        return _reported(server.read, job, lambda show: server.run(KIND, {}, KIND, show))
    with open_city(settings.data, settings) as opened, reading(build_server(opened, settings, token="")) as read:
        if not job:
            return _reported(read, job, lambda show: run_job(opened, KIND, {}, KIND, show))
        opened.jobs.start()
        try:
            return _reported(read, job, _never)
        finally:
            opened.jobs.stop()


def _never(_show: Show) -> Mapping[str, Any]:
    raise AssertionError


def _reported(read: Read, job_id: str, check: Callable[[Show], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    if not job_id:
        display = JobDisplay(sys.stderr)
        try:
            job = check(display.show)
        finally:
            display.close()
        if job["state"] != "succeeded":
            problem = job["error"] or {}
            say_error(CimError(str(problem.get("detail", job["state"])), code=str(problem.get("code", job["state"]))))
            return None
        job_id = str(job["id"])
    report: Mapping[str, Any] = orjson.loads(read(f"/api/v1/jobs/{job_id}/quality"))
    return report
