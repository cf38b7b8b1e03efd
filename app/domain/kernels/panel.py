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
HashPairs = np.ndarray[tuple[int, int], np.dtype[np.uint64]]
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


class Names(NamedTuple):
    """The symbols numbered so far, found by hash: twice as many slots as symbols, a power of 2."""

    slots: Numbers
    hashes: HashPairs


def make_names(capacity: int) -> Names:
    """Room for so many symbols, a power of 2."""
    slots = np.full(2 * capacity, -1, dtype=np.int32)
    return Names(slots, np.empty((capacity, 2), dtype=np.uint64))


@compiled
def number_symbols(one: Hashes, other: Hashes, names: Names, count: int, numbers: Numbers) -> int:
    """Writes each row's symbol number by its two hashes.

    `count` symbols are known; how many then, or -1: there is no room for more.
    """
    last = len(names.slots) - 1
    for i in range(len(one)):
        if i and one[i] == one[i - 1] and other[i] == other[i - 1]:
            numbers[i] = numbers[i - 1]
            continue
        slot = np.int64((one[i] ^ (one[i] >> np.uint64(32))) & np.uint64(last))
        while True:
            number = names.slots[slot]
            if number < 0:
                if count == len(names.hashes):
                    return -1
                names.hashes[count, 0], names.hashes[count, 1] = one[i], other[i]
                names.slots[slot] = number = count
                count += 1
            if names.hashes[number, 0] == one[i] and names.hashes[number, 1] == other[i]:
                numbers[i] = number
                break
            slot = (slot + 1) & last
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
def order_rows(  # noqa: PLR0913, PLR0917 - days, their ranks, what lies where
    days: Numbers, first: int, ranks: Numbers, bounds: Bounds, order: Bounds, slots: Numbers
) -> int:
    """Writes the rows of each piece by day, a piece being one symbol; -1, or a row of a day taken.

    Piece i has the rows bounds[i] to bounds[i + 1]; `slots` has room for all ranks.
    """
    slots[:] = -1
    for i in range(len(bounds) - 1):
        a, b = bounds[i], bounds[i + 1]
        lowest = highest = ranks[days[a] - first]
        for row in range(a, b):
            rank = ranks[days[row] - first]
            lowest, highest = min(lowest, rank), max(highest, rank)
            if slots[rank] >= 0:
                return row
            slots[rank] = row
        n = a
        for rank in range(lowest, highest + 1):
            if slots[rank] >= 0:
                order[n] = slots[rank]
                slots[rank] = -1
                n += 1
    return -1


@compiled
def fill_cells(rows: Rows, strips: Strips, cells: Floats, held: Flags) -> int:
    """Puts high, low and close of each row into its cell; -1, or a row whose cell is taken.

    A cell has `strips.width` places in `cells`; `held` says whether it has a row (false at first).
    """
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
def gather_cells(  # noqa: PLR0913, PLR0917 - whose cells, where they are, where they go
    symbols: Numbers, days: Numbers, strips: Strips, cells: Floats, out: Table, at: int
) -> None:
    """Writes what the cell of each row holds, in the order of the rows, from column `at` on.

    Column by column for some hundred rows at a time: the first two columns bring the cells near,
    many at once, and every column is written from one end to the other.
    """
    places = np.empty(_BLOCK, dtype=np.int64)
    last = strips.width - 1
    for start in range(0, len(days), _BLOCK):
        n = min(_BLOCK, len(days) - start)
        for i in range(n):
            row = start + i
            rank = strips.ranks[days[row] - strips.first_day]
            places[i] = (strips.starts[symbols[row]] + rank - strips.before) * strips.width
        for turn in range(strips.width):
            k = (0, last)[turn] if turn < 2 else turn - 1
            column = out[k, at + start : at + start + n]
            for i in range(n):
                column[i] = cells[places[i] + k]
