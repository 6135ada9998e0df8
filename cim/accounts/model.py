"""Roles, first cut."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do."""

    VISITOR = "visitor"
    """Explore what is published."""
    PLANNER = "planner"
    """Make, edit and publish schemes."""


@dataclass(frozen=True, slots=True)
class Who:
    """The author of a write, and the idempotency key that it carries with the fingerprint of its content."""

    author: str
    key: str | None = None
    fingerprint: str = ""
