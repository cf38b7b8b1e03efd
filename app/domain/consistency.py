"""Consistency: whether a whole answer can be right beside what is stored already.

Sources adjust all prices before a split on the day they learn of it, and name the split in the
same answer; now and then only one of the two has happened. Turned back into prices as traded, such
an answer is off by the split's ratio on every day before it. Nothing of it is taken then: neither
its prices nor its events.

The stored bars are not always the right ones. A bar that was fetched after the day of a split may
have been adjusted for it without a word; one that was written while a split was known may have been
turned back by a split that never was. Only such bars may be changed by that factor, when the split
comes or goes; a bar that was fetched before the day of a split cannot have known of it. All frames
hold prices as traded, in order of day.
"""

from __future__ import annotations

import math
from datetime import date
from typing import Final

import numpy as np
import polars as pl

_SCALED: Final = 0.01  # relative: what is nearer to 1 is a revision, not a scale
_SPREAD: Final = 0.005  # of the factor between days: rounding of adjusted prices
_LEAST: Final = 3  # days that must be off by one factor
_SMALL_SPLIT: Final = 0.2  # logarithm of a ratio that a day's own move cannot be told from


def find_contradiction(
    bars: pl.DataFrame,
    splits: pl.DataFrame,
    stored: pl.DataFrame,
    known_splits: pl.DataFrame,
    *,
    whole: bool = True,
) -> str | None:
    """Why an answer cannot be taken, in words for the reader; None when it can.

    `bars` (day, close) and `splits` are those of the answer, the last bar may be unfinished;
    `stored` (day, close, fetched: the UTC day, revision) and `known_splits` (with revision) what
    is in the tables for the same span. A split of the answer explains a factor only if bars on both
    of its sides agree with it, and if the answer is of the whole history: all of it has to change.
    """
    found = _find_break(bars, splits)
    if found is not None:
        return f"the split of {found} and the prices around it do not fit together"
    scale = find_scale(bars, stored)
    if scale is None:
        unseen = _unseen(bars, splits)
        if unseen is not None and stored.is_empty():
            return f"no price since the split of {unseen} shows yet that the others are adjusted"
        return None
    factor, last = scale
    scaled = stored.filter(pl.col("day") <= last)
    if (
        whole
        and _unseen(bars, splits) is None
        and (
            _come(splits, known_splits, scaled, factor)
            or _gone(splits, known_splits, scaled, factor)
        )
    ):
        return None
    return f"prices up to {last} are {factor:.4g} times those stored, and no split explains it"


def find_scale(incoming: pl.DataFrame, stored: pl.DataFrame) -> tuple[float, date] | None:
    """The factor by which the closes of an answer are off those stored, and the last such day.

    None unless one and the same factor, more than 1 % off, is that of at least three common days
    (all, where there are fewer) and of most days up to the last one of them: single days may have
    been revised besides.
    """
    pairs = stored.select("day", was="close").drop_nulls()
    pairs = pairs.join(incoming.select("day", "close").drop_nulls(), on="day").sort("day")
    ratio = (pairs["close"] / pairs["was"]).to_numpy()
    off = ratio[np.abs(ratio - 1.0) > _SCALED]
    if not len(off):
        return None
    factor = float(np.median(off))
    alike = np.flatnonzero(np.abs(ratio / factor - 1.0) <= _SPREAD)
    if len(alike) < min(_LEAST, len(ratio)) or 2 * len(alike) <= alike[-1] + 1:
        return None
    return factor, pairs["day"][int(alike[-1])]


def is_in_prices(bars: pl.DataFrame, split: tuple[date, float, float]) -> bool:
    """Whether the closes as traded show the split: (day, numerator, denominator).

    They do when the close of its day is nearer to the split's ratio than to the close before.
    """
    day, numerator, denominator = split
    move = _move_over(bars, day)
    if move is None:
        return False
    return abs(math.log(move * numerator / denominator)) < abs(math.log(move))


def _find_break(bars: pl.DataFrame, splits: pl.DataFrame) -> date | None:
    """The first split that the closes around it do not follow, None when all do."""
    for day, numerator, denominator in splits.sort("day").iter_rows():
        size = abs(math.log(numerator / denominator))
        move = _move_over(bars, day)
        if size < _SMALL_SPLIT or move is None:
            continue
        if abs(math.log(move * numerator / denominator)) >= size / 2:
            found: date = day
            return found
    return None


def _unseen(bars: pl.DataFrame, splits: pl.DataFrame) -> date | None:
    """The day of a split that no priced bar of the answer follows."""
    last = bars.drop_nulls("close")["day"].max()
    late = splits.filter(pl.col("day") > pl.lit(last, dtype=pl.Date)) if last else splits
    return None if late.is_empty() else late["day"][0]


def _come(splits: pl.DataFrame, known: pl.DataFrame, scaled: pl.DataFrame, factor: float) -> bool:
    """Whether new splits, all before the scaled bars were fetched, have that factor."""
    new = splits.join(known, on="day", how="anti").filter(pl.col("day") > scaled["day"].max())
    late = new.filter(pl.col("day") > scaled["fetched"].min())
    return late.is_empty() and _is_factor(new, factor)


def _gone(splits: pl.DataFrame, known: pl.DataFrame, scaled: pl.DataFrame, factor: float) -> bool:
    """Whether splits that the answer lacks, known when the scaled bars were written, have it."""
    old = known.join(splits, on="day", how="anti").filter(pl.col("day") > scaled["day"].max())
    late = old.filter(pl.col("revision") > scaled["revision"].min())
    return late.is_empty() and _is_factor(old, 1.0 / factor)


def _is_factor(splits: pl.DataFrame, factor: float) -> bool:
    if splits.is_empty():
        return False
    ratio = float((splits["numerator"] / splits["denominator"]).product())
    return abs(ratio / factor - 1.0) <= _SCALED


def _move_over(bars: pl.DataFrame, day: date) -> float | None:
    """The first close from `day` on, in closes before it; None where one of them is unknown."""
    priced = bars.select("day", "close").drop_nulls()
    before, since = priced.filter(pl.col("day") < day), priced.filter(pl.col("day") >= day)
    if before.is_empty() or since.is_empty():
        return None
    return float(since["close"][0] / before["close"][-1])
