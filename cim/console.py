"""What the command line prints: progress in place on a terminal, plain lines elsewhere, errors with a hint."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TextIO

from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cim.errors import CimError
from cim.jobs.progress import progress_line


class JobDisplay:
    """Shows jobs as they go: a bar per step on a terminal, a line per step elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self._rich = RichConsole(file=out)
        self._out = out
        self._bars: Progress | None = None
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._said: set[tuple[str, str, str]] = set()

    def show(self, job: Mapping[str, Any]) -> None:
        """Take in how a job stands, as the API shows it."""
        for step in job["steps"]:
            if step["state"] == "queued":
                continue
            if self._rich.is_terminal:
                self._draw(str(job["id"]), step)
            else:
                self._say(str(job["id"]), step)

    def _draw(self, job_id: str, step: Mapping[str, Any]) -> None:
        if self._bars is None:
            self._bars = Progress(
                TextColumn("{task.description:<12}"),
                BarColumn(bar_width=32),
                TextColumn("{task.fields[amount]}"),
                TimeRemainingColumn(),
                console=self._rich,
            )
            self._bars.start()
        name = str(step["name"])
        key = (job_id, name)
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(name, total=step["total"], amount="")
        done = step["total"] if step["state"] == "succeeded" and step["total"] else step["done"]
        total = step["total"] or (1 if step["state"] == "succeeded" else None)
        self._bars.update(self._tasks[key], completed=done or (total or 0), total=total, amount=_amount(step))

    def _say(self, job_id: str, step: Mapping[str, Any]) -> None:
        name, state = str(step["name"]), str(step["state"])
        # A short step may be over before anybody looked.
        if (job_id, name, "begun") not in self._said:
            self._said.add((job_id, name, "begun"))
            print(f"{name} …", file=self._out, flush=True)
        if state == "running" or (job_id, name, state) in self._said:
            return
        self._said.add((job_id, name, state))
        if state != "succeeded":
            print(f"{name}: {state}", file=self._out, flush=True)
        elif step["unit"]:
            print(progress_line(name, step["done"], step["total"], step["unit"], None), file=self._out, flush=True)

    def close(self) -> None:
        """Leave the terminal tidy."""
        if self._bars is not None:
            self._bars.stop()


def _amount(step: Mapping[str, Any]) -> str:
    if not step["done"] or not step["unit"]:
        return ""
    if step["unit"] == "bytes":
        return f"{step['done'] / 1e6:,.1f} MB"
    return f"{step['done']:,} {step['unit']}"


def say_error(error: CimError) -> None:
    """Print what happened, what to do, and the code."""
    print(f"cim: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"     {error.hint}", file=sys.stderr)
    print(f"     ({error.problem_code})", file=sys.stderr)
