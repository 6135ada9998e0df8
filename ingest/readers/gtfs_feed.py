"""The tables of a GTFS feed: CSV files in a ZIP archive, read row by row, never unpacked to disk."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path, PurePosixPath
from typing import Final

from cim.errors import InvalidInput
from ingest.readers.damage import damaged
from ingest.readers.limits import INFLATED_BYTES_MAX, INFLATION_FREE_BYTES, INFLATION_RATIO_MAX, check_limit

FIELD_BYTES_MAX: Final = 64 * 1024
"""One field of a table."""

NEEDED: Final = ("stops.txt", "routes.txt", "trips.txt", "stop_times.txt")


class Feed:
    """A feed that is open; ``stack`` closes it."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        """Raise :class:`InvalidInput` (``file-damaged``, ``gtfs-table``) for what is no feed."""
        self._path = path
        try:
            self._archive = stack.enter_context(zipfile.ZipFile(path))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise damaged(self._path) from error
        # Some feeds have their tables in a folder.
        self._members = {PurePosixPath(one.filename).name: one for one in reversed(self._archive.infolist())}
        for name in NEEDED:
            if name not in self._members:
                raise InvalidInput(
                    f"{path.name} is no GTFS feed: it has no {name}.",
                    hint="A feed has stops.txt, routes.txt, trips.txt and stop_times.txt.",
                    code="gtfs-table",
                    table=name,
                )
        for one in self._members.values():
            check_limit("INFLATED_BYTES_MAX", one.file_size, INFLATED_BYTES_MAX, f"The size of {one.filename[:60]}")
            if one.file_size > INFLATION_FREE_BYTES:
                ratio = one.file_size // max(one.compress_size, 1)
                check_limit("INFLATION_RATIO_MAX", ratio, INFLATION_RATIO_MAX, f"The packing of {one.filename[:60]}")

    def has(self, table: str) -> bool:
        """Tell whether the feed has a table."""
        return table in self._members

    def rows(self, table: str, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> Iterator[list[str]]:
        """Yield the needed and the optional columns of each row, ``""`` where there is nothing.

        Raises :class:`InvalidInput` for a table that is damaged or lacks a column (``gtfs-column``).
        """
        if table not in self._members:
            return
        csv.field_size_limit(FIELD_BYTES_MAX)
        try:
            with self._archive.open(self._members[table]) as file:
                lines = csv.reader(TextIOWrapper(file, "utf-8-sig", newline=""), strict=True)
                titles = [title.strip() for title in next(lines, [])]
                for column in needed:
                    if column not in titles:
                        raise InvalidInput(
                            f"{table} of {self._path.name} has no column {column}.",
                            hint=f"It has {', '.join(titles)[:300]}.",
                            code="gtfs-column",
                            table=table,
                            column=column,
                        )
                at = [titles.index(column) if column in titles else -1 for column in (*needed, *optional)]
                for line in lines:
                    size = len(line)
                    yield [line[place].strip() if 0 <= place < size else "" for place in at]
        except (
            csv.Error,
            UnicodeDecodeError,
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            RuntimeError,
            OSError,
        ) as error:
            raise damaged(self._path, within=table) from error


def is_feed(path: Path) -> bool:
    """Tell whether a ZIP archive has the tables that every feed has."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {PurePosixPath(name).name for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    return {"stops.txt", "stop_times.txt"} <= names
