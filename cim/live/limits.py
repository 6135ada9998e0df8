"""The named limits of the live protocol and the codes with which a connection ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

SUBPROTOCOL = "cim.v1+json"


class CloseCode(IntEnum):
    """Why the server ends a WebSocket (RFC 6455 section 7.4.1 and the registered 1013)."""

    GOING_AWAY = 1001
    """The server stops; come back and resume."""
    UNSUPPORTED = 1003
    """A binary frame came; the protocol is text."""
    REFUSED = 1008
    """Too many frames that could not be accepted, or too many of them at once."""
    TOO_LARGE = 1009
    """A frame is larger than ``frame_bytes_max``."""
    OVERLOAD = 1013
    """The client did not read for ``stalled_s_max``; come back later and resume."""


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """Every limit of the live protocol; the field's name is what an error says.

    The ring of a topic holds what a client may resume from: ``ring_deltas_max`` publications and
    at most ``ring_changes_max`` changes in them.
    """

    frame_bytes_max: int = 65_536
    nesting_max: int = 8
    text_length_max: int = 256
    filter_datastreams_max: int = 1_000
    filter_properties_max: int = 64
    rate_hz_max: float = 50.0
    rate_hz_min: float = 0.01
    subscriptions_max: int = 16
    frames_per_s_max: float = 20.0
    frames_burst_max: int = 60
    refusals_max: int = 20
    replies_max: int = 128
    clients_max: int = 5_000
    topics_max: int = 1_000
    subjects_max: int = 100_000
    ring_deltas_max: int = 600
    ring_changes_max: int = 200_000
    resume_changes_max: int = 20_000
    encodings_kept_max: int = 512
    filters_kept_max: int = 512
    heartbeat_s: float = 5.0
    stalled_s_max: float = 30.0
    stopping_s_max: float = 2.0
