"""Whether a series keeps returning to its mean: the augmented Dickey-Fuller test with a constant.

Granger's test of series that wander finds something in one of five pairs of nothing at all; returns
pass this, price levels do not.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

Numbers = np.ndarray[Any, np.dtype[np.float64]]

CRITICAL: Final = (-3.43035, -6.5393, -16.786, -79.433)
"""At 1 %, with a constant: Σ c_i / rows^i (MacKinnon 2010, Table 2)."""


def dickey_fuller(series: Numbers, lags: int = 1) -> float:
    """The t value of y_t-1 in Δy_t on a constant, y_t-1 and `lags` lags of Δy; NaN for no movement.

    The further below zero, the surer it is that the series returns (Dickey and Fuller 1979).
    """
    steps = np.diff(series)
    told = steps[lags:]
    past = [steps[lags - n : len(steps) - n] for n in range(1, lags + 1)]
    rows = np.column_stack([series[lags:-1], *past, np.ones(len(told))])
    rank = np.linalg.matrix_rank(rows)
    if rank < rows.shape[1] or not told.any():
        return float("nan")
    inverse = np.linalg.inv(rows.T @ rows)
    coefficients = np.linalg.lstsq(rows, told, rcond=None)[0]
    rest = told - rows @ coefficients
    variance = float(rest @ rest) / (len(told) - rows.shape[1])
    return float(coefficients[0] / np.sqrt(variance * inverse[0, 0]))


def is_stationary(series: Numbers, lags: int = 1) -> bool:
    """Whether a unit root is refused at 1 %."""
    rows = len(series) - 1 - lags
    critical = sum(c / rows**power for power, c in enumerate(CRITICAL))
    return bool(dickey_fuller(series, lags) < critical)
