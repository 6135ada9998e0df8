"""From starting ``cim serve`` over a built city to its first answer, and the bytes of the first view.

Run: ``python -m tests.bench.bench_start``
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path

import httpx

from tests.support.city_server import CityServer, run_cim

ROUNDS = 5
BROTLI = {"Accept-Encoding": "br"}


def started_s(data: Path) -> float:
    """Seconds from starting the process to the first answered request."""
    begun = time.perf_counter()
    with CityServer(data) as server:
        server.get("/api/v1/health").raise_for_status()
        return time.perf_counter() - begun


def wire_bytes(address: str, path: str) -> int:
    """Bytes of an answer as they cross the wire, compressed."""
    with (
        httpx.Client(base_url=address, headers=BROTLI, trust_env=False) as client,
        client.stream("GET", path) as answer,
    ):
        answer.raise_for_status()
        return sum(len(chunk) for chunk in answer.iter_raw())


def first_view(address: str) -> dict[str, int]:
    """Compressed bytes of what the explorer loads before it has drawn the city, by kind."""
    page = httpx.get(f"{address}/explore", trust_env=False).text
    assets = set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', page))
    tiles = [f"/tiles/base/{part}/tileset.json" for part in ("buildings", "ground")]
    contents = []
    for tileset in tiles:
        document = httpx.get(address + tileset, trust_env=False).text
        contents += [f"{tileset.rpartition('/')[0]}/{uri}" for uri in re.findall(r'"uri": ?"([^"]+\.glb)"', document)]
    facts = ["/api/v1/city", "/api/v1/views/explore.json", "/api/v1/datastreams"]
    facts += ["/ogc/collections/trees/items?limit=10000", "/ogc/collections/sensors/items?limit=10000"]
    kinds = {"page and scripts": ["/explore", *assets], "every tile": [*tiles, *contents], "facts and trees": facts}
    return {kind: sum(wire_bytes(address, path) for path in paths) for kind, paths in kinds.items()}


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "city"
        done = run_cim("sample", "--data", str(data))
        assert done.returncode == 0, done.stderr
        taken = sorted(started_s(data) for _ in range(rounds))
        print(
            f"start to first answer: {taken[0]:.2f} to {taken[-1]:.2f} s, median {taken[rounds // 2]:.2f} s (aim < 3 s)"
        )
        with CityServer(data) as server:
            parts = first_view(server.address)
        for kind, size in parts.items():
            print(f"  {kind}: {size / 1e3:,.0f} kB")
        print(f"first view at most: {sum(parts.values()) / 1e6:.2f} MB compressed (aim ≤ 3 MB)")


if __name__ == "__main__":
    main()
