"""What is printed, and what a browser says while it prints (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from cim.errors import InvalidInput, LimitExceeded, Unavailable

LANGUAGES: Final = ("en", "zh")
SCHEMES_MAX: Final = 5
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""Names under which Chromium is installed, the first found is taken."""

_SCHEME: Final = re.compile(r"s[a-z2-7]{8}")
_END: Final = b"\0"

FLAGS: Final = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--window-size=1120,1400",
)

PAPER: Final = {"printBackground": True, "preferCSSPageSize": True, "paperWidth": 8.27, "paperHeight": 11.69}
"""A4 in inches, as the browser counts; the page's own style has the margins."""


def check_wish(schemes: Sequence[str], lang: str) -> tuple[str, ...]:
    """Return the schemes of a report, each once; raises :class:`InvalidInput`, :class:`LimitExceeded`."""
    wrong = [name for name in schemes if _SCHEME.fullmatch(name) is None]
    if wrong:
        raise InvalidInput("That is not the id of a scheme.", hint="Such as s2wmvm2gb.", code="report-schemes")
    if lang not in LANGUAGES:
        raise InvalidInput("A report is in en or zh.", code="report-lang")
    found = tuple(dict.fromkeys(schemes))
    if len(found) > SCHEMES_MAX:
        raise LimitExceeded("Too many schemes for one report.", code="report-schemes-max", limit=SCHEMES_MAX)
    return found


def report_address(server: str, schemes: Sequence[str], lang: str, token: str = "") -> str:
    """Return the address of the report page; the token stands where no server sees it."""
    asked = {"schemes": ",".join(schemes), "lang": lang, "quality": "fast"}
    hidden = f"#token={token}" if token else ""
    return f"{server}/plan/report?{urlencode({name: text for name, text in asked.items() if text})}{hidden}"


def command_of(browser: str, profile: str, *, as_root: bool) -> list[str]:
    """Return the command that starts a browser on a profile of its own; root has no sandbox to offer."""
    return [browser, *FLAGS, f"--user-data-dir={profile}", *(["--no-sandbox"] if as_root else []), "about:blank"]


def message(number: int, method: str, params: Mapping[str, Any], session: str | None = None) -> bytes:
    """Return a command of the DevTools protocol as it goes through the pipe."""
    said = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
    return orjson.dumps(said) + _END


def split_messages(held: bytes) -> tuple[list[dict[str, Any]], bytes]:
    """Return the whole messages of what has come, and the rest."""
    *whole, rest = held.split(_END)
    return [orjson.loads(part) for part in whole if part], rest


def result_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a command brought; raises :class:`Unavailable` where the browser refused it."""
    if "error" in answer:
        raise Unavailable("The browser could not print the report.", code="report-failed")
    result: Mapping[str, Any] = answer.get("result", {})
    return result
