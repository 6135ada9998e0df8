"""Land: floor area by use, floor area ratio, density, heights, green, mix of uses, intensity by parcel; pure.

Methods: docs/methods/floor-area.md, land-intensity.md, building-height.md, green-ratio.md, use-mix.md.
Areas come in as whole cm² and leave as m².
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.findings import Finding, Quality, Severity, judge
from cim.impact.graph import SITE, Case, Node
from cim.impact.layers import NOWHERE, Ints
from cim.impact.model import Outcome, Range, Scope, Share, Title
from cim.impact.rows import CM2_PER_M2, CM_PER_M, COLUMN, FLOOR_COLUMNS, Tally
from cim.impact.stock import Stock, Unit
from cim.impact.uses import FLOOR_USES

UNITS_LISTED_MAX: Final = 40
"""Parcels that a breakdown names, the most intense first."""

CITY_KEY: Final = "city"
SITE_KEY: Final = "site"


def floor_cm2(tally: Tally) -> int:
    """Return the gross floor area of a tally, all uses, cm²."""
    return int(tally[FLOOR_COLUMNS].sum())


def floor_range(tally: Tally) -> Range:
    """Return the gross floor area with what modelled storeys leave open, m²."""
    low, high = int(tally[COLUMN["floor_low"]]), int(tally[COLUMN["floor_high"]])
    return Range(floor_cm2(tally) / CM2_PER_M2, low / CM2_PER_M2, high / CM2_PER_M2)


def storey_doubt(tally: Tally) -> Range:
    """Return by which factor a floor area may be off, because storeys are modelled."""
    floor = floor_cm2(tally)
    if floor == 0:
        return Range.exact(1.0)
    return Range(1.0, int(tally[COLUMN["floor_low"]]) / floor, int(tally[COLUMN["floor_high"]]) / floor)


def floor_area(case: Case) -> Outcome:
    """Return gross floor area above ground, by use."""
    tally = case.stock.tally()
    shares = [
        Share(use, int(tally[column]) / CM2_PER_M2) for column, use in enumerate(FLOOR_USES) if int(tally[column])
    ]
    site = Share(SITE_KEY, floor_cm2(case.site_tally) / CM2_PER_M2)
    return Outcome(floor_range(tally), (*shares, site))


def floor_area_change(case: Case) -> Range:
    """Return how much floor area a scheme adds; what it replaces is as uncertain as its storeys were."""
    net, gone = case.stock.net_tallies()
    taken = floor_range(gone).scaled(-1.0)
    return Range.exact(floor_cm2(net) / CM2_PER_M2) + taken


def _over_area(amount: Range, area_cm2: int) -> Range | None:
    return None if area_cm2 == 0 else amount.scaled(CM2_PER_M2 / area_cm2)


def city_area_cm2(stock: Stock) -> int:
    """Return the area of all parcels, cm²."""
    if stock.is_base:
        if "city_area_cm2" not in stock.memo:
            stock.memo["city_area_cm2"] = sum(unit.area_cm2 for unit in stock.units.facts)
        return int(stock.memo["city_area_cm2"])
    base, units = stock.base, stock.units
    dead = int(sum(base.units.facts[row].area_cm2 for row in units.dead_rows.tolist()))
    fresh = int(sum(units.facts[row].area_cm2 for row in units.extra_rows()))
    return city_area_cm2(base) - dead + fresh


def tally_on_units(stock: Stock) -> Tally:
    """Return the sums over the buildings that stand on a parcel; of what stands elsewhere no land is known."""
    rows = stock.buildings.rows()
    return np.asarray(stock.tally() - stock.tally(rows[stock.unit_of[rows] == NOWHERE]))


def _on_land(case: Case) -> Tally:
    """Return the sums over the buildings on the land that a ratio is of."""
    return case.site_tally if case.site else tally_on_units(case.stock)


def floor_area_ratio(case: Case) -> Outcome:
    """Return floor area over parcel area on the site."""
    value = _over_area(floor_range(_on_land(case)), case.site_area_cm2)
    area = city_area_cm2(case.stock)
    city = floor_cm2(tally_on_units(case.stock)) / area if area else None
    return Outcome(value, (Share(CITY_KEY, city),))


def building_density(case: Case) -> Outcome:
    """Return footprints over parcel area on the site."""
    footprint = int(_on_land(case)[COLUMN["footprint"]])
    value = None if case.site_area_cm2 == 0 else Range.exact(footprint / case.site_area_cm2)
    area = city_area_cm2(case.stock)
    city = int(tally_on_units(case.stock)[COLUMN["footprint"]]) / area if area else None
    return Outcome(value, (Share(CITY_KEY, city),))


def _tallest(stock: Stock, rows: Ints) -> tuple[int, str] | None:
    if not len(rows):
        return None
    heights = stock.column("height_cm")[rows]
    top = int(heights.max())
    first = min(stock.buildings.ids[row] for row in rows[heights == top].tolist())
    return top, first


def height_max(case: Case) -> Outcome:
    """Return the height of the highest building on the site; the breakdown names it."""
    found = _tallest(case.stock, case.site_rows)
    city = _tallest(case.stock, case.stock.buildings.rows())
    shares = [Share(CITY_KEY, None if city is None else city[0] / CM_PER_M)]
    if found is None:
        return Outcome(None, tuple(shares))
    return Outcome(Range.exact(found[0] / CM_PER_M), (Share(found[1], found[0] / CM_PER_M), *shares))


def height_mean(case: Case) -> Outcome:
    """Return the mean height of the buildings on the site, weighted by footprint."""
    value, city = _mean_height(case.site_tally), _mean_height(case.stock.tally())
    return Outcome(None if value is None else Range.exact(value), (Share(CITY_KEY, city),))


def _mean_height(tally: Tally) -> float | None:
    footprint = int(tally[COLUMN["footprint"]])
    return int(tally[COLUMN["height_area"]]) / footprint / CM_PER_M if footprint else None


def use_mix(case: Case) -> Outcome:
    """Return how evenly known floor area is spread over the uses on the site: entropy, 0 to 1."""
    value, city = entropy(case.site_tally), entropy(case.stock.tally())
    return Outcome(None if value is None else Range.exact(value), (Share(CITY_KEY, city),))


def entropy(tally: Tally) -> float | None:
    """Return the Shannon entropy of floor area by known use over its greatest possible value."""
    floors = [int(value) for value in tally[FLOOR_COLUMNS][:-1] if value > 0]
    whole = sum(floors)
    if not whole:
        return None
    parts = [floor / whole for floor in floors]
    return -sum(part * math.log(part) for part in parts) / math.log(len(FLOOR_USES) - 1) + 0.0


# -- green ------------------------------------------------------------------------------------------------


def green_of_unit(stock: Stock, row: int) -> int:
    """Return the green land of a parcel in cm²: what is mapped or planned green on it, less what is built on."""
    place, unit = stock.units.places[row], stock.units.facts[row]
    patches = [place] if unit.is_green else [stock.green.places[item] for item in stock.green.near(place)]
    if not patches:
        return 0
    green = shapely.intersection(place, patches[0] if len(patches) == 1 else shapely.union_all(patches))
    built = [stock.buildings.places[item] for item in stock.buildings.near(place)] if not green.is_empty else []
    if built:
        green = shapely.difference(green, built[0] if len(built) == 1 else shapely.union_all(built))
    return round(float(green.area) * CM2_PER_M2)


def green_by_unit(stock: Stock) -> NDArray[np.int64]:
    """Return green land by row of the units, cm²; of changed cities only what a change meets is asked again."""
    found: NDArray[np.int64] | None = stock.memo.get("green_by_unit")
    if found is not None:
        return found
    base = stock.base
    if stock.is_base:
        asked = set(base.units.tree.query(base.green.places, predicate="intersects")[1].tolist())
        asked |= {row for row, unit in enumerate(base.units.facts) if unit.is_green}
        found = np.zeros(len(base.units.ids), dtype=np.int64)
    else:
        extra = np.zeros(len(stock.units.ids) - base.units.base_count, dtype=np.int64)
        found = np.concatenate((green_by_unit(base), extra))
        found[stock.units.dead_rows] = 0
        asked = {row for place in _changed_places(stock) for row in stock.units.near(place)}
        asked |= set(stock.units.extra_rows())
    for row in asked:
        found[row] = green_of_unit(stock, row)
    stock.memo["green_by_unit"] = found
    return found


def _changed_places(stock: Stock) -> list[shapely.Geometry]:
    places = []
    for name in ("buildings", "green"):
        layer, before = stock.layer(name), stock.base.layer(name)
        places += [before.places[row] for row in layer.dead_rows.tolist()]
        places += [layer.places[row] for row in layer.extra_rows()]
    return places


def green_ratio(case: Case) -> Outcome:
    """Return green land over parcel area on the site."""
    green = green_by_unit(case.stock)
    on_site = int(green[case.site_units].sum())
    value = None if case.site_area_cm2 == 0 else Range.exact(on_site / case.site_area_cm2)
    area = city_area_cm2(case.stock)
    return Outcome(value, (Share(CITY_KEY, int(green.sum()) / area if area else None),))


# -- intensity by parcel and district ----------------------------------------------------------------------


def intensity(case: Case) -> Outcome:
    """Return the highest floor area ratio of a parcel on the site; the breakdown has parcels, then districts."""
    stock, units = case.stock, case.stock.units
    ratios: list[tuple[float, str]] = []
    findings = []
    grouped = {} if case.site else _rows_by_unit(stock)
    for row in case.site_units.tolist():
        unit: Unit = units.facts[row]
        rows = stock.rows_on(np.array([row])) if case.site else grouped.get(row, _NONE)
        tally = stock.tally(rows)
        if not 0 < int(tally[COLUMN["footprint"]]) <= unit.area_cm2:
            # Empty, or the parcel's lines do not fit its buildings: a ratio would say nothing.
            continue
        ratio = floor_cm2(tally) / unit.area_cm2
        ratios.append((ratio, units.ids[row]))
        limit = unit.limits.get("floor_area_ratio_max")
        if limit is not None:
            findings.append(_over_limit(units.ids[row], units.places[row], floor_range(tally), unit.area_cm2, limit))
    ratios.sort(key=lambda item: (-item[0], item[1]))
    shares = [Share(key, ratio) for ratio, key in ratios[:UNITS_LISTED_MAX]]
    value = Range.exact(ratios[0][0]) if ratios else None
    return Outcome(value, (*shares, *district_ratios(case)), findings=tuple(findings))


_NONE: Final = np.empty(0, dtype=np.int64)


def _rows_by_unit(stock: Stock) -> dict[int, Ints]:
    rows = stock.buildings.rows()
    held = stock.unit_of[rows]
    order = np.argsort(held, kind="stable")
    units, starts = np.unique(held[order], return_index=True)
    return dict(zip(units.tolist(), np.split(rows[order], starts[1:]), strict=True))


def _over_limit(identifier: str, place: shapely.Geometry, floor: Range, area_cm2: int, limit: float) -> Finding:
    ratio = floor.scaled(CM2_PER_M2 / area_cm2)
    verdict = judge((ratio.low, ratio.high), limit, at_most=True)
    return Finding(
        rule="plan-floor-area-ratio",
        clause="",
        verdict=verdict,
        severity=Severity.FAIL,
        measured=ratio.value,
        limit=limit,
        margin=limit - ratio.value,
        object_id=identifier,
        witness_wkb=place.wkb,
    )


def district_ratios(case: Case) -> Iterable[Share]:
    """Yield floor area over parcel area of each district that the site lies in, or of all without a site."""
    stock = case.stock
    if not len(stock.districts):
        return
    units = stock.units.rows()
    of_unit = _district_of_units(stock)
    wanted = set(of_unit[case.site_units].tolist()) - {NOWHERE}
    facts = stock.units.facts
    for district in sorted(wanted, key=stock.districts.ids.__getitem__):
        held = units[of_unit[units] == district]
        area = sum(facts[row].area_cm2 for row in held.tolist())
        if area:
            yield Share(stock.districts.ids[district], floor_cm2(stock.tally(stock.rows_on(held))) / area)


def _district_of_units(stock: Stock) -> Ints:
    """Return the district of each unit, by its inner point."""
    base = stock.base
    found: Ints | None = base.memo.get("district_of_units")
    if found is None or stock.districts is not base.districts:
        found = base_found = stock.districts.holders(shapely.point_on_surface(base.units.places))
        if stock.districts is base.districts:
            base.memo["district_of_units"] = base_found
    extra = stock.units.places[base.units.base_count :]
    if not len(extra):
        return found
    return np.concatenate((found, stock.districts.holders(shapely.point_on_surface(extra))))


def _node(identifier: str, en: str, zh: str, unit: str, compute: Any, method: str, **more: Any) -> Node:
    inputs = more.pop("inputs", ("buildings", "units", SITE))
    scope = more.pop("scope", Scope.SITE)
    return Node(identifier, unit, Title(en, zh), inputs, method, compute, scope=scope, **more)


def land_nodes() -> tuple[Node, ...]:
    """Return the indicators of land."""
    recorded = Quality.RECORDED
    return (
        _node("land.floor_area", "Gross floor area", "总建筑面积", "m2", floor_area, "floor-area",
              scope=Scope.CITY, change=floor_area_change, rank=0),
        _node("land.floor_area_ratio", "Floor area ratio", "容积率", "1", floor_area_ratio, "land-intensity", rank=1),
        _node("land.building_density", "Building density", "建筑密度", "1", building_density, "land-intensity",
              quality=recorded, better="less", rank=1),
        _node("land.height_max", "Maximum building height", "最大建筑高度", "m", height_max, "building-height", rank=2),
        _node("land.height_mean", "Mean building height", "平均建筑高度", "m", height_mean, "building-height", rank=1),
        _node("land.green_ratio", "Green ratio", "绿地率", "1", green_ratio, "green-ratio",
              inputs=("buildings", "units", "green", SITE), quality=recorded, better="more", rank=20),
        _node("land.use_mix", "Mix of uses", "用地功能混合度", "1", use_mix, "use-mix", better="more", rank=1),
        _node("land.intensity", "Development intensity by parcel", "地块开发强度", "1", intensity, "land-intensity",
              inputs=("buildings", "units", "districts", SITE), rank=12),
    )  # fmt: skip
