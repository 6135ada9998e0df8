"""Edit to indicators on a generated city: ``python -m tests.bench.bench_impact [--buildings N] [--edits N]``.

A made town of N buildings on parcels with streets, parks, schools and stops; random edits are handed to
the service one after the other, each when the one before is done.  Times run from the hand-over of an
edit to the publishing of a reading: the first one, the last of land, people, cost and carbon, the last
of all but views, and all.  The sums are then held against a recomputation from the start.
"""

from __future__ import annotations

import argparse
import resource
import threading
import time

import numpy as np

from cim.impact.graph import Case
from cim.impact.indicators import indicator_graph
from cim.impact.service import ImpactService, Subject
from cim.ports import SystemClock
from tests.support.impact_city import Editor, MadeCity, factor_set, materialised, same_land, stock_of, town

SLOW = ("people.access", "people.street", "sky.", "light.")
VIEWS = ("sky.", "light.")


class Watch:
    """Notes when readings of a sequence are published."""

    def __init__(self, nodes) -> None:
        self.nodes = list(nodes)
        self.seen: dict[int, dict[str, float]] = {}
        self.turn = threading.Condition()

    def __call__(self, subject, items) -> None:
        now = time.perf_counter()
        with self.turn:
            for item in items:
                reading = item["reading"]
                self.seen.setdefault(reading["sequence"], {}).setdefault(reading["id"], now)
            self.turn.notify_all()

    def wait(self, sequence: int) -> dict[str, float]:
        with self.turn:
            self.turn.wait_for(lambda: len(self.seen.get(sequence, ())) == len(self.nodes), 120.0)
            return self.seen[sequence]


def run(buildings: int, edits: int) -> dict[str, np.ndarray]:
    begun = time.perf_counter()
    objects = town(buildings)
    print(f"  town      {sum(o.type == 'Building' for o in objects):>8,} buildings, {len(objects):,} objects")
    city = MadeCity(objects)
    graph = indicator_graph()
    watch = Watch(graph.nodes)
    service = ImpactService(city, graph, watch, SystemClock())  # type: ignore[arg-type]
    begun = time.perf_counter()
    service.base()
    print(f"  stock     {time.perf_counter() - begun:8.2f} s, once per baseline")
    service.start()
    editor = Editor(objects, seed=5)
    begun = time.perf_counter()
    first = editor.step()
    service.submit(Subject("sbenchbench", 1, lambda: first))
    watch.wait(1)
    print(f"  first     {time.perf_counter() - begun:8.2f} s, all indicators of the baseline and of the first edit")
    spans: dict[str, list[float]] = {"first": [], "sums": [], "walks": [], "all": []}
    for sequence in range(2, edits + 2):
        overlay = editor.step()
        begun = time.perf_counter()
        service.submit(Subject("sbenchbench", sequence, lambda overlay=overlay: overlay))
        seen = watch.wait(sequence)
        spans["first"].append(min(seen.values()) - begun)
        spans["sums"].append(max(at for name, at in seen.items() if not name.startswith(SLOW)) - begun)
        spans["walks"].append(max(at for name, at in seen.items() if not name.startswith(VIEWS)) - begun)
        spans["all"].append(max(seen.values()) - begun)
    service.stop()
    check(service, objects, editor, graph)
    return {name: np.array(values) * 1e3 for name, values in spans.items()}


def check(service, objects, editor, graph) -> None:
    """Hold the last state against a city built from the start: every number but those of works and views."""
    board = next(iter(service._boards.values()))
    full = stock_of(materialised(objects, editor.overlay), cells=False)
    truth = Case(full, factor_set(), same_land(board.case, full))
    compared = 0
    for name, node in graph.nodes.items():
        if name.startswith(("cost.", "carbon.embodied", "carbon.demolition", "sky.")):
            continue
        assert board.readings[name].outcome.value == node.compute(truth).value, name
        compared += 1
    print(f"  compared  {compared:8} indicators with a recomputation from the start: equal")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=int, default=100_000)
    parser.add_argument("--edits", type=int, default=60)
    chosen = parser.parse_args()
    print("impact: from an edit to its readings")
    spans = run(chosen.buildings, chosen.edits)
    words = {
        "first": "first reading            (300 ms)",
        "sums": "land people cost carbon  (1000 ms)",
        "walks": "and walks on the streets",
        "all": "and views",
    }
    for name, title in words.items():
        p50, p95 = np.percentile(spans[name], (50, 95))
        print(f"  {title:<36} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms")
    print(f"  memory    {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB at most")


if __name__ == "__main__":
    main()
