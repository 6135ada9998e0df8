"""What an upload may be: names, sizes, and what is said of it (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import available_timezones

import orjson

from cim.errors import InvalidInput, LimitExceeded
from cim.geometry.crs import parse_crs
from cim.geometry.rtin import check_vertical_error
from cim.ids import dataset_slug

UPLOAD_BYTES_MAX: Final = 8_000_000_000
"""All files of one upload, and so one file."""
FILES_MAX: Final = 5_000
UPLOADS_MAX: Final = 16
"""Uploads that wait to be taken in."""
KEPT_S: Final = 86_400
"""Seconds that an upload is kept after its last file, unless a job reads it."""
FREE_BYTES_MIN: Final = 256 * 1024**2
"""Room on the disk that uploads leave to the city."""
NAME_BYTES_MAX: Final = 200
"""Bytes of one part of a file's path."""
DEPTH_MAX: Final = 16
MAPPING_BYTES_MAX: Final = 1024**2

POLICIES: Final = ("keep", "quarantine")
_FORBIDDEN: Final = frozenset('\\:*?"<>|')
"""Characters that some systems do not have in names."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of an upload: its path within it, and its bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Upload:
    """Files that belong together, in the order of their names."""

    id: str
    name: str
    files: tuple[UploadedFile, ...]
    touched_at: datetime

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Said:
    """What a planner says of an upload; ``None`` is left to the files, or to guessing.

    ``title`` and ``time_zone`` count where the city has nothing yet.
    """

    crs: str | None = None
    dataset: str | None = None
    mapping: Mapping[str, Any] | None = None
    policy: str | None = None
    vertical_error_m: float | None = None
    title: str | None = None
    title_zh: str | None = None
    time_zone: str | None = None
    priority: str | None = None


def check_name(name: str) -> tuple[str, ...]:
    """Return the parts of a file's path within its upload; raises :class:`InvalidInput` (``upload-name``).

    Nothing that leads out of a folder is let through: no empty part, no ``.`` or ``..``, no absolute path, no
    control character.
    """
    parts = tuple(name.split("/"))
    if not name or len(parts) > DEPTH_MAX or not all(_is_plain(part) for part in parts):
        raise InvalidInput(
            "The file has a name that cannot be kept.",
            hint="Rename it: letters, digits, spaces, dots and hyphens.",
            code="upload-name",
            name="".join(c for c in name[:80] if c.isprintable()),
        )
    return parts


def _is_plain(part: str) -> bool:
    return (
        part.strip(" .") != ""
        and part == part.strip()
        and part.isprintable()
        and not _FORBIDDEN & set(part)
        and _bytes(part) <= NAME_BYTES_MAX
    )


def _bytes(part: str) -> int:
    try:
        return len(part.encode("utf-8"))
    except UnicodeEncodeError:
        return NAME_BYTES_MAX + 1


def check_room(measured: int, limit: int, code: str) -> None:
    """Raise :class:`LimitExceeded` with a stable code where something is over its limit."""
    if measured > limit:
        raise LimitExceeded("The upload is over a limit.", code=code, limit=limit, measured=measured)


def job_params(upload: Upload, path: str, said: Said) -> dict[str, object]:
    """Return the parameters of the job that reads an upload; raises :class:`InvalidInput` for what cannot be.

    They are those of ``cim ingest``; ``upload`` says where the files came from.
    """
    if said.crs is not None:
        parse_crs(said.crs)
    if said.policy is not None and said.policy not in POLICIES:
        raise InvalidInput("The policy is keep or quarantine.", code="upload-policy", policy=said.policy[:40])
    if said.time_zone is not None and said.time_zone not in available_timezones():
        raise InvalidInput("That is not a time zone.", hint="Such as Europe/Amsterdam.", code="upload-time-zone")
    error_m = None if said.vertical_error_m is None else check_vertical_error(said.vertical_error_m)
    params: dict[str, object] = {
        "path": path,
        "upload": upload.id,
        "dataset": dataset_slug(said.dataset or upload.name.split(".")[0]),
        "source_crs": said.crs,
        "mapping": None if said.mapping is None else _json(said.mapping),
        "invalid": said.policy,
        "vertical_error_m": error_m,
        "title_en": said.title,
        "title_zh": said.title_zh,
        "time_zone": said.time_zone,
        "priority": said.priority,
    }
    return {name: value for name, value in params.items() if value is not None}


def _json(mapping: Mapping[str, Any]) -> str:
    text = orjson.dumps(mapping)
    check_room(len(text), MAPPING_BYTES_MAX, "upload-mapping-bytes")
    return text.decode()
