"""Where the models of a collection lie: members of a ZIP archive, files of a folder, or one file.

Nothing is unpacked to disk: a member is read into memory, bounded, so a name with ``..`` in it leads nowhere.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Final

from cim.city.model import Quarantined
from cim.errors import InvalidInput, NotFound
from ingest.readers.damage import damaged
from ingest.readers.limits import HEAD_BYTES, INFLATED_BYTES_MAX, INFLATION_RATIO_MAX, check_limit

MODELS_MAX: Final = 1_000_000
MODEL_BYTES_MAX: Final = 256 * 1024**2
"""Text of one model, unpacked."""

CATALOGUE_BYTES_MAX: Final = 1024**3
"""A catalogue, unpacked."""

SUFFIX: Final = ".obj"
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png"})
_BESIDE: Final = frozenset({SUFFIX, ".csv", ".json", ".txt", ".md", ".mtl", ".pdf", ".toml", *_PICTURES})
LOOKED_AT_MAX: Final = 1_000
"""Members of an archive of models whose first bytes are looked at for something else that is read."""

_RATIO_FREE_BYTES: Final = 1024**2
"""Members that unpack to less are not asked how well they were packed."""


@dataclass(slots=True)
class ModelFiles:
    """The models of one collection, by their ids, in the order of names."""

    path: Path
    names: list[str] = field(default_factory=list)
    others: tuple[str, ...] = ()
    """Files beside them that belong to no model; none reads them in an archive, a folder's reader does in a folder."""
    _archive: zipfile.ZipFile | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def is_archive(self) -> bool:
        """Whether the models are members of an archive."""
        return self._archive is not None

    def models(self) -> Iterator[tuple[str, bytes | Quarantined]]:
        """Yield each model's id and its bytes, or why there are none."""
        for name in self.names:
            key = PurePosixPath(name).stem
            yield key, self._bytes(key, name)

    def _bytes(self, key: str, name: str) -> bytes | Quarantined:
        try:
            if self._archive is None:
                file = self.path if self.path.is_file() else self.path / name
                if file.stat().st_size > MODEL_BYTES_MAX:
                    return _too_large(key)
                return file.read_bytes()
            info = self._archive.getinfo(name)
            if info.file_size > MODEL_BYTES_MAX:
                return _too_large(key)
            if info.file_size > _RATIO_FREE_BYTES and info.file_size > INFLATION_RATIO_MAX * info.compress_size:
                return Quarantined(key, "inflation-ratio-max", "The model unpacks to absurdly more than its size.")
            return self._archive.read(info)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError):
            # RuntimeError: the member is encrypted; NotImplementedError: packed in a way that is not known.
            return Quarantined(key, "model-damaged", "The model cannot be unpacked.")

    def catalogue(self, name: str, stack: ExitStack) -> IO[bytes]:
        """Open the catalogue of that name: in the collection, else beside it."""
        if PurePosixPath(name).name != name or "\\" in name or name in {"", ".", ".."}:
            raise InvalidInput(
                "A catalogue is named without its folder.",
                hint="Put it into the collection or beside it.",
                code="catalogue-name",
            )
        if self._archive is not None:
            inside = [one for one in self._archive.infolist() if PurePosixPath(one.filename).name == name]
            if inside:
                check_limit("CATALOGUE_BYTES_MAX", inside[0].file_size, CATALOGUE_BYTES_MAX, f"The size of {name}")
                return BytesIO(self._archive.read(inside[0]))
        for folder in (self.path, self.path.parent):
            file = folder / name
            if file.is_file():
                check_limit("CATALOGUE_BYTES_MAX", file.stat().st_size, CATALOGUE_BYTES_MAX, f"The size of {name}")
                return stack.enter_context(file.open("rb"))
        raise NotFound(
            f"There is no {name[:80]} in the collection or beside it.",
            hint="Name the catalogue in the mapping: collection.catalogue.",
            code="catalogue-missing",
            file=name[:80],
        )


def open_models(path: Path, stack: ExitStack) -> ModelFiles:
    """Return the models of a collection; ``stack`` closes the archive.

    Raises :class:`InvalidInput` (``file-damaged``) for an archive that does not open,
    :class:`cim.errors.LimitExceeded` for too many models or too much to unpack.
    """
    if path.is_dir():
        every = [str(one.relative_to(path)) for one in path.rglob("*") if one.is_file()]
        files = ModelFiles(path, sorted(filter(_is_model, every)), tuple(filter(_is_other, every)))
    elif zipfile.is_zipfile(path):
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise damaged(path) from error
        members = [one for one in archive.infolist() if _is_model(one.filename)]
        total = sum(one.file_size for one in members)
        check_limit("INFLATED_BYTES_MAX", total, INFLATED_BYTES_MAX, "The unpacked size in bytes")
        others = tuple(filter(_is_other, archive.namelist()))
        files = ModelFiles(path, sorted({one.filename for one in members}), others, archive)
    elif path.name.lower().endswith(SUFFIX):
        files = ModelFiles(path, [path.name])
    else:
        raise damaged(path)
    check_limit("MODELS_MAX", len(files), MODELS_MAX, "The number of models")
    return files


def _is_model(name: str) -> bool:
    plain = PurePosixPath(name)
    return plain.suffix.lower() == SUFFIX and not plain.name.startswith(".") and "__MACOSX" not in plain.parts


def has_models(path: Path) -> bool:
    """Tell whether a folder or a ZIP archive is one of OBJ models; ``False`` for what does not open.

    What holds as many files of other kinds is a delivery of several sources.
    """
    try:
        with ExitStack() as stack:
            files = open_models(path, stack)
            return len(files) > len(files.others)
    except InvalidInput:
        return False


def heads_beside(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and first bytes of what an archive holds besides models and pictures; some of very many."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            named = (one for one in archive.infolist() if not one.is_dir() and not _goes_with_models(one.filename))
            for info in islice(named, LOOKED_AT_MAX):
                with archive.open(info) as member:
                    yield info.filename, member.read(HEAD_BYTES)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError):
            # Whoever reads the archive says so, by member.
            return


def _goes_with_models(name: str) -> bool:
    plain = PurePosixPath(name)
    hidden = plain.name.startswith(".") or "__MACOSX" in plain.parts
    return hidden or plain.suffix.lower() in {SUFFIX, *_PICTURES, ".mtl"}


def _is_other(name: str) -> bool:
    """Tell a file that is neither a model nor what goes with models: a catalogue, materials, pictures, notes."""
    plain = PurePosixPath(name)
    return not name.endswith("/") and plain.suffix.lower() not in _BESIDE and not plain.name.startswith(".")


def _too_large(key: str) -> Quarantined:
    return Quarantined(key, "model-bytes-max", f"The model is larger than {MODEL_BYTES_MAX:,} bytes.")
