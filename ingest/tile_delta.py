"""The tiles of the city brought up to date in the server itself, where little has changed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cim.city.model import CityFrame
from cim.city.service import CityService
from cim.city.terrain import TERRAIN_TYPE
from cim.tilesets.service import TilesetService
from tiles.chain import Altered, add_twins, boxes_of_ground, build_delta
from tiles.draft import NotLocal, Read, draft_chains
from tiles.plan import PLAN_NAME, Plan

CHANGES_MAX: Final = 200
"""Objects: of more, a child process draws all that is touched anew."""
_BUILDINGS: Final = ("Building", "BuildingPart")
_log = logging.getLogger(__name__)


def bring_up_to_date(city: CityService, tilesets: TilesetService) -> bool:
    """Draw the chains of what is other than in the current tiles, and swap them in; tell whether that was enough.

    It is not where there are no tiles yet, where much has changed, or what reaches further than chains can tell.
    """
    pointer = tilesets.refresh()
    version = city.baseline_version
    if pointer is None or pointer.baseline_version is None or pointer.baseline_version >= version:
        return False
    since = pointer.baseline_version
    changed = city.changed_between(since, version, CHANGES_MAX + 1)
    if len(changed) > CHANGES_MAX:
        return False
    try:
        plan = Plan.load(tilesets.base_file(pointer.build, PLAN_NAME))
    except (OSError, ValueError, KeyError):
        return False
    if not _fits(plan, city.frame):
        return False
    try:
        altered = _altered(city, plan, since, version, dict(changed))
    except NotLocal:
        return False
    build = f"d{version}"
    out = tilesets.stage(build)
    try:
        frame = replace(plan.site.frame, title=city.frame.title_en, baseline_version=version)
        report = build_delta(plan, altered, out, frame, twins=False)
        tilesets.publish(build, version, changed=report.changed, synced=True)
        # Who looks on has been told; what comes next is for those who come later.
        add_twins(tilesets.base_file(build, ""), report)
    except BaseException:
        tilesets.discard(build)
        raise
    _log.info("the tiles of %d changed objects: %d new tiles", len(changed), report.tiles)
    return True


def _fits(plan: Plan, frame: CityFrame) -> bool:
    known = plan.site.frame
    return (known.crs, known.ground, known.vertical_datum) == (frame.crs, frame.ground, frame.vertical_datum)


def _altered(city: CityService, plan: Plan, since: int, version: int, changed: dict[str, str]) -> Altered:
    """Return what the chains are made from; raises :class:`NotLocal`."""
    painted = [name for name, kind in changed.items() if kind not in _BUILDINGS]
    built = [name for name, kind in changed.items() if kind in _BUILDINGS]
    if TERRAIN_TYPE in changed.values():
        raise NotLocal
    draft = draft_chains(plan, built, _reader(city, since), _reader(city, version))
    boxes = [boxes_of_ground(city.rows_at(number, painted)[0]) for number in (since, version)] if painted else []
    if not any(len(box) for box in boxes):
        return Altered(draft)
    return Altered(draft, city.ground_rows(version), np.concatenate(boxes))


def _reader(city: CityService, version: int) -> Read:
    """Return what reads rows as a baseline had them, each from the store at most once."""
    kept: list[tuple[pa.Table, pa.Table]] = []
    asked: set[str] = set()

    def read(ids: Sequence[str]) -> tuple[pa.Table, pa.Table]:
        unread = [name for name in ids if name not in asked]
        if unread or not kept:
            asked.update(unread)
            kept.append(city.rows_at(version, unread))
        wanted = pa.array(list(ids), pa.string())
        objects = pa.concat_tables([rows for rows, _ in kept])
        geometries = pa.concat_tables([shapes for _, shapes in kept])
        return (
            objects.filter(pc.is_in(objects["id"], wanted)),
            geometries.filter(pc.is_in(geometries["object_id"], wanted)),
        )

    return read
