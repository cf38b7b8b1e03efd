"""XIRR: the yearly rate at which the present values of dated payments add up to nothing.

    Σ payment_i / (1 + r)^((day_i - day_0) / 365) = 0      (the XIRR of spreadsheets)

What is paid in is negative, what comes back positive; day_0 is the earliest. There can be several
such rates: all between -99.99 % and 10,000 % are found, and the reader is told when there is more
than one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np

DAYS_A_YEAR: Final = 365.0
_LOW: Final = np.log1p(-0.9999)
_HIGH: Final = np.log1p(100.0)
_STEPS: Final = 1_000
_CLOSE: Final = 1e-13

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


class XirrNote(StrEnum):
    """Why there is no single yearly rate, or what to know of it."""

    ONE_SIGN = "ONE_SIGN"  # money only went in, or only came out
    SEVERAL = "SEVERAL"  # more than one rate solves it
    UNDER_A_YEAR = "UNDER_A_YEAR"  # not annualised: `period` is the return of the time itself
    NO_ROOT = "NO_ROOT"  # no rate within the range solves it


@dataclass(frozen=True, slots=True)
class Xirr:
    """`rate` is yearly, 0.1 for 10 %; None with a note. `period`: the return of the whole time.

    `roots` are yearly, or of the time itself when it is under a year.
    """

    rate: float | None
    period: float | None
    roots: tuple[float, ...] = ()
    note: XirrNote | None = None


def compute_xirr(payments: Iterable[tuple[date, float]]) -> Xirr:
    """The rate of dated payments, in any order, and what has to be said of it.

    With several rates none is chosen; under a year only the period's return is told.
    """
    by_day: defaultdict[date, float] = defaultdict(float)
    for day, amount in payments:
        by_day[day] += amount
    days, amounts = sorted(by_day), np.array([by_day[day] for day in sorted(by_day)])
    if not ((amounts > 0).any() and (amounts < 0).any()):
        return Xirr(None, None, note=XirrNote.ONE_SIGN)
    elapsed = np.array([(day - days[0]).days for day in days], dtype=np.float64)
    unit = min(float(elapsed[-1]), DAYS_A_YEAR)  # under a year: solved for the time itself
    roots = find_roots(amounts, elapsed / unit)
    if not roots:
        return Xirr(None, None, note=XirrNote.NO_ROOT)
    if len(roots) > 1:
        return Xirr(None, None, roots, XirrNote.SEVERAL)
    (rate,) = roots
    if unit < DAYS_A_YEAR:
        return Xirr(None, rate, roots, XirrNote.UNDER_A_YEAR)
    return Xirr(rate, (1.0 + rate) ** (float(elapsed[-1]) / DAYS_A_YEAR) - 1.0, roots)


def find_roots(amounts: Floats, times: Floats) -> tuple[float, ...]:
    """All rates in the range that solve the equation, in order; times are in units of the rate.

    Signs are compared on a grid of log(1 + r), densest around zero, and each change is bisected.
    """
    grid = _grid()
    signs = np.sign([_present_value(amounts, times, log) for log in grid])
    roots = grid[signs == 0.0].tolist()
    changes = np.flatnonzero(signs[:-1] * signs[1:] < 0.0)
    roots += [_bisect(amounts, times, grid[i], grid[i + 1]) for i in changes]
    return tuple(sorted(float(np.expm1(root)) for root in roots))


def _grid() -> Floats:
    """Points of log(1 + r) over the range, densest around zero."""
    spread = np.sinh(np.linspace(-4.0, 4.0, _STEPS + 1)) / np.sinh(4.0)
    below, above = -spread * _LOW, spread * _HIGH
    return np.asarray(np.where(spread < 0.0, below, above), dtype=np.float64)


def _present_value(amounts: Floats, times: Floats, log: float) -> float:
    return float(amounts @ np.exp(-log * times))


def _bisect(amounts: Floats, times: Floats, low: float, high: float) -> float:
    """The zero between two points of different sign, to the last bit that matters."""
    below = _present_value(amounts, times, low)
    while high - low > _CLOSE:
        middle = (low + high) / 2.0
        value = _present_value(amounts, times, middle)
        if value == 0.0:
            return middle
        if (value < 0.0) == (below < 0.0):
            low, below = middle, value
        else:
            high = middle
    return (low + high) / 2.0
