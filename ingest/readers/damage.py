"""The refusal of a file that is broken as a whole: one shape for all readers, so that a client words it once."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cim.errors import InvalidInput

COPY_AGAIN: Final = "Download or copy the file again."


def damaged(
    path: Path, why: str = "is truncated or damaged", *, hint: str = COPY_AGAIN, within: str = ""
) -> InvalidInput:
    """Return the error (``file-damaged``) of a file that ends early or cannot be read to its end.

    ``why`` goes on from the name of the file; ``within`` names the table or tile inside it that is broken.
    """
    subject = f"{within} of {path.name}" if within else path.name
    return InvalidInput(f"{subject} {why}; nothing of it was taken in.", hint=hint, code="file-damaged", file=path.name)
