"""What a strategy sees: nothing later than the close, the same to the last bit whatever follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from app.domain.backtest.tape import prepare
from tests.domain.oracle_bars import walk


def test_a_later_split_changes_nothing_that_was_seen() -> None:
    bars = walk("A", 50, seed=1)
    day = bars["day"][30]
    splits = pl.DataFrame({"symbol": ["A"], "day": [day], "numerator": [3], "denominator": [1]})
    with_split, without = prepare(bars, splits=splits).history, prepare(bars).history
    assert np.array_equal(with_split.close[:30], without.close[:30])
    assert np.array_equal(with_split.close[30:], without.close[30:] * 3)


def test_the_long_frame_has_the_rows_with_a_close() -> None:
    bars = pl.concat([walk("A", 5, seed=1), walk("B", 3, seed=2)])
    history = prepare(bars).history
    assert history.frame.height == 8
    assert np.array_equal(history.spread(history.frame, "close"), history.close, equal_nan=True)


def test_series_of_other_markets_end_with_what_was_known_at_the_close() -> None:
    bars = walk("A", 4, seed=1)
    closes = [datetime(2024, 1, 2 + n, 6, 30, tzinfo=UTC) for n in range(4)]
    closes_at = pl.DataFrame({"day": bars["day"], "close_at": closes})
    other = pl.DataFrame(
        {"known_at": [close + timedelta(hours=14) for close in closes], "x": range(4)}
    )
    history = prepare(bars, closes_at=closes_at, references={"SPY": other}).history
    assert history.until(3).references["SPY"]["x"].to_list() == [0, 1]
