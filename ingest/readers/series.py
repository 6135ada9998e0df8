"""Series of observations: CSV or Parquet with ``datastream_id``, ``phenomenon_time`` and ``result``.

Further columns describe the datastreams, once per datastream or in every row: ``observed_property``,
``unit``, ``lon`` and ``lat`` (or ``x`` and ``y`` with ``--crs``), ``name``, ``object_id``.  Memory: one
batch of rows (for Parquet one row group) and the ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from cim.city.model import Quarantined
from cim.errors import CimError, InvalidInput
from cim.findings import Quality
from cim.geometry.crs import LONLAT, transformer, working_crs_for
from cim.ids import object_id, split_id
from cim.sensing.model import Datastream, ObservationBatch
from cim.units import is_unit
from ingest.readers.damage import damaged
from ingest.readers.limits import check_file_size
from ingest.readers.series_columns import to_numbers, to_times
from ingest.records import Progress, ReadContext, Record, SourceHeader

REQUIRED: Final = ("datastream_id", "phenomenon_time", "result")
BATCH_ROWS: Final = 65_536
BLOCK_BYTES: Final = 4 * 1024 * 1024
PERIOD_S_DEFAULT: Final = 900.0
LONGITUDE_DEG_MAX: Final = 360.0
LATITUDE_DEG_MAX: Final = 90.0
_PARQUET: Final = b"PAR1"
_NO_TABLE: Final = f"is truncated or damaged, or has not all of the columns {', '.join(REQUIRED)} in a usable form"
_DELIMITERS: Final = (",", ";", "\t")


class SeriesReader:
    """Reads observations.  Option ``time_zone``: the zone of times that say none, such as Europe/Helsinki."""

    name = "series"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell Parquet by its mark and name, CSV by its first line."""
        if head.startswith(_PARQUET):
            return path.name.lower().removesuffix(".gz").endswith((".parquet", ".pq"))
        return _delimiter(head) is not None

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, datastreams as they first appear, and batches of observations."""
        total = check_file_size(path)
        zone = _zone(context)
        faults: list[Quarantined] = []
        rows = 0
        stream: _Series | None = None
        try:
            for batch in _batches(path, faults):
                if stream is None:
                    stream = _Series(context, batch, zone)
                    yield stream.header(path, self.name, self.version)
                yield from stream.take(batch, rows)
                yield from _drain(faults)
                rows += len(batch)
                yield Progress(rows, None, "rows")
        except (pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError, OSError, UnicodeDecodeError) as error:
            raise damaged(path, _NO_TABLE, hint="Write the file again with these columns.") from error
        if stream is None:
            raise damaged(path, _NO_TABLE, hint="Write the file again with these columns.")
        yield from _drain(faults)
        yield Progress(total, total, "bytes")


def _drain(faults: list[Quarantined]) -> Iterator[Quarantined]:
    yield from faults
    faults.clear()


def _delimiter(head: bytes) -> str | None:
    try:
        first = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    for delimiter in _DELIMITERS:
        if set(REQUIRED) <= {name.strip().strip('"') for name in first.split(delimiter)}:
            return delimiter
    return None


def _zone(context: ReadContext) -> ZoneInfo | None:
    name = context.options.get("time_zone")
    if name is None:
        return None
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput(
            f"{str(name)[:40]!r} is not a time zone.",
            hint="Use a name such as Europe/Helsinki.",
            code="time-zone",
        ) from error


def _batches(path: Path, faults: list[Quarantined]) -> Iterator[pa.RecordBatch]:
    with path.open("rb") as file:
        head = file.read(BLOCK_BYTES)
    if head.startswith(_PARQUET):
        table = pq.ParquetFile(path)
        yield from table.iter_batches(batch_size=BATCH_ROWS)
        return

    def on_bad_row(row: Any) -> str:
        faults.append(
            Quarantined(
                f"row {row.number or '?'}",
                "row-structure",
                f"The row has {row.actual_columns} fields; {row.expected_columns} are wanted.",
            )
        )
        return "skip"

    delimiter = _delimiter(head)
    if delimiter is None:
        raise damaged(path, _NO_TABLE, hint="Write the file again with these columns.")
    first = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].decode("utf-8")
    names = [name.strip().strip('"') for name in first.split(delimiter)]
    yield from pv.open_csv(
        path,
        read_options=pv.ReadOptions(block_size=BLOCK_BYTES, column_names=names, skip_rows=1, use_threads=False),
        parse_options=pv.ParseOptions(delimiter=delimiter, invalid_row_handler=on_bad_row),
        # Everything is read as text, so that one wrong value costs its row and not the file.
        convert_options=pv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )


class _Series:
    """What stays the same over the batches of one file."""

    def __init__(self, context: ReadContext, first: pa.RecordBatch, zone: ZoneInfo | None) -> None:
        self._context = context
        self._zone = zone
        self._columns = set(first.schema.names)
        if not set(REQUIRED) <= self._columns:
            raise InvalidInput(
                f"The table lacks one of the columns {', '.join(REQUIRED)}.",
                hint="Write the file again with these columns.",
                code="columns-missing",
            )
        self._described: set[str] = set()
        self._refused: set[str] = set()
        self._working_crs = context.working_crs or self._proposed(first)

    def _proposed(self, first: pa.RecordBatch) -> str:
        if {"lon", "lat"} <= self._columns:
            lons, lats = to_numbers(first.column("lon")), to_numbers(first.column("lat"))
            placed = (np.abs(lons) <= LONGITUDE_DEG_MAX) & (np.abs(lats) <= LATITUDE_DEG_MAX)
            if placed.any():
                lons, lats = lons[placed], lats[placed]
                return working_crs_for(float(np.median(lons)), float(np.median(lats)))
        raise InvalidInput(
            "Observations alone do not say where the city is.",
            hint="Ingest the city first, or give the table lon and lat columns.",
            code="crs-missing",
        )

    def header(self, path: Path, reader: str, version: str) -> SourceHeader:
        """Return what is known of the file."""
        return SourceHeader(
            title=path.name,
            working_crs=self._working_crs,
            vertical_datum=None,
            ground="flat",
            licence="unstated",
            attribution="",
            reader=reader,
            reader_version=version,
        )

    def take(self, batch: pa.RecordBatch, before: int) -> Iterator[Record]:
        """Yield the datastreams that are new, what is wrong row by row, and the rest as one batch."""
        ids = batch.column("datastream_id").cast(pa.string()).to_pylist()
        times = to_times(batch.column("phenomenon_time"), self._zone)
        results = to_numbers(batch.column("result"))
        names = [self._identifier(name) for name in ids]
        named = np.array([name is not None for name in names], dtype=bool)
        good = named & times.good & np.isfinite(results)
        for row in np.flatnonzero(~good).tolist():
            feature = f"row {before + row + 1}: {str(ids[row])[:40]}"
            if not named[row]:
                yield Quarantined(feature, "object-id", "The row names no datastream.")
            elif not times.good[row]:
                yield Quarantined(feature, "time-wrong", "The time is missing, impossible, or says no time zone.")
            else:
                yield Quarantined(feature, "result-wrong", "The result is not a finite number.")
        yield from self._describe(batch, names, np.flatnonzero(good).tolist())
        if self._refused:
            good &= np.array([name not in self._refused for name in names], dtype=bool)
        rows = np.flatnonzero(good)
        kept = [name for name, keep in zip(names, good.tolist(), strict=True) if keep and name is not None]
        if kept:
            yield ObservationBatch(kept, times.values[rows], results[rows])

    def _identifier(self, name: str | None) -> str | None:
        if not name:
            return None
        try:
            split_id(name)
        except CimError:
            try:
                return object_id(self._context.dataset, name)
            except CimError:
                return None
        return name

    def _describe(self, batch: pa.RecordBatch, names: list[str | None], rows: list[int]) -> Iterator[Record]:
        if not {"observed_property", "unit"} <= self._columns:
            return
        new: dict[str, int] = {}
        for row in rows:
            name = names[row]
            if name is not None and name not in self._described:
                new.setdefault(name, row)
        for name, row in new.items():
            self._described.add(name)
            members = {column: batch.column(column)[row].as_py() for column in batch.schema.names}
            try:
                yield self._datastream(name, members)
            except InvalidInput as error:
                self._refused.add(name)
                yield Quarantined(name[:80], error.problem_code, f"{error.message} Its rows are left out.")
            except (TypeError, ValueError):
                self._refused.add(name)
                yield Quarantined(name[:80], "datastream", "Its description is not usable. Its rows are left out.")

    def _datastream(self, name: str, members: dict[str, Any]) -> Datastream:
        unit = str(members["unit"])
        if not is_unit(unit):
            raise InvalidInput(f"{unit[:20]!r} is not a unit that the city uses.", code="unit")
        x, y = self._position(members)
        return Datastream(
            id=name,
            name_en=str(members.get("name") or name),
            name_zh=str(members.get("name_zh") or members.get("name") or name),
            observed_property=str(members["observed_property"]),
            unit=unit,
            x=x,
            y=y,
            object_id=members.get("object_id") or None,
            network_id=members.get("network_id") or None,
            element_id=members.get("element_id") or None,
            quality=Quality(members.get("quality") or "measured"),
            generated=False,
            period_s=float(members.get("period_s") or PERIOD_S_DEFAULT),
            range_low=float(members.get("range_low") or 0.0),
            range_high=float(members.get("range_high") or 1.0),
        )

    def _position(self, members: dict[str, Any]) -> tuple[float, float]:
        if members.get("lon") is not None and members.get("lat") is not None:
            source, east, north = LONLAT, float(members["lon"]), float(members["lat"])
        elif members.get("x") is not None and members.get("y") is not None:
            source = self._context.source_crs or self._working_crs
            east, north = float(members["x"]), float(members["y"])
        else:
            raise InvalidInput("The datastream has no position.", code="coordinate-absurd")
        x, y = transformer(source, self._working_crs).transform(east, north)
        if not (np.isfinite(x) and np.isfinite(y)):
            raise InvalidInput("The position is not a place on Earth.", code="coordinate-absurd")
        return float(x), float(y)
