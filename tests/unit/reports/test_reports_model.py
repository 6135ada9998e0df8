"""The printed report: what may be asked for, and the words that go through the browser's pipe."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from cim.errors import InvalidInput, LimitExceeded, Unavailable
from cim.reports.model import check_wish, command_of, message, report_address, result_of, split_messages
from cim.reports.service import Printer

SCHEME = "s2wmvm2gb"


def test_each_scheme_is_told_once() -> None:
    assert check_wish([SCHEME, "sabcdefgh", SCHEME], "zh") == (SCHEME, "sabcdefgh")
    assert check_wish([], "en") == ()


@pytest.mark.parametrize("name", ["base", "S2WMVM2GB", "s2wmvm2gb/../x", "s1111111", ""])
def test_what_is_no_scheme_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_wish([name], "en")


def test_there_is_an_end_to_what_is_compared_and_to_languages() -> None:
    with pytest.raises(LimitExceeded):
        check_wish([f"saaaaaaa{letter}" for letter in "abcdef"], "en")
    with pytest.raises(InvalidInput):
        check_wish([SCHEME], "fr")


def test_the_token_is_in_no_request() -> None:
    parts = urlsplit(report_address("http://127.0.0.1:8000", (SCHEME,), "zh", "t0ken"))
    assert (parts.path, parts.fragment) == ("/plan/report", "token=t0ken")
    assert parse_qs(parts.query) == {"schemes": [SCHEME], "lang": ["zh"], "quality": ["fast"]}


def test_root_alone_goes_without_a_sandbox() -> None:
    assert "--no-sandbox" in command_of("chromium", "/x", as_root=True)
    assert "--no-sandbox" not in command_of("chromium", "/x", as_root=False)


def test_messages_are_whole_or_wait() -> None:
    one, two = message(1, "Page.enable", {}, "s"), message(2, "Page.navigate", {"url": "http://x"})
    whole, rest = split_messages(one + two[:-4])
    assert [said["id"] for said in whole] == [1]
    assert whole[0] == {"id": 1, "method": "Page.enable", "params": {}, "sessionId": "s"}
    assert [said["id"] for said in split_messages(rest + two[-4:])[0]] == [2]


def test_a_refusal_of_the_browser_is_told_without_its_words() -> None:
    assert result_of({"result": {"data": "x"}}) == {"data": "x"}
    with pytest.raises(Unavailable) as caught:
        result_of({"error": {"message": "secret path"}})
    assert "secret" not in str(caught.value)


def test_without_a_browser_it_says_what_to_install() -> None:
    with pytest.raises(Unavailable) as caught:
        Printer("no-such-browser-anywhere").print_pdf("http://127.0.0.1:1/")
    assert caught.value.problem_code == "no-chromium"
