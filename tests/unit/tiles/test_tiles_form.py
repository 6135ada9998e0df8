"""The form of the tiles has a number; whoever draws otherwise raises it, so that nothing old is taken for new."""

from __future__ import annotations

import hashlib
import json
import struct
from collections import Counter
from pathlib import Path

import pytest

import tiles.making
import tiles.plan
from tests.support.tile_city import grid_city, tables
from tiles.build import build_tileset
from tiles.frame import TileFrame
from tiles.plan import FORM, PLAN_NAME, OtherForm, Plan, is_of_this_form

DRAWN = {8: "22801da8cb3dcc83"}
"""What a small city comes to, by the number of the form."""


def drawn(folder: Path) -> str:
    """A digest of what every tile holds: its primitives by kind, count and attributes, and its properties."""
    found: Counter[str] = Counter()
    for path in folder.glob("*/*.glb"):
        content = path.read_bytes()
        (size,) = struct.unpack_from("<I", content, 12)
        document = json.loads(content[20 : 20 + size])
        for mesh in document["meshes"]:
            for primitive in mesh["primitives"]:
                accessors = [(n, document["accessors"][at]) for n, at in sorted(primitive["attributes"].items())]
                shape = [(name, a["componentType"], a["type"], a["count"]) for name, a in accessors]
                found[json.dumps([path.parent.name, primitive["mode"], shape])] += 1
        found[json.dumps(document.get("extensions", {}).get("EXT_structural_metadata", {}).get("schema"))] += 1
        found[json.dumps(document["materials"])] += 1
    return hashlib.sha256(json.dumps(sorted(found.items())).encode()).hexdigest()[:16]


def test_whoever_draws_otherwise_raises_the_form(tmp_path: Path) -> None:
    build_tileset(*tables(grid_city(2400)), TileFrame("EPSG:3879", "flat", "Form", 1), tmp_path, compress=False)
    assert {FORM: drawn(tmp_path)} == DRAWN, "the tiles are drawn otherwise: raise tiles.plan.FORM and note this digest"


def test_what_another_version_made_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    city, frame = tables(grid_city(60)), TileFrame("EPSG:3879", "flat", "Form", 1)
    build_tileset(*city, frame, tmp_path / "first", compress=False)
    plan = tmp_path / "first" / PLAN_NAME
    assert is_of_this_form(plan)
    assert build_tileset(*city, frame, tmp_path / "same", compress=False, before=tmp_path / "first").units_reused == 1
    for module in (tiles.plan, tiles.making):
        monkeypatch.setattr(module, "FORM", FORM + 1)
    assert not is_of_this_form(plan)
    assert not is_of_this_form(tmp_path / "none.plan")
    with pytest.raises(OtherForm):
        Plan.load(plan)
    report = build_tileset(*city, frame, tmp_path / "second", compress=False, before=tmp_path / "first")
    assert (report.units, report.units_reused) == (1, 0)
