"""The kinds of values that features have.  Pure."""

from __future__ import annotations

from typing import Literal

PropertyType = Literal["string", "number", "integer", "boolean"]
Bbox = tuple[float, float, float, float]
Scalar = str | int | float | bool
