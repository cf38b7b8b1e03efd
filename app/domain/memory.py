"""Memory that is used again: a page of new memory costs more than the arithmetic on it.

Results are lent: the arrays and frames made over them own the loan together, and when the last of
them is gone its memory is put aside for the next loan. Scratch is kept for each thread.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Final

import numpy as np

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]

SMALLEST: Final = 100_000  # numbers; below that the allocator of the system does as well
LARGEST: Final = 17_000_000  # numbers, 136 MB; more is given back at once

_spare: deque[Floats] = deque(maxlen=1)


class _Loan:
    """Owns memory for as long as an array over it lives."""

    def __init__(self, memory: Floats, shape: tuple[int, int]) -> None:
        self.memory = memory
        self.__array_interface__ = {**memory.__array_interface__, "shape": shape}

    def __del__(self, spare: deque[Floats] = _spare, largest: int = LARGEST) -> None:
        # Bound here, because the module may be gone before the last frame of a process is.
        if self.memory.size <= largest:
            spare.append(self.memory)


def lend_table(rows: int, columns: int) -> Table:
    """An array of that shape; what it holds is left over."""
    size = rows * columns
    if size < SMALLEST:
        return np.empty((rows, columns))
    memory = _find_spare(size)
    return np.asarray(_Loan(np.empty(size) if memory is None else memory, (rows, columns)))


def _find_spare(size: int) -> Floats | None:
    """The memory put aside, unless it is too small or more than twice as large."""
    try:
        memory = _spare.pop()
    except IndexError:
        return None
    if size <= memory.size <= 2 * size:
        return memory
    _spare.append(memory)
    return None


class Scratch(threading.local):
    """Named arrays of one thread, the largest that were asked for."""

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray[Any, Any]] = {}

    def take(self, name: str, size: int, dtype: type[np.generic]) -> Any:
        """The first `size` elements of the array of that name; what they hold is left over."""
        if size > LARGEST:
            return np.empty(size, dtype=dtype)
        if name not in self._arrays or len(self._arrays[name]) < size:
            self._arrays[name] = np.empty(size, dtype=dtype)
        return self._arrays[name][:size]
