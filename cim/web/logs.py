"""How log lines are written: one event a line, no values of local variables in a traceback."""

from __future__ import annotations

import structlog


def configure_logs(*, as_json: bool) -> None:
    """Set up structlog for the process: readable on a terminal, or JSON for a collector."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(processors=[*shared, *last], cache_logger_on_first_use=False)
