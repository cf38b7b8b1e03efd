"""Memory that is used again: a page of new memory costs more than the arithmetic on it.

Large arrays are lent: the arrays and frames made over a loan own it together, and when the last of
them is gone its memory rests, marked free, so that the system takes it when it is short of memory
and has it back for nothing otherwise. Small ones are kept for each thread.
"""

from __future__ import annotations

import mmap
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]

SMALLEST: Final = 100_000  # numbers; below that the allocator of the system does as well
_BYTES: Final = 8
_FREE: Final[int | None] = getattr(mmap, "MADV_FREE", None)
_HUGE: Final[int | None] = getattr(mmap, "MADV_HUGEPAGE", None)


@dataclass(frozen=True)
class _Block:
    mapping: mmap.mmap
    numbers: Floats


_resting: deque[_Block] = deque(maxlen=4)


class _Loan:
    """Owns a block for as long as an array over it lives."""

    def __init__(self, block: _Block, shape: tuple[int, ...]) -> None:
        self.block = block
        self.__array_interface__ = {**block.numbers.__array_interface__, "shape": shape}

    def __del__(self, resting: deque[_Block] = _resting, free: int | None = _FREE) -> None:
        # Bound here, because the module may be gone before the last frame of a process is.
        if free is not None:
            self.block.mapping.madvise(free)
            resting.append(self.block)


def lend(*shape: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """An array of that shape; what it holds is left over."""
    size = int(np.prod(shape))
    if size < SMALLEST:
        return np.empty(shape)
    return np.asarray(_Loan(_find_resting(size) or _make_block(size), shape))


def _find_resting(size: int) -> _Block | None:
    """A block that is large enough and at most twice as large."""
    for _ in range(len(_resting)):
        try:
            block = _resting.popleft()
        except IndexError:  # another thread was faster
            return None
        if size <= block.numbers.size <= 2 * size:
            return block
        _resting.append(block)
    return None


def _make_block(size: int) -> _Block:
    mapping = mmap.mmap(-1, size * _BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if _HUGE is not None:
        mapping.madvise(_HUGE)
    return _Block(mapping, np.frombuffer(mapping, dtype=np.float64))


class Scratch(threading.local):
    """Named arrays of one thread, the largest that were asked for."""

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray[Any, Any]] = {}

    def take(self, name: str, size: int, dtype: type[np.generic]) -> Any:
        """An array of `size` elements; what it holds is left over. A large one is lent."""
        numbers = -(-size * np.dtype(dtype).itemsize // _BYTES)
        if numbers >= SMALLEST:
            return lend(numbers).view(dtype)[:size]
        if name not in self._arrays or len(self._arrays[name]) < size:
            self._arrays[name] = np.empty(size, dtype=dtype)
        return self._arrays[name][:size]
