"""The tail of the F distribution, by the continued fraction of the incomplete beta function."""

from __future__ import annotations

from math import lgamma, log
from typing import Any, Final

import numpy as np

Numbers = np.ndarray[Any, np.dtype[np.float64]]

TURNS: Final = 500
TINY: Final = 1e-300
PRECISION: Final = 1e-15


def f_tail(f: Numbers, numerator: int, denominator: int) -> Numbers:
    """P(F > f) with that many degrees of freedom; NaN where f is, 1 where f is not above 0.

    P(F > f) = I_x(d2 / 2, d1 / 2) at x = d2 / (d2 + d1 * f): Abramowitz and Stegun, 26.6.2.
    """
    f = np.asarray(f, dtype=np.float64)
    size = numerator * np.where(f > 0.0, f, 0.0)
    share, rest = size / (denominator + size), denominator / (denominator + size)
    a, b = denominator / 2.0, numerator / 2.0
    # the fraction converges where x < (a + 1) / (a + b + 2); elsewhere I_x(a, b) = 1 - I_1-x(b, a)
    far = rest < (a + 1.0) / (a + b + 2.0)
    below = _beta(np.where(far, rest, 0.0), a, b)
    above = 1.0 - _beta(np.where(far, 0.0, share), b, a)
    return np.where(np.isnan(f), np.nan, np.where(far, below, above))


def _beta(x: Numbers, a: float, b: float) -> Numbers:
    """I_x(a, b) for x below its mean: the fraction of A&S 26.5.8, by Lentz's method."""
    scale = lgamma(a + b) - lgamma(a) - lgamma(b) - log(a)
    with np.errstate(divide="ignore"):
        front = np.exp(a * np.log(x) + b * np.log1p(-x) + scale)
    c = np.ones_like(x)
    d = 1.0 / _away(1.0 - (a + b) * x / (a + 1.0))
    value = d.copy()
    for m in range(1, TURNS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 / _away(1.0 + even * d)
        c = _away(1.0 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 / _away(1.0 + odd * d)
        c = _away(1.0 + odd / c)
        step = d * c
        value *= step
        if np.abs(step - 1.0).max(initial=0.0) < PRECISION:
            break
    return front * value


def _away(value: Numbers) -> Numbers:
    """Kept away from zero, which Lentz's method divides by."""
    return np.where(np.abs(value) < TINY, TINY, value)
