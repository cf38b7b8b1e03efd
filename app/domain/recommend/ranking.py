"""Places among the instruments of a day, from -1 (lowest) to 1 (highest); equals share theirs."""

from __future__ import annotations

import numpy as np

from app.domain.recommend.panel import Floats, divide


def rank_rows(table: Floats) -> Floats:
    """The place of each value in its row: 2 * (r - 1/2) / n - 1 with r from 1 to n, n values.

    Equal values get the mean of their places. NaN stays NaN and takes no place.
    """
    order = np.argsort(table, axis=1, kind="stable")
    values = np.take_along_axis(table, order, axis=1)
    at = np.broadcast_to(np.arange(table.shape[1]), table.shape)
    starts = np.ones(table.shape, dtype=bool)
    starts[:, 1:] = values[:, 1:] != values[:, :-1]
    ends = np.ones(table.shape, dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    first = np.maximum.accumulate(np.where(starts, at, 0), axis=1)
    reverse = np.where(ends, at, table.shape[1])[:, ::-1]
    last = np.minimum.accumulate(reverse, axis=1)[:, ::-1]
    count = np.isfinite(table).sum(axis=1, keepdims=True)
    places = np.empty(table.shape)
    np.put_along_axis(places, order, (first + last + 1.0) / np.maximum(count, 1) - 1.0, axis=1)
    return np.where(np.isfinite(table), places, np.nan)


def mean_of(tables: list[Floats]) -> Floats:
    """The mean of what is known in each cell, NaN where nothing is."""
    total = np.zeros(tables[0].shape)
    count = np.zeros(tables[0].shape)
    for table in tables:
        known = np.isfinite(table)
        total += np.where(known, table, 0.0)
        count += known
    return divide(total, count)
