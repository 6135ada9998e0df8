"""The planner token on disk: one file in the data directory, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cim.accounts.tokens import TOKEN_BYTES, TOKEN_LENGTH_MAX, is_token
from cim.db.directory import fsync_path

TOKEN_NAME: Final = "planner-token"  # noqa: S105 -- a file's name
_MODE: Final = 0o600


def planner_token(directory: Path) -> str:
    """Return the token of a data directory that this process owns, making it the first time.

    A file that holds no token (empty, cut) is replaced; its mode is put right where it is too open.
    """
    path = directory / TOKEN_NAME
    try:
        with path.open("rb") as stream:
            found = stream.read(TOKEN_LENGTH_MAX + 2).decode("ascii", "replace").strip()
    except FileNotFoundError:
        found = ""
    if is_token(found):
        if path.stat().st_mode & 0o077:
            path.chmod(_MODE)
        return found
    return _write(path, secrets.token_urlsafe(TOKEN_BYTES))


def _write(path: Path, token: str) -> str:
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    with os.fdopen(fd, "w", encoding="ascii") as stream:
        stream.write(f"{token}\n")
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
    fsync_path(path.parent)
    return token
