"""How a loop is compiled: serial, without the GIL, kept on disk, with arithmetic as written.

No `prange`: its threads wait for one another, which on a busy machine costs more than it gains;
work is spread over jobs instead. No `fastmath`: sums keep their order, so results are repeatable.

A compiled function uses compiled functions and constants of its own file, because what is kept on
disk is renewed when that file changes; one that uses other modules' is `compiled_bare` with them.
An integer written in a call is compiled for by itself; one from an array or `plain` is not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compiles `function` at its first call; a division by zero gives inf or NaN, as in numpy.

    Where nothing can be kept on disk (a read-only installation), each process compiles anew.
    """
    try:
        return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # numba: no locator available
        return cast("F", njit(nogil=True, error_model="numpy")(function))


def plain(value: int) -> int:
    """The number as compiled functions have any other; a literal would have them compiled anew."""
    return cast("int", np.int64(value))


class Direct:
    """A compiled function without numba's look at the types of its arguments, of each at each call.

    The look takes 2 of the 15 microseconds of a run. Whoever calls answers for the types instead:
    they are those of the first call, and arrays lie in C order.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function: Any = function
        self._entry: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> None:
        """Calls it; the first time as numba does, which compiles it or reads it from disk."""
        if self._entry is not None:
            self._entry(*arguments)
            return
        self._function(*arguments)
        (made,) = self._function.overloads.values()
        self._entry = made.entry_point


def compiled_bare(*modules: ModuleType) -> Callable[[F], F]:
    """As `compiled`, for what makes no array and uses compiled functions of these modules.

    References are not counted, which over tuples of arrays takes longer than the work; what is kept
    on disk is renewed when one of the modules changes too.
    """
    stats = [Path(module.__file__ or "").stat() for module in modules]
    stamps = tuple((stat.st_mtime, stat.st_size) for stat in stats)

    def decorate(function: F) -> F:
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
        options["forceinline"] = True  # a call hands over some two hundred numbers
        try:
            made = njit(cache=True, **options)(function)
        except RuntimeError:  # numba: no locator available
            return cast("F", njit(**options)(function))
        kept = getattr(getattr(made, "_cache", None), "_cache_file", None)
        if kept is not None:  # nothing is kept where nothing is compiled
            kept._source_stamp = (kept._source_stamp, *stamps)  # noqa: SLF001 - as above
        return cast("F", made)

    return decorate


def are_on_disk(*modules: ModuleType) -> bool:
    """Whether the machine code of all compiled functions of these modules is kept, of these files.

    That of another processor counts, too: the first call finds out, and compiles.
    """
    loops = (one for module in modules for one in vars(module).values())
    return all(_is_on_disk(one) for one in loops if isinstance(one, Dispatcher))


def _is_on_disk(function: Any) -> bool:
    kept = getattr(function._cache, "_cache_file", None)  # noqa: SLF001 - numba does not say it
    with suppress(Exception):  # whatever a damaged file makes of itself: it is not kept
        return kept is not None and bool(kept._load_index())  # noqa: SLF001 - as above
    return False
