"""Folders and archives: every file that a reader knows, terrain first, the rest listed with why it is not read.

Each file becomes a dataset of its own, ``{dataset}-{name}``, unless it is the only one.  The first file decides
on the city's coordinate system where there is none yet.  A file that is refused before it gave anything is
listed and the others go in; one that breaks later refuses the whole.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from cim.city.model import Quarantined
from cim.errors import CimError, LimitExceeded, NotFound, UnsupportedFormat
from cim.ids import DATASET_LENGTH_MAX, dataset_slug
from ingest.readers.folder_archive import LeftOut, is_tar, is_zip, unpack
from ingest.readers.limits import HEAD_BYTES, MEMBERS_MAX, PATH_DEPTH_MAX, check_limit
from ingest.records import Progress, ReadContext, Reader, Record, SourceHeader

Choose = Callable[[Path], Reader]
"""Returns the reader of a file; raises :class:`UnsupportedFormat` for none."""

LISTED_MAX: Final = 1_000
"""Files that are not read and are listed by name; beyond it they are counted."""

_SHAPE_PARTS: Final = frozenset(
    {".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".qmd", ".cst", ".idx", ".fix", ".xml"}
)
_PICTURE_PARTS: Final = frozenset({".tfw", ".jgw", ".wld", ".pgw", ".aux", ".ovr"})
_SYSTEM: Final = frozenset({".ds_store", "thumbs.db", "desktop.ini", "__macosx"})
_TERRAIN_WORDS: Final = ("dem", "dtm", "relief", "terrain", "tin", "地形", "高程")
_RANKS: Final = {
    "geotiff": 0, "las": 0, "cityjson": 2, "cityjsonseq": 2, "gml": 2, "obj": 2, "ifc": 2, "mvt": 2, "vector": 3,
    "osm": 4, "sumo": 5, "gtfs": 5, "epanet": 6, "series": 7,
}  # fmt: skip
_RANK_OTHER: Final = 5
_OBJ: Final = ".obj"


@dataclass(frozen=True, slots=True)
class Item:
    """A file, or a folder that is one source, and its reader."""

    path: Path
    reader: Reader

    @property
    def rank(self) -> int:
        """Terrain first, then what stands on it, then what is drawn and measured on that."""
        plain = self.path.name.lower()
        if self.reader.name == "gml" and any(f"_{word}" in plain or plain.startswith(word) for word in _TERRAIN_WORDS):
            return 1
        return _RANKS.get(self.reader.name, _RANK_OTHER)


@dataclass(slots=True)
class Contents:
    """What a folder holds: what is read, and what is not."""

    items: list[Item] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


class FolderReader:
    """Reads a folder.  ``archives``: whether archives in it are opened, which those in an archive are not."""

    name = "folder"
    version = "1"

    def __init__(self, choose: Choose, tiles: Reader, models: Reader, *, archives: bool = True) -> None:
        """``tiles`` and ``models`` are the readers that take a folder as one source."""
        self._choose = choose
        self._tiles = tiles
        self._models = models
        self._archives = archives

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002 -- a folder has no first bytes
        """Tell a folder."""
        return path.is_dir()

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the records of one file after the other."""
        yield from self.read_with(path, context, [])

    def read_with(self, path: Path, context: ReadContext, left_out: list[LeftOut]) -> Iterator[Record]:
        """Yield the records; ``left_out`` is what an archive kept back."""
        found = self.contents(path)
        found.left_out[:0] = left_out
        items = sorted(found.items, key=lambda item: (item.rank, str(item.path)))
        datasets = _datasets(context.dataset, items)
        crs = context.working_crs
        given = False
        for item, dataset in zip(items, datasets, strict=True):
            name = str(item.path.relative_to(path)) if item.path != path else path.name
            records = item.reader.read(item.path, replace(context, dataset=dataset, working_crs=crs, prepare=None))
            try:
                first = next(records, None)
            except LimitExceeded:
                raise
            except CimError as error:
                if len(items) == 1:
                    raise
                found.left_out.append((name, error.problem_code, f"{error.message} {error.hint}".strip()))
                continue
            if isinstance(first, SourceHeader):
                crs = first.working_crs
                given = True
                yield replace(first, dataset=first.dataset or dataset, source_file=first.source_file or name)
            elif first is not None:
                yield first
            yield from _named(records, dataset, name)
        if not given:
            raise _nothing(path, found.left_out)
        yield from _listed(found.left_out)

    def contents(self, path: Path) -> Contents:
        """Return what is read of a folder and what is not."""
        found = Contents()
        if self._tiles.recognises(path, b""):
            found.items.append(Item(path, self._tiles))
            return found
        taken: list[Path] = []
        count = 0
        for folder, folders, names in os.walk(path):
            here = Path(folder)
            folders[:] = sorted(name for name in folders if self._enter(here / name, path, found, taken))
            count += len(names)
            check_limit("MEMBERS_MAX", count, MEMBERS_MAX, f"The number of files in {path.name}")
            models = [name for name in names if name.lower().endswith(_OBJ)]
            inside = any(one in here.parents for one in taken)
            if models and not inside and self._models.recognises(here, b""):
                found.items.append(Item(here, self._models))
                taken.append(here)
            for name in sorted(set(names) - (set(models) if models and (inside or here in taken) else set())):
                self._file(here / name, path, found)
        return found

    def _enter(self, folder: Path, top: Path, found: Contents, taken: list[Path]) -> bool:
        """Tell whether a folder is walked through; one that is a source itself is taken whole."""
        name = str(folder.relative_to(top))
        if folder.name.lower() in _SYSTEM:
            return False
        if folder.is_symlink() or len(folder.relative_to(top).parts) > PATH_DEPTH_MAX:
            found.left_out.append((name, "folder-link", "It is a link, or too deep; it is not followed."))
            return False
        if self._tiles.recognises(folder, b""):
            found.items.append(Item(folder, self._tiles))
            taken.append(folder)
            return False
        return True

    def _file(self, file: Path, top: Path, found: Contents) -> None:
        name = str(file.relative_to(top))
        if file.name.lower() in _SYSTEM or file.name.startswith("._"):
            found.left_out.append((name, "file-system", "It is a file of an operating system."))
            return
        if file.is_symlink() or not file.is_file():
            found.left_out.append((name, "folder-link", "It is a link or no plain file; it is not followed."))
            return
        if _belongs(file):
            return
        with file.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
        if not self._archives and (is_zip(head) or is_tar(head)) and not self._models.recognises(file, head):
            found.left_out.append((name, "archive-nested", "It is an archive inside an archive; unpack it yourself."))
            return
        try:
            reader = self._choose(file)
        except CimError as error:
            found.left_out.append((name, error.problem_code, error.message))
            return
        if not self._archives and isinstance(reader, ArchiveReader):
            found.left_out.append((name, "archive-nested", "It is an archive inside an archive; unpack it yourself."))
            return
        found.items.append(Item(file, reader))


class ArchiveReader:
    """Reads a .zip, .tar or .tar.gz: unpacked into a folder of its own, bounded, then read as a folder."""

    name = "archive"
    version = "1"

    def __init__(self, inner: FolderReader) -> None:
        self._inner = inner

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002 -- the bytes say enough
        """Tell by the first bytes; ``head`` is unpacked where the file is packed with gzip."""
        return is_zip(head) or is_tar(head)

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Unpack, then stream the records of what was in it."""
        with tempfile.TemporaryDirectory(prefix="cim-archive-") as folder:
            target = Path(folder) / (path.name.partition(".")[0] or "archive")
            target.mkdir()
            done = unpack(path, target)
            yield from self._inner.read_with(_inmost(target), context, done.left_out)


def _inmost(folder: Path) -> Path:
    """Return the folder that an archive of one folder holds, unless its name says something (a zoom level)."""
    while True:
        inside = list(folder.iterdir())
        if len(inside) != 1 or not inside[0].is_dir() or inside[0].is_symlink() or inside[0].name.isdigit():
            return folder
        folder = inside[0]


def _belongs(file: Path) -> bool:
    """Tell whether a file is a part of another one beside it."""
    ending = file.suffix.lower()
    if ending not in _SHAPE_PARTS | _PICTURE_PARTS:
        return False
    stem = file.name[: -len(file.suffix)]
    wholes = (".shp",) if ending in _SHAPE_PARTS else (".tif", ".tiff", ".jpg", ".jpeg", ".png")
    beside = [file.with_name(stem + whole) for whole in wholes] + [file.with_name(stem)]
    return any(one.is_file() or one.with_suffix(one.suffix.upper()).is_file() for one in beside if one.suffix)


def _datasets(dataset: str, items: list[Item]) -> list[str]:
    """Return the name of each file's dataset: that of the whole and the file's own, each once."""
    if len(items) <= 1:
        return [dataset] * len(items)
    names: list[str] = []
    for item in items:
        own = dataset_slug(f"{dataset}-{item.path.name.partition('.')[0]}")
        name, number = own, 1
        while name in names:
            number += 1
            name = f"{own[: DATASET_LENGTH_MAX - len(str(number)) - 1]}-{number}"
        names.append(name)
    return names


def _named(records: Iterator[Record], dataset: str, name: str) -> Iterator[Record]:
    """Say with each fault which file it is in."""
    for record in records:
        match record:
            case Quarantined():
                yield replace(record, feature=f"{name}: {record.feature}"[:200])
            case SourceHeader():
                yield replace(record, dataset=record.dataset or dataset, source_file=record.source_file or name)
            case Progress(unit="features" | "rows"):
                yield Progress(record.done, None, record.unit)
            case Progress():
                pass
            case _:
                yield record


def _listed(left_out: list[LeftOut]) -> Iterator[Quarantined]:
    for name, code, reason in left_out[:LISTED_MAX]:
        yield Quarantined(name[:200], "not-read", f"{reason} ({code})")
    rest = len(left_out) - LISTED_MAX
    if rest > 0:
        yield Quarantined("…", "not-read", f"{rest:,} more files are not read.")


def _nothing(path: Path, left_out: list[LeftOut]) -> CimError:
    if not left_out:
        return NotFound(f"{path.name} holds no files.", hint="Check the path.", code="folder-empty", file=path.name)
    name, code, reason = left_out[0]
    return UnsupportedFormat(
        f"Nothing in {path.name} can be read. {name[:80]}: {reason}",
        hint="See docs/ingest.md for what is read.",
        file=path.name,
        first=code,
    )
