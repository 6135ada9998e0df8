from __future__ import annotations

import pytest

from cim.web.security import content_security_policy, is_allowed_host, is_open_path, is_same_origin

NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "LOCALHOST"])
def test_loopback_is_always_answered(host: str) -> None:
    assert is_allowed_host(host, NONE)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhost:8000;x", "a b", "localhost:x",
     "::1", "localhost, evil.example", "local\nhost"],
)  # fmt: skip
def test_another_name_is_not(host: str) -> None:
    assert not is_allowed_host(host, NONE)


def test_a_configured_name_is_answered_and_a_star_answers_all_that_are_names() -> None:
    assert is_allowed_host("city.example:443", frozenset({"city.example"}))
    assert is_allowed_host("any.example", frozenset({"*"}))
    assert not is_allowed_host("not a name", frozenset({"*"}))


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        ("http://localhost:8000", True),
        ("https://localhost:8000", True),
        ("http://localhost", False),
        ("http://localhost:8001", False),
        ("http://localhost:8000.evil.example", False),
        ("null", False),
        ("file://", False),
        ("", False),
        ("ftp://localhost:8000", False),
        ("http://user@localhost:8000", False),
    ],
)
def test_an_origin_is_the_servers_by_host_and_port(origin: str, same: bool) -> None:
    assert is_same_origin(origin, "localhost:8000", NONE) is same


def test_a_configured_origin_is_allowed_with_its_scheme_only() -> None:
    allowed = frozenset({"https://maps.example"})
    assert is_same_origin("https://maps.example", "localhost:8000", allowed)
    assert not is_same_origin("http://maps.example", "localhost:8000", allowed)


@pytest.mark.parametrize(
    ("path", "is_open"),
    [
        ("/tiles/base/tileset.json", True),
        ("/ogc", True),
        ("/ogc/collections", True),
        ("/s/base/ogc/api", True),
        ("/ogcx", False),
        ("/s/a/b/ogc", False),
        ("/api/v1/city", False),
        ("/explore", False),
    ],
)
def test_only_tiles_and_features_are_open_to_other_origins(path: str, is_open: bool) -> None:
    assert is_open_path(path) is is_open


def test_the_policy_has_no_unsafe_source_and_names_the_host_for_sockets() -> None:
    policy = content_security_policy("city.example")
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "connect-src 'self' ws://city.example wss://city.example;" in policy
    assert "connect-src 'self';" in content_security_policy(None)


def test_only_those_that_are_named_may_frame_a_page() -> None:
    assert "frame-ancestors 'none'" in content_security_policy(None)
    policy = content_security_policy(None, "'self' https://news.example")
    assert policy.endswith("frame-ancestors 'self' https://news.example")


def test_the_element_for_other_sites_may_be_read_by_them() -> None:
    assert is_open_path("/assets/cim-viewer.js")
    assert not is_open_path("/assets/cim-viewer.js.map")
    assert not is_open_path("/assets/explore.js")
