"""The command line's parts: sockets, the look at the machine, what progress looks like."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import pytest

from cim.console import JobDisplay
from cim.doctor import examine
from cim.errors import Conflict, InvalidInput
from cim.server import address_of, bind


def test_port_0_takes_a_free_one_and_the_address_says_which() -> None:
    with bind("127.0.0.1", 0) as listening:
        address = address_of(listening)
        assert address == f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_an_address_for_all_interfaces_is_shown_as_this_machine() -> None:
    with bind("0.0.0.0", 0) as listening:
        assert address_of(listening).startswith("http://127.0.0.1:")


def test_a_taken_port_is_a_conflict_that_names_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Conflict) as caught:
            bind("127.0.0.1", port)
    assert caught.value.problem_code == "port-in-use"
    assert caught.value.params["port"] == port


@pytest.mark.parametrize(("host", "port"), [("203.0.113.7", 8000), ("127.0.0.1", 70_000)])
def test_an_address_that_is_not_ours_is_said(host: str, port: int) -> None:
    with pytest.raises(InvalidInput):
        bind(host, port)


def test_the_doctor_names_what_is_missing_and_the_remedy(tmp_path: Path) -> None:
    checks = {check.name: check for check in examine(tmp_path / "city", tmp_path / "no-bundle")}
    assert checks["Python"].good
    assert not checks["Viewer bundle"].good
    assert checks["Viewer bundle"].remedy == "make bundle"
    assert not checks["Export bundle"].good
    assert "will be made" in checks["Data directory"].found


def test_the_doctor_looks_at_each_bundle_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "explore.html").touch()
    (tmp_path / "export.css").touch()
    checks = {check.name: check for check in examine(tmp_path / "city", tmp_path)}
    assert checks["Viewer bundle"].good
    assert (checks["Export bundle"].good, checks["Export bundle"].found) == (False, "no export.js")
    (tmp_path / "export.js").touch()
    assert {check.name: check.good for check in examine(tmp_path / "city", tmp_path)}["Export bundle"]


def job(*steps: tuple[str, str], id_: str = "a") -> dict[str, object]:
    return {
        "id": id_,
        "steps": [
            {"name": name, "state": state, "done": 5, "total": 10, "unit": "features", "rate_per_s": 1.0}
            for name, state in steps
        ],
    }


def test_elsewhere_than_on_a_terminal_a_step_is_one_plain_line() -> None:
    out = io.StringIO()
    display = JobDisplay(out)
    for _ in range(3):
        display.show(job(("read", "running"), ("water", "queued")))
    display.show(job(("read", "succeeded"), ("water", "succeeded"), ("power", "failed")))
    display.close()
    assert (
        out.getvalue()
        == "read …\nread  5 / 10 features  50 %\nwater …\nwater  5 / 10 features  50 %\npower …\npower: failed\n"
    )


def test_the_same_step_of_the_next_job_is_said_again() -> None:
    out = io.StringIO()
    display = JobDisplay(out)
    display.show(job(("read", "succeeded")))
    display.show(job(("read", "failed"), id_="b"))
    assert out.getvalue() == "read …\nread  5 / 10 features  50 %\nread …\nread: failed\n"
