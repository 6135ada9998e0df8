"""Settings: read once, by the composition root, from the environment (``CIM_…``) and the command line.

Every field is described in docs/settings.md; a test holds the two together.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_ORIGIN: Final = re.compile(r"\*|https?://[a-z0-9._-]+(?::[0-9]{1,5})?")


class Settings(BaseSettings):
    """What an operator may choose; each has a default that suits one machine."""

    model_config = SettingsConfigDict(env_prefix="CIM_", frozen=True)

    data: Path = Field(default=Path("cim-data"), description="The city's data directory.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Host names that the server answers to, besides loopback; comma-separated; * for any."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Other origins that may write or open /live, as https://name; comma-separated."
    )
    embed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Other origins whose pages may show /embed in a frame; comma-separated; * for any."
    )
    body_bytes_max: int = Field(default=1_048_576, ge=1_024, description="Bytes that a request body may have.")
    url_bytes_max: int = Field(default=8_192, ge=256, description="Bytes that a path with its query may have.")
    headers_max: int = Field(default=100, ge=10, description="Header fields that a request may have.")
    header_bytes_max: int = Field(default=32_768, ge=1_024, description="Bytes that all header fields may have.")
    rate_per_s: float = Field(
        default=200.0, ge=0.0, description="Requests per second of one client address, on average; 0 is no limit."
    )
    rate_burst: int = Field(default=1_000, ge=1, description="Requests that one client address may send at once.")
    stop_s_max: float = Field(default=10.0, gt=0.0, description="Seconds that open requests have when stopping.")
    tile_builds_kept: int = Field(
        default=2, ge=2, description="Tile builds kept of each scheme, the current one included."
    )
    replay_speed: float = Field(
        default=60.0, gt=0.0, le=3_600.0, description="How much faster than the clock the sample's day is replayed."
    )
    chromium: str = Field(
        default="", max_length=4_096, description="The Chromium that prints reports; one of this machine's if empty."
    )
    log_json: bool = Field(default=False, description="Write log lines as JSON.")

    @field_validator("allowed_hosts", "allowed_origins", "embed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("embed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # They are written into a header of /embed as they are.
        wrong = [origin for origin in value if _ORIGIN.fullmatch(origin) is None]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is not an origin such as https://name")
        return value
