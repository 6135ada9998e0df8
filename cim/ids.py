"""One id everywhere: ``{dataset}:{native id}``.

The same string names an object in the tile, the row, the sensor link, the plan check, the comment
and the URL.  The dataset is a short slug chosen at ingest; the native id is the source's own
(gml:id, ``way/123``, GlobalId), so that an id is stable over re-ingest and never a row number.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from cim.errors import InvalidInput

DATASET_LENGTH_MAX = 40
NATIVE_LENGTH_MAX = 200
_DATASET = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def dataset_slug(text: str) -> str:
    """Return the slug of a file name or title: lower case ASCII letters, digits and hyphens."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")[:DATASET_LENGTH_MAX].strip("-")
    return slug or "dataset"


def object_id(dataset: str, native_id: str) -> str:
    """Join a dataset slug and a native id.

    Raises :class:`InvalidInput` if the slug is not one, or if the native id is empty, longer than
    ``NATIVE_LENGTH_MAX`` or holds control characters.
    """
    if not _is_dataset(dataset):
        raise InvalidInput(
            f"{dataset!r} is not a dataset name.",
            hint="Use lower-case letters, digits and hyphens, 40 at most.",
            code="dataset-name",
        )
    if not native_id or len(native_id) > NATIVE_LENGTH_MAX or not native_id.isprintable():
        raise InvalidInput("An object has no usable id.", code="object-id", length=len(native_id))
    return f"{dataset}:{native_id}"


@lru_cache(maxsize=256)
def _is_dataset(text: str) -> bool:
    """Tell a slug; remembered, since the same few are asked for with every object."""
    return _DATASET.fullmatch(text) is not None


def split_id(identifier: str) -> tuple[str, str]:
    """Return ``(dataset, native id)``; raises :class:`InvalidInput` for anything else."""
    dataset, colon, native_id = identifier.partition(":")
    if not colon or not native_id or not _DATASET.fullmatch(dataset):
        raise InvalidInput("That is not an object id.", code="object-id")
    return dataset, native_id
