"""How the kernels of light are compiled.  Import on first use: numba takes a second to load."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Return a function compiled at its first call, without the interpreter's lock; kept on disk if possible."""
    try:
        made = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:
        # Neither beside the module nor in the user's folder is there a place to keep it.
        made = numba.njit(nogil=True, error_model="numpy")(function)
    return cast("Function", made)


def inlined(function: Function) -> Function:
    """Return a function that the compiler writes into those that call it."""
    return cast("Function", numba.njit(nogil=True, error_model="numpy", forceinline=True)(function))
