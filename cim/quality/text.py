"""A report as lines of a terminal; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cim.quality.codes import Group

FACTS: Final = 10
NAMED: Final = 3
"""Features that a terminal names for each fault; the page names more."""


def report_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what ``GET /api/v1/jobs/{id}/quality`` answers, as text."""
    counts = report["counts"]
    what = "the whole city" if report["dataset"] is None else f"{report['title']} as {report['dataset']}"
    yield f"{what}, baseline {report['baseline_version']}"
    yield f"{counts['objects']:,} objects, {counts['surfaces']:,} surfaces, {counts['shells']:,} shells"
    policy = f": {_POLICY[report['policy']]}" if counts["invalid"] and report["dataset"] is not None else ""
    yield f"{counts['invalid']:,} objects with a geometry that is not valid{policy}"
    for group in Group:
        faults = [fault for fault in report["faults"] if fault["group"] == group.value]
        if faults:
            yield ""
            yield group.value
        for fault in faults:
            yield from _fault_lines(fault)
    if report["put_aside"]:
        yield ""
        yield "put aside"
        for one in report["put_aside"]:
            yield f"  {one['features']:>8,}  {one['reason']}"
    yield ""
    yield "facts known"
    for type_ in report["completeness"]:
        yield f"  {type_['type']}  {type_['objects']:,}"
        for fact in type_["attributes"][:FACTS]:
            known = fact["recorded"] + fact["derived"]
            yield f"    {100.0 * known / type_['objects']:5.1f} %  {fact['name']}"


_POLICY: Final = {"keep": "they are in the city, marked", "quarantine": "they were put aside"}


def _fault_lines(fault: Mapping[str, Any]) -> Iterator[str]:
    name = fault["name"] if fault["name"] != fault["code"] else ""
    yield f"  {fault['objects']:>8,}  {fault['code']} {name}".rstrip()
    for one in fault["worst"][:NAMED]:
        unit = "" if fault["unit"] in {"1", "a"} else f" {fault['unit']}"
        measured = "" if fault["unit"] == "1" and one["measured"] == 1 else f"  {one['measured']:g}{unit}"
        place = "" if one["place"] is None else f"  at {one['place'][0]:.6f}, {one['place'][1]:.6f}"
        yield f"            {one['id']}{measured}{place}"
