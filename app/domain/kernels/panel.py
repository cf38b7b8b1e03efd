"""The layout of a long frame, compiled: from rows in any order to one strip of cells a symbol.

Symbols are numbered in the order of their first row, days by rank among all days of the frame. A
symbol's strip has one cell for each rank from its first day to its last; together the strips are
little larger than the frame, and a row finds its cell without any sorting.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from app.domain.kernels.compiled import compiled

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]
Numbers = np.ndarray[tuple[int], np.dtype[np.int32]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
Facts = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Bounds = np.ndarray[tuple[int], np.dtype[np.int64]]

FIRST, LAST, LOWEST, HIGHEST, NEWEST, ORDERED = range(6)
"""Facts of a symbol: its first and last row, its lowest, highest and last rank, whether by day."""

FACTS: Final = 6

_BLOCK: Final = 512


class Rows(NamedTuple):
    """Columns of a frame, or of a piece of one."""

    high: Floats
    low: Floats
    close: Floats
    symbols: Numbers
    days: Numbers


class Strips(NamedTuple):
    """Where cells are: that of a row is starts[symbol] + ranks[day - first_day] - before.

    `width` is how many places a cell has, three or more.
    """

    starts: Bounds
    ranks: Numbers
    first_day: int
    before: int
    width: int


@compiled
def number_symbols(one: Hashes, other: Hashes, numbers: Numbers, capacity: int) -> int:
    """Writes each row's symbol number by its two hashes; how many symbols, -1: over `capacity`."""
    size = 4
    while size < 2 * capacity:
        size *= 2
    slots = np.full(size, -1, dtype=np.int32)
    known = np.empty((capacity, 2), dtype=np.uint64)
    count = 0
    for i in range(len(one)):
        if i and one[i] == one[i - 1] and other[i] == other[i - 1]:
            numbers[i] = numbers[i - 1]
            continue
        slot = np.int64((one[i] ^ (one[i] >> np.uint64(32))) & np.uint64(size - 1))
        while True:
            number = slots[slot]
            if number < 0:
                if count == capacity:
                    return -1
                known[count, 0], known[count, 1] = one[i], other[i]
                slots[slot] = number = count
                count += 1
            if known[number, 0] == one[i] and known[number, 1] == other[i]:
                numbers[i] = number
                break
            slot = (slot + 1) & (size - 1)
    return count


@compiled
def rank_days(days: Numbers, first: int, ranks: Numbers) -> int:
    """Writes the rank of each day that occurs, at index day - first; how many days occur."""
    ranks[:] = 0
    for day in days:
        ranks[day - first] = 1
    count = 0
    for i in range(len(ranks)):
        occurs = ranks[i]
        ranks[i] = count
        count += occurs
    return count


@compiled
def survey(symbols: Numbers, days: Numbers, first: int, ranks: Numbers, facts: Facts) -> None:
    """Fills the FACTS of each symbol (symbols x FACTS)."""
    facts[:, FIRST] = -1
    for i in range(len(symbols)):
        fact = facts[symbols[i]]
        rank = ranks[days[i] - first]
        if fact[FIRST] < 0:
            fact[FIRST], fact[LOWEST], fact[HIGHEST], fact[ORDERED] = i, rank, rank, 1
        elif rank <= fact[NEWEST]:
            fact[ORDERED] = 0
        fact[LAST], fact[NEWEST] = i, rank
        fact[LOWEST] = min(fact[LOWEST], rank)
        fact[HIGHEST] = max(fact[HIGHEST], rank)


@compiled
def fill_cells(rows: Rows, strips: Strips, cells: Floats, held: Flags) -> int:
    """Puts high, low and close of each row into its cell; -1, or a row whose cell is taken.

    A cell has `strips.width` places in `cells`; `held` says whether it has a row.
    """
    held[:] = False
    for i in range(len(rows.days)):
        rank = strips.ranks[rows.days[i] - strips.first_day]
        cell = strips.starts[rows.symbols[i]] + rank - strips.before
        if held[cell]:
            return i
        held[cell] = True
        place = cell * strips.width
        cells[place], cells[place + 1], cells[place + 2] = rows.high[i], rows.low[i], rows.close[i]
    return -1


@compiled
def gather_cells(rows: Rows, strips: Strips, cells: Floats, out: Table) -> None:
    """Writes what the cell of each row holds, in the order of the rows: out is width x rows.

    Column by column for some hundred rows at a time: the first two columns bring the cells near,
    many at once, and every column is written from one end to the other.
    """
    places = np.empty(_BLOCK, dtype=np.int64)
    last = strips.width - 1
    for start in range(0, len(rows.days), _BLOCK):
        n = min(_BLOCK, len(rows.days) - start)
        for i in range(n):
            row = start + i
            rank = strips.ranks[rows.days[row] - strips.first_day]
            places[i] = (strips.starts[rows.symbols[row]] + rank - strips.before) * strips.width
        for turn in range(strips.width):
            k = (0, last)[turn] if turn < 2 else turn - 1
            column = out[k, start : start + n]
            for i in range(n):
                column[i] = cells[places[i] + k]
