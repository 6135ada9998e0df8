"""A case: a file that is wrong, and what has to be said of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REFUSED: Final = "refused"
"""The whole has to be refused."""
NOTICED: Final = "noticed"
"""Something has to be said: the whole refused, a feature put aside, or a finding."""
ANY: Final = "any"
"""It may well be read; it must not crash, hang or eat the memory."""

Make = Callable[[Path], Path]
"""Writes a file, or several, into an empty folder and returns what is to be ingested."""

Mutation = tuple[str, str, bytes]
"""Name, expectation and bytes."""


@dataclass(frozen=True, slots=True)
class Case:
    """One malformed input; ``crs`` is what ``--crs`` says."""

    name: str
    expect: str
    make: Make
    crs: str | None = None
    mapping: str | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """A format of the corpus.

    ``good`` writes a sound file; ``text``: bytes are characters; ``prefix_ok``: a beginning of a file is a file,
    too; ``lenient``: what is damaged inside may go unseen (no checksums, free pages).
    """

    name: str
    good: Make
    text: bool = False
    prefix_ok: bool = False
    lenient: bool = False
    wide_ok: bool = False
    up: int = 0
    crs: str | None = None
    special: Callable[[Path], Iterator[Case]] | None = None


def rewritten(form: Format, change: Callable[[bytes], bytes] = bytes) -> Make:
    """Return a writer of the good file with its bytes changed."""

    def make(folder: Path) -> Path:
        path = form.good(folder)
        path.write_bytes(change(path.read_bytes()))
        return path.parents[form.up - 1] if form.up else path

    return make


def bytes_of(name: str, body: bytes) -> Make:
    """Return a writer of some bytes."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(body)
        return path

    return make


def flipped(body: bytes, chance: random.Random, share: float) -> bytes:
    """Return bytes of which some are others."""
    out = bytearray(body)
    for _ in range(max(1, int(len(out) * share))):
        out[chance.randrange(len(out))] = chance.randrange(256)
    return bytes(out)


def generic(form: Format, seed: int) -> Iterator[Case]:
    """Yield what can go wrong with any file."""
    cut = ANY if form.prefix_ok else NOTICED
    inside = ANY if form.lenient else NOTICED
    for share in (0.02, 0.15, 0.4, 0.7, 0.95):
        yield _case(form, f"cut at {share:.0%}", cut, lambda body, s=share: body[: max(1, int(len(body) * s))])
    yield _case(form, "empty", REFUSED, lambda _body: b"")
    yield _case(form, "one byte", REFUSED, lambda body: body[:1])
    yield _case(form, "a web page", REFUSED, lambda _body: b"<!DOCTYPE html><html><body>404 not found</body></html>")
    yield _case(form, "zeros first", NOTICED, lambda body: bytes(4096) + body)
    yield _case(form, "zeros within", inside, _zeroed)
    yield _case(form, "noise behind its head", NOTICED, lambda body: body[:16] + _noise(form, seed, len(body)))
    yield _case(form, "twice", ANY, lambda body: body + body)
    for number, share in enumerate((0.0005, 0.005, 0.05)):
        yield _case(
            form,
            f"bytes changed {share:.2%}",
            ANY,
            lambda body, n=number, s=share: flipped(body, random.Random(f"{seed}-{form.name}-{n}"), s),
        )
    if form.text:
        yield _case(
            form,
            "utf-16",
            ANY if form.wide_ok else NOTICED,
            lambda body: body.decode("utf-8", "replace").encode("utf-16"),
        )
        yield _case(form, "not utf-8", ANY, lambda body: body.replace(b"e", b"\xe9\xff"))
        yield _case(form, "control characters", ANY, lambda body: body.replace(b",", b"\x00\x07"))


def _case(form: Format, what: str, expect: str, change: Callable[[bytes], bytes]) -> Case:
    return Case(f"{form.name}: {what}", expect, rewritten(form, change), crs=form.crs)


def _zeroed(body: bytes) -> bytes:
    third = len(body) // 3
    return body[:third] + bytes(third) + body[2 * third :]


def _noise(form: Format, seed: int, size: int) -> bytes:
    return random.Random(f"{seed}-{form.name}").randbytes(size)
