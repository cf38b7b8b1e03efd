"""How closely returns move together: Pearson's coefficient, or Spearman's (of their ranks).

No cache and no loop: a product of matrices. A column that does not move has no coefficient (NaN).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import numpy as np
import polars as pl

from app.errors import BadInput

Numbers = np.ndarray[Any, np.dtype[np.float64]]

STILL: Final = 1e-14
"""A spread below this part of a column's size is rounding, not movement."""


class CorrelationMethod(StrEnum):
    """Of the returns themselves, or of their ranks (which one wild day cannot rule)."""

    PEARSON = "PEARSON"
    SPEARMAN = "SPEARMAN"


def correlate(values: Numbers, method: CorrelationMethod = CorrelationMethod.PEARSON) -> Numbers:
    """The coefficients of each two columns of `values` (rows by columns): columns by columns.

    Symmetric, exactly 1 on the diagonal, within [-1, 1]; NaN where a column is constant.
    """
    units = _normalise(rank(values) if method is CorrelationMethod.SPEARMAN else values)
    found: Numbers = np.clip(units.T @ units, -1.0, 1.0)
    moving = ~np.isnan(np.diagonal(found))
    found[moving, moving] = 1.0
    return found


def rolling_correlation(one: Numbers, two: Numbers, window: int) -> Numbers:
    """Pearson's coefficient of the last `window` rows at each row; NaN before there are so many.

    Raises:
        BadInput: the window is shorter than 3 or longer than the rows.
    """
    if not 3 <= window <= len(one):
        message = "A window of %(window)d rows is not between 3 and %(most)d"
        raise BadInput(message, field="window", window=window, most=len(one))
    views = [np.lib.stride_tricks.sliding_window_view(side, window) for side in (one, two)]
    left, right = (_normalise(view.T) for view in views)
    found = np.full(len(one), np.nan)
    found[window - 1 :] = np.clip(np.einsum("ij,ij->j", left, right), -1.0, 1.0)
    return found


def rank(values: Numbers) -> Numbers:
    """The rank of each value in its column, from 1; equal values share their mean rank."""
    frame = pl.DataFrame(values, orient="row")
    return frame.select(pl.all().rank("average")).to_numpy().reshape(values.shape)


def _normalise(values: Numbers) -> Numbers:
    """Columns with mean 0 and length 1; NaN where a column does not move."""
    about = values - values.mean(axis=0)
    length = np.sqrt(np.einsum("ij,ij->j", about, about))
    size = np.sqrt(np.einsum("ij,ij->j", values, values))
    with np.errstate(invalid="ignore", divide="ignore"):
        units: Numbers = about / np.where(length > STILL * size, length, np.nan)
    return units
