"""Tilesets: which build of a scheme's tiles is current, and which paths may be asked for.  Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from cim.errors import IntegrityError, InvalidInput, NotFound

BASE_SCHEME: Final = "base"
POINTS: Final = "points"
"""The point cloud of the city: its builds lie beside those of schemes, and are served under each of them."""
POINTER_NAME: Final = "current"
PACKED: Final = ".br"
"""A file of which only this twin is kept ends in it."""
KEPT_BESIDE: Final = ("plan",)
"""Files of a build that are no tiles: never served, never copied."""
PATH_LENGTH_MAX: Final = 300

_SCHEME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_BUILD: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_CONTENT_NAMED: Final = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{48})?\.[a-z0-9]{1,8}")
_SUFFIXES: Final = frozenset({".json", ".glb"})


@dataclass(frozen=True, slots=True)
class Pointer:
    """Says which build is current; ``baseline_version`` is that of the city that was built.

    A scheme's build has only what differs from the build ``base`` of the city; ``sequence`` is the edit that it shows.
    """

    build: str
    baseline_version: int | None = None
    base: str | None = None
    sequence: int | None = None

    def to_document(self) -> dict[str, object]:
        """Return what is written to the pointer file."""
        document: dict[str, object] = {"build": self.build, "baseline_version": self.baseline_version}
        return document if self.base is None else {**document, "base": self.base, "sequence": self.sequence}


def pointer_from_document(document: Any) -> Pointer:
    """Return a pointer; raises :class:`IntegrityError` for anything else."""
    build = document.get("build") if isinstance(document, dict) else None
    if not isinstance(build, str) or not _BUILD.fullmatch(build):
        raise IntegrityError("The tileset's pointer is damaged.", hint="Run: cim tiles build", code="tiles-pointer")
    version, base, sequence = (document.get(name) for name in ("baseline_version", "base", "sequence"))
    return Pointer(
        build,
        version if isinstance(version, int) else None,
        base if isinstance(base, str) and _BUILD.fullmatch(base) else None,
        sequence if isinstance(sequence, int) else None,
    )


def check_scheme(scheme: str) -> str:
    """Return the name of a scheme; raises :class:`NotFound` for what cannot be one."""
    if not _SCHEME.fullmatch(scheme):
        raise NotFound("There is no such scheme.", code="scheme")
    return scheme


def check_build(build: str) -> str:
    """Return the name of a build; raises :class:`InvalidInput` for what cannot be one."""
    if not _BUILD.fullmatch(build):
        raise InvalidInput("That is not a name for a build.", code="tiles-build")
    return build


def path_segments(path: str) -> tuple[str, ...]:
    """Split the path of a tile; raises :class:`NotFound` for any that no build writes.

    Segments start with a letter, digit, hyphen or underscore, so ``..`` and hidden files have no
    address.
    """
    segments = tuple(path.split("/"))
    sound = len(path) <= PATH_LENGTH_MAX and all(_SEGMENT.fullmatch(segment) for segment in segments)
    if not sound or not any(segments[-1].endswith(suffix) for suffix in _SUFFIXES):
        raise NotFound("There is no such tile.", code="tile")
    return segments


def is_content_named(name: str) -> bool:
    """Tell whether a file is named by its SHA-256 (16 or 64 hex digits): it never changes."""
    return _CONTENT_NAMED.fullmatch(name) is not None
