"""cjio, which reads CityJSON as we do not.

Importing it makes Python's own ``json`` round every number to six decimals for the whole process (as of cjio 0.10);
here that is undone at once, so that no other test sees rounded answers.
"""

from __future__ import annotations

import json.encoder
from typing import Any


def cjio_cityjson() -> Any:
    """Return the module ``cjio.cityjson`` and leave ``json`` as it was."""
    was = json.encoder.c_make_encoder
    had_float = "float" in vars(json.encoder)
    from cjio import cityjson

    json.encoder.c_make_encoder = was
    if not had_float:
        vars(json.encoder).pop("float", None)
    return cityjson
