"""How a loop is compiled: serial, without the GIL, kept on disk, with arithmetic as written.

No `prange`: its threads wait for one another, which on a busy machine costs more than it gains;
work is spread over jobs instead. No `fastmath`: sums keep their order, so results are repeatable.

A compiled function uses compiled functions and constants of its own file alone: what is kept on
disk is renewed when that file changes, and only then. An integer that is written in a call is
compiled for by itself; one that comes from an array is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compiles `function` at its first call; a division by zero gives inf or NaN, as in numpy.

    Where nothing can be kept on disk (a read-only installation), each process compiles anew.
    """
    try:
        return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # numba: no locator available
        return cast("F", njit(nogil=True, error_model="numpy")(function))
