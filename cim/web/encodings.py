"""Content negotiation: which coding a client takes, whether it already has the answer (RFC 9110).  Pure."""

from __future__ import annotations

import gzip
from collections.abc import Collection
from typing import Final, Literal

import brotli

Coding = Literal["br", "gzip"]

PREFERRED: Final[tuple[Coding, ...]] = ("br", "gzip")
SUFFIX: Final[dict[Coding, str]] = {"br": ".br", "gzip": ".gz"}

_COMPRESSIBLE: Final = frozenset(
    {
        "application/city+json",
        "application/city+json-seq",
        "application/geo+json",
        "application/javascript",
        "application/json",
        "application/openapi+json",
        "application/problem+json",
        "application/schema+json",
        "application/vnd.mapbox-vector-tile",
        "application/vnd.mapbox.tile+json",
        "application/vnd.oai.openapi+json",
        "application/wasm",
        "image/svg+xml",
        "model/gltf-binary",
    }
)


def is_compressible(media_type: str) -> bool:
    """Tell whether a media type (parameters are ignored) gets smaller by compression."""
    essence = media_type.partition(";")[0].strip().lower()
    return essence in _COMPRESSIBLE or (essence.startswith("text/") and essence != "text/event-stream")


def choose_coding(accept_encoding: str, available: Collection[Coding] = PREFERRED) -> Coding | None:
    """Return the coding to use, ``None`` for identity.

    RFC 9110 section 12.5.3: a weight of 0 refuses; ``*`` stands for what is not named; between equal
    weights ours is brotli.
    """
    weights = accept_weights(accept_encoding)
    best: Coding | None = None
    best_weight = 0.0
    for coding in PREFERRED:
        weight = weights.get(coding, weights.get("*", 0.0))
        if coding in available and weight > best_weight:
            best, best_weight = coding, weight
    return best if best_weight >= weights.get("identity", 0.0) else None


def accept_weights(accept: str) -> dict[str, float]:
    """Return what an Accept or Accept-Encoding header names, lower case, with its weight (``q``)."""
    weights = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            weight = 0.0
        if name:
            weights[name] = weight
    return weights


def encode(body: bytes, coding: Coding, quality: int = 5) -> bytes:
    """Compress; ``quality`` is brotli's 0-11, for gzip at most 9.  The result is the same each time."""
    if coding == "br":
        compressed: bytes = brotli.compress(body, quality=quality)
        return compressed
    return gzip.compress(body, compresslevel=min(quality, 9), mtime=0)


def entity_tag(digest: str, coding: Coding | None) -> str:
    """Return a strong validator: each coding of a content has its own (RFC 9110 section 8.8.3.3)."""
    return f'"{digest}-{coding}"' if coding else f'"{digest}"'


def has_entity(if_none_match: str | None, etag: str) -> bool:
    """Tell whether an If-None-Match names ``etag``; the comparison is weak (RFC 9110 section 13.1.2)."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return etag in {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
