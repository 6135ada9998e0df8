"""A delivery: one TOML file that lists what a bureau hands over, each file with what it cannot say itself.

::

    folder = "."                      # where the files are, from here
    title = "Boston, tile H-4"
    working_crs = "EPSG:26986"
    time_zone = "America/New_York"

    [[source]]
    path = "models.zip"
    dataset = "boston"
    crs = "EPSG:2249"
    within = [-71.0748, 42.3500, -71.0562, 42.3639]
    where = { class = ["tree"] }
    words = { function = { R1 = "residential" } }
    [source.mapping]
    …

``cim ingest delivery.toml`` takes the sources in, one after the other, each as a baseline of its own that can be
taken back.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from cim.errors import InvalidInput
from cim.ids import dataset_slug

DELIVERY_BYTES_MAX: Final = 1024 * 1024
"""Text of a delivery file."""

SOURCES_MAX: Final = 1_000
"""Sources of one delivery."""

SUFFIX: Final = ".toml"
_CITY: Final = ("title", "title_zh", "working_crs", "time_zone", "first_view")
_WHOLE: Final = frozenset({"folder", "source", *_CITY})
_PLAIN: Final = ("crs", "priority", "match_id", "invalid", "network")
_SELECTION: Final = ("within", "where", "words")
_ERROR: Final = "vertical_error_m"
_OF_SOURCE: Final = frozenset({"path", "dataset", "mapping", "join", _ERROR, *_SELECTION, *_PLAIN})
_PARAM_OF: Final = {"crs": "source_crs", "network": "network_id", "title": "title_en"}


@dataclass(frozen=True, slots=True)
class Source:
    """One file or folder of a delivery, and the parameters of the job that takes it in."""

    path: Path
    params: Mapping[str, object]


def sources_of(path: Path, given: Mapping[str, object]) -> list[Source]:
    """Return what a path stands for: the sources of a delivery, or itself with the parameters that were given.

    Raises :class:`InvalidInput` for a path that is not there (``no-file``), for a delivery that cannot be used
    (``delivery``) or that parameters were given with which it says itself (``usage``).
    """
    if not path.exists():
        raise InvalidInput(f"There is no file {path}.", hint="Check the path.", code="no-file")
    if path.suffix.lower() != SUFFIX:
        dataset = given.get("dataset") or dataset_slug(path.name.split(".")[0])
        return [Source(path, {**given, "path": str(path.absolute()), "dataset": dataset})]
    if any(value is not None for value in given.values()):
        raise InvalidInput(f"{path.name} says that itself.", hint="Give the delivery alone.", code="usage")
    with path.open("rb") as file:
        return read_delivery(file.read(DELIVERY_BYTES_MAX + 1), path)


def read_delivery(text: bytes, file: Path) -> list[Source]:
    """Return the sources that a delivery lists, in its order; ``file`` is where its text comes from.

    Raises :class:`InvalidInput` (``delivery``) that names what is wrong.
    """
    if len(text) > DELIVERY_BYTES_MAX:
        raise _wrong(file, f"it is longer than {DELIVERY_BYTES_MAX:,} bytes")
    try:
        body = tomllib.loads(text.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(file, "it is no TOML in UTF-8") from error
    unknown = set(body) - _WHOLE
    if unknown:
        raise _wrong(file, f"{min(unknown)[:40]!r} is no member of a delivery")
    sources = body.get("source")
    if not isinstance(sources, list) or not sources or not all(isinstance(one, dict) for one in sources):
        raise _wrong(file, "it lists no [[source]]")
    if len(sources) > SOURCES_MAX:
        raise _wrong(file, f"it lists more than {SOURCES_MAX:,} sources")
    folder = file.parent / _text(file, body, "folder", ".")
    city = {_PARAM_OF.get(name, name): body[name] for name in _CITY if name in body}
    last = len(sources) - 1  # before it, tiles need not be built: there is ``more``
    return [_source(file, folder, one, {**city, "more": number < last}) for number, one in enumerate(sources)]


def _source(file: Path, folder: Path, said: Mapping[str, Any], city: Mapping[str, object]) -> Source:
    unknown = set(said) - _OF_SOURCE
    if unknown:
        raise _wrong(file, f"{min(unknown)[:40]!r} is no member of a source")
    name = _text(file, said, "path", "")
    if not name:
        raise _wrong(file, "a source has no path")
    path = (folder / name).absolute()
    params: dict[str, object] = {
        "path": str(path),
        "dataset": dataset_slug(_text(file, said, "dataset", path.name.split(".")[0])),
        **city,
    }
    for member in _PLAIN:
        if member in said:
            params[_PARAM_OF.get(member, member)] = _text(file, said, member, "")
    if _ERROR in said:
        params[_ERROR] = _number(file, said[_ERROR], _ERROR)
    if "mapping" in said:
        params["mapping"] = _json(file, said["mapping"], "mapping")
    if "join" in said:
        if not isinstance(said["join"], bool):
            raise _wrong(file, "'join' is true or false")
        params["join"] = said["join"]
    selection = {member: said[member] for member in _SELECTION if member in said}
    if selection:
        params["selection"] = _json(file, selection, "within")
    return Source(path, params)


def _json(file: Path, value: object, name: str) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise _wrong(file, f"{name!r} has a value that is neither text, number, list nor table") from error


def _number(file: Path, value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(file, f"{name!r} is a number")
    return float(value)


def _text(file: Path, said: Mapping[str, Any], name: str, default: str) -> str:
    value = said.get(name, default)
    if not isinstance(value, str) or "\x00" in value:
        raise _wrong(file, f"{name!r} is a line of text")
    return value


def _wrong(file: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"{file.name} cannot be used as a delivery: {why}.",
        hint="See docs/boston.md for one.",
        code="delivery",
        file=file.name,
    )
