"""``kill -9`` in the middle of merging and taking back: each baseline is there whole or not at all."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.integration.merge_children import step
from tests.support.merged_city import merged_city

ROUNDS = 5
WAIT_S = 60.0


def killed_while_merging(path: Path, turns: int, delay_s: float) -> int:
    """Run a child, end it at once some moments after some turns; return the last turn that it said was durable."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.merge_children", str(path)], stdout=subprocess.PIPE, text=True
    )
    stop = threading.Timer(WAIT_S, child.kill)
    stop.start()
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(turns)]
    time.sleep(delay_s)
    child.kill()
    told.extend(int(line) for line in child.stdout if line.endswith("\n"))
    stop.cancel()
    child.stdout.close()
    child.wait()
    return told[-1]


def test_each_baseline_is_whole_or_not_there(tmp_path: Path) -> None:
    chance = random.Random(4)
    reached = []
    for _ in range(ROUNDS):
        last = killed_while_merging(tmp_path / "killed", 3, chance.uniform(0.0, 0.4))
        with merged_city(tmp_path / "killed") as again:
            version = again.city.baseline_version
            # Every turn that was said to be durable is there, and at most the one that was being written.
            assert version in {last + 1, last + 2}
            reached.append((version, again.state()))
    with merged_city(tmp_path / "whole") as whole:
        expected = {0: whole.state()}
        for turn in range(reached[-1][0]):
            step(whole, turn)
            expected[turn + 1] = whole.state()
    assert [state == expected[version] for version, state in reached] == [True] * ROUNDS
