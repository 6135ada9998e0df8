"""The planner token: kept, private, compared whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from cim.accounts.model import Role
from cim.accounts.service import Accounts
from cim.accounts.store import planner_token
from cim.accounts.tokens import bearer, is_token
from cim.errors import Unauthorized
from cim.web.asking import author_name


def test_a_token_is_made_once_and_kept(tmp_path: Path) -> None:
    first = planner_token(tmp_path)
    assert is_token(first)
    assert planner_token(tmp_path) == first
    assert (tmp_path / "planner-token").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe" * 30, b"x" * 1000, b"two tokens in one file, no"])
def test_a_file_that_holds_no_token_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "planner-token").write_bytes(content)
    token = planner_token(tmp_path)
    assert is_token(token)
    assert token.encode() != content


def test_a_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    token = planner_token(tmp_path)
    path = tmp_path / "planner-token"
    path.chmod(0o644)
    assert planner_token(tmp_path) == token
    assert path.stat().st_mode & 0o777 == 0o600


def test_roles_follow_the_token() -> None:
    accounts = Accounts("a" * 32)
    assert accounts.role_in("Bearer " + "a" * 32) is Role.PLANNER
    assert accounts.role_in("bearer " + "a" * 32) is Role.PLANNER
    for header in ("", "Bearer", "Bearer " + "a" * 31, "Bearer " + "a" * 33, "Basic " + "a" * 32, "Bearer Å\udc80"):
        assert accounts.role_in(header) is Role.VISITOR
        with pytest.raises(Unauthorized):
            accounts.require_planner(header)


def test_the_header_is_read_within_its_length() -> None:
    assert len(bearer("Bearer " + "x" * 10_000)) == 256


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("", "planner"),
        ("Mei", "Mei"),
        ("%E6%A2%85", "梅"),
        ("%00%0AMei%7F", "Mei"),
        ("x" * 500, "x" * 80),
        ("%FF", "\ufffd"),
    ],
)
def test_an_author_is_a_line_of_text(header: str, name: str) -> None:
    assert author_name(header) == name
