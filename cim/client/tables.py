"""Answers of the server as pandas tables (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

READING_COLUMNS = ["value", "unit", "base", "delta", "low", "high", "quality", "method", "verdict", "state", "sequence"]
SCHEME_COLUMNS = ["letter", "name", "state", "version", "parent", "baseline_version", "edit_count", "updated_at"]
FINDING_COLUMNS = ["rule", "verdict", "severity", "measured", "limit", "margin", "unit", "object_id"]
JOB_COLUMNS = ["id", "kind", "title", "state", "created_at", "started_at", "ended_at"]
FAULT_COLUMNS = ["code", "name", "group", "unit", "occurrences", "objects"]
CONFLICT_COLUMNS = ["object_id", "attribute", "kept", "kept_by", "other", "said_by"]
WORST_COLUMNS = ["code", "id", "lod", "measured", "unit", "lon", "lat", "height_m"]
COMPLETENESS_COLUMNS = ["type", "objects", "attribute", "recorded", "derived", "missing"]
LOSER_COLUMNS = ["object_id", "name", "before_h", "after_h"]


def readings(items: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per indicator, indexed by its id; ``low`` and ``high`` bound the 90 % interval."""
    rows = [{**item, "low": _bound(item, 0), "high": _bound(item, 1)} for item in items]
    index = pd.Index([item["id"] for item in items], name="indicator", dtype="str")
    return pd.DataFrame(rows, index=index, columns=READING_COLUMNS)


def _bound(reading: Mapping[str, Any], side: int) -> float | None:
    interval = reading.get("interval")
    return None if interval is None else float(interval[side])


def schemes(items: Sequence[Mapping[str, Any]], language: str) -> pd.DataFrame:
    """Return one row per scheme, indexed by its id, its name in a language."""
    rows = [{**item, "name": item["name"][language]} for item in items]
    return pd.DataFrame(rows, index=pd.Index([item["id"] for item in items], name="scheme"), columns=SCHEME_COLUMNS)


def comparison(document: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per indicator and one column per scheme, the unit first."""
    names = [scheme if isinstance(scheme, str) else scheme["id"] for scheme in document["schemes"]]
    rows = [
        [row["unit"], *(None if reading is None else reading["value"] for reading in row["readings"])]
        for row in document["rows"]
    ]
    index = pd.Index([row["id"] for row in document["rows"]], name="indicator", dtype="str")
    return pd.DataFrame(rows, index=index, columns=["unit", *names])


def table(items: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Return items as rows with the columns named, in that order."""
    return pd.DataFrame(list(items), columns=list(columns))


def features(collection: Mapping[str, Any]) -> pd.DataFrame:
    """Return GeoJSON features as rows: properties as columns, ``geometry`` as GeoJSON, indexed by id."""
    items = collection["features"]
    rows = [{**feature["properties"], "geometry": feature["geometry"]} for feature in items]
    return pd.DataFrame(rows, index=pd.Index([feature["id"] for feature in items], name="id", dtype="str"))


def counted(counts: Mapping[str, int], name: str) -> pd.Series:
    """Return counts by name, the index called ``name``."""
    return pd.Series(list(counts.values()), index=pd.Index(list(counts), name=name, dtype="str"), dtype="int64")


def conflicts(items: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per value that another source contradicts."""
    rows = [
        {
            **item,
            "kept": item["kept"]["value"],
            "kept_by": item["kept"]["dataset"],
            "other": item["other"]["value"],
            "said_by": item["other"]["dataset"],
        }
        for item in items
    ]
    return table(rows, CONFLICT_COLUMNS)


def worst(faults: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per feature that is named as an example of a fault."""
    rows = [
        {
            **one,
            "code": fault["code"],
            "unit": fault["unit"],
            **dict(zip(("lon", "lat", "height_m"), one["place"] or (), strict=False)),
        }
        for fault in faults
        for one in fault["worst"]
    ]
    return table(rows, WORST_COLUMNS)


def completeness(items: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per attribute of each type of object."""
    rows = [
        {**fact, "type": item["type"], "objects": item["objects"], "attribute": fact["name"]}
        for item in items
        for fact in item["attributes"]
    ]
    return table(rows, COMPLETENESS_COLUMNS)
