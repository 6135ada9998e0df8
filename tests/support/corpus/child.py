"""What runs in the jobs' child process: many files one after the other, each as a job would read it."""

from __future__ import annotations

import faulthandler
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cim.city.model import Quarantined
from cim.errors import CimError
from cim.findings import Finding, Verdict
from cim.jobs.bus import Channel, resolve_entry
from cim.jobs.faults import failure_of
from cim.jobs.model import JobLimits
from cim.quality.model import QualityNotes
from ingest.prepared import ObjectBatch
from ingest.records import SourceHeader

EXAMPLES: Final = 3
TOLD: Final = frozenset({"outside-crs-area", "parent-missing"})
"""Lines of the quality report that tell of a malformed file: axes swapped, another CRS, links to nothing."""


class _Listening:
    """Stands for the channel to the store: counts what is handed over."""

    def __init__(self) -> None:
        self.objects = 0
        self.others = 0
        self.quarantined: list[Quarantined] = []
        self.count = 0
        self.findings = 0

    def step(self, name: str, total: int | None = None, unit: str = "") -> None:
        pass

    def progress(self, done: int, total: int | None = None) -> None:
        pass

    def payload(self, body: object) -> None:
        match body:
            case ObjectBatch():
                self.objects += body.objects.num_rows
            case Quarantined():
                self.count += 1
                if len(self.quarantined) < EXAMPLES:
                    self.quarantined.append(body)
            case Finding():
                self.findings += body.verdict is not Verdict.PASS
            case QualityNotes():
                self.findings += sum(fault["code"] in TOLD for fault in body.document["faults"])
            case SourceHeader():
                pass
            case _:
                self.others += 1


def read_all(params: Mapping[str, Any], channel: Channel) -> Mapping[str, object]:
    """Read each of ``params["files"]``; tell before it which one, and after it what became of it.

    A file that takes longer than ``params["wall_s"]``, even in foreign code, ends this process.
    """
    read = resolve_entry(str(params["entry"]))
    for file in params["files"]:
        channel.payload({"begin": file["name"]})
        channel.flush()
        faulthandler.dump_traceback_later(float(params["wall_s"]), exit=True)
        told = _one(read, file)
        faulthandler.cancel_dump_traceback_later()
        channel.payload(told)
    return {}


def _one(read: Any, file: Mapping[str, Any]) -> dict[str, Any]:
    _forget_peak()
    before, began = _kib("VmRSS"), time.process_time()
    heard = _Listening()
    told: dict[str, Any] = {"name": file["name"], "error": None}
    try:
        read({"path": file["path"], "dataset": "corpus", "source_crs": file["crs"], "mapping": file["mapping"]}, heard)
    except Exception as error:  # noqa: BLE001 -- what comes is what is looked at
        said = failure_of(error, JobLimits()).as_error()
        own = isinstance(error, CimError | MemoryError)
        told["error"] = {"code": said.problem_code, "message": said.message, "hint": said.hint, "own": own}
        told["class"] = f"{type(error).__name__}: {error}"[:300]
    told["cpu_s"] = time.process_time() - began
    told["peak_mib"] = (_kib("VmHWM") - before) / 1024
    told["objects"], told["others"], told["findings"] = heard.objects, heard.others, heard.findings
    told["quarantined"] = heard.count
    told["examples"] = [[one.feature, one.code, one.reason] for one in heard.quarantined]
    return told


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _kib(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def planted(params: Mapping[str, Any], channel: Any) -> None:
    """A reader with a fault, which the file names: what the harness has to see."""
    fault = Path(str(params["path"])).read_text(encoding="utf-8")
    if fault == "crash":
        os.abort()
    elif fault == "hang":
        while True:
            pass
    elif fault == "raise":
        raise KeyError("an error of the program's own")
    elif fault == "grow":
        grown = bytearray(1_200_000_000)
        grown[::4096] = bytes(len(range(0, len(grown), 4096)))
    elif fault == "wordless":
        channel.payload(Quarantined("", "", ""))
    elif fault == "refuse":
        raise CimError("It is wrong.", hint="Make it right.", code="wrong")
    # Whatever else it is, it is passed over in silence.
