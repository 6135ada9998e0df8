"""``kill -9`` in the middle of editing: no acknowledged edit is lost, none is half there."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from cim.schemes.state import fold
from tests.integration.scheme_children import TREES
from tests.support.scheme_city import opened

ROUNDS = 4
ACKNOWLEDGED = 40
WAIT_S = 60.0


def killed_while_editing(path: Path, after: int) -> tuple[str, dict[int, str]]:
    """Run a child that edits, end it at once after some acknowledgements; return what it acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.scheme_children", str(path)], stdout=subprocess.PIPE, text=True
    )
    stop = threading.Timer(WAIT_S, child.kill)
    stop.start()
    assert child.stdout is not None
    scheme = child.stdout.readline().split()[0]
    told = []
    for line in child.stdout:
        told.append(line)
        if len(told) == after:
            child.kill()
    stop.cancel()
    child.stdout.close()
    child.wait()
    whole = [line.split() for line in told if line.endswith("\n")]
    return scheme, {int(sequence): kind for _, sequence, kind in whole}


def test_no_acknowledged_edit_is_lost_and_none_is_half_there(tmp_path: Path) -> None:
    seen: dict[int, str] = {}
    for turn in range(ROUNDS):
        scheme, acknowledged = killed_while_editing(tmp_path, ACKNOWLEDGED + 7 * turn)
        assert len(acknowledged) >= ACKNOWLEDGED
        seen |= acknowledged
        with opened(tmp_path) as again:
            actor = again.schemes.shelf.actor(scheme)
            log = actor.log()
            kinds = {edit.sequence: edit.kind for edit in log}
            assert {n: kinds[n] for n in seen} == seen
            assert [edit.sequence for edit in log] == list(range(1, len(log) + 1))
            for edit in log:
                if edit.kind == "tree.add":
                    assert len(edit.targets) == TREES
            state = actor.state()
            assert state == fold(actor.state(0), log)
            planted = [target for target in state.targets if state.exists(target)]
            assert len(planted) % TREES == 0
            # Every value of every tree that stands is there.
            assert all(state.value(target, "height_m") == 8.0 for target in planted)
