"""What the child processes of the upload tests do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from cim.jobs.bus import Channel


def first_bytes(params: Mapping[str, object], channel: Channel) -> dict[str, object]:
    """Say what a job's path holds; a file that begins with ``slow`` takes its time."""
    path = Path(str(params["path"]))
    channel.step("read")
    if path.is_dir():
        return {"kind": "folder", "files": len(list(path.rglob("*")))}
    first = path.read_bytes()[:15]
    if first.startswith(b"slow"):
        for moment in range(200):
            channel.progress(moment)
            time.sleep(0.1)
    return {"kind": "file", "first": first.decode()}
