"""A dry run in words, for the command line; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

FIELDS_SHOWN: Final = 24
EXAMPLES_SHOWN: Final = 12
_SAMPLE_LENGTH: Final = 40


def preview_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a dry run's account."""
    yield f"Nothing was stored. This is what would go in, by the reader {summary['reader']}, in {summary['crs']}:"
    for dataset in summary["datasets"]:
        of = f"  from {dataset['source_file']}" if dataset["source_file"] else ""
        name = dataset["id"] or dataset["title"]
        yield f"dataset {name}{of}: {dataset['objects']:,} objects, licence {dataset['licence']}"
    if summary["bbox"]:
        yield "extent " + ", ".join(f"{side:.5f}" for side in summary["bbox"])
    for type_, count in summary["objects"].items():
        yield f"{type_}: {count:,}"
        yield from _fields(summary["fields"].get(type_, ()))
    for network in summary["networks"]:
        yield f"network {network['id']}: {network['nodes']:,} nodes, {network['links']:,} links"
    if summary["datastreams"]:
        yield f"datastreams: {summary['datastreams']:,}, observations: {summary['observations']:,}"
    for layer in summary["layers"]:
        types = ", ".join(f"{dimension}s are {type_}" for dimension, type_ in layer["types"].items())
        yield f"layer {layer['layer']}: {layer['features']:,} features in {layer['crs']}; {types}"
    if summary["mapping"] is not None:
        yield "mapping (keep it with --save-mapping FILE, change it, and give it back with --mapping FILE):"
        text = orjson.dumps(summary["mapping"], option=orjson.OPT_INDENT_2).decode()
        yield from (f"  {line}" for line in text.splitlines())
    yield from _counted("put aside", summary["quarantined_by_code"])
    for one in summary["quarantined_examples"][:EXAMPLES_SHOWN]:
        yield f"  {one['feature']}: {one['reason']}"
    yield from _counted("noticed", summary["findings"])
    yield from _counted("invalid", summary.get("faults", {}))


def _fields(fields: Any) -> Iterator[str]:
    for one in list(fields)[:FIELDS_SHOWN]:
        samples = ", ".join(str(value)[:_SAMPLE_LENGTH] for value in one["samples"])
        unit = f" {one['unit']}" if one["unit"] else ""
        modelled = f", {one['modelled']:,} modelled" if one["modelled"] else ""
        yield f"  {one['name']}{unit}: {one['count']:,}{modelled}  e.g. {samples}"
    if len(fields) > FIELDS_SHOWN:
        yield f"  and {len(fields) - FIELDS_SHOWN} more"


def _counted(what: str, counts: Mapping[str, int]) -> Iterator[str]:
    for code, count in counts.items():
        yield f"{what}: {count:,} × {code}"
