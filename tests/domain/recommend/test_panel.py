"""The panel: arrays of sessions x instruments, and what is known when."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from app.domain.recommend.panel import carry_forward, make_panel
from app.errors import BadInput
from tests.panels import random_walks

ONE, TWO, THREE = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)


def bars(*rows: tuple[str, date, float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"symbol": symbol, "day": day, "close": close, "total": close, "signal": None}
            for symbol, day, close in rows
        ],
        schema_overrides={"signal": pl.Float64, "total": pl.Float64, "close": pl.Float64},
    )


def test_a_day_on_which_anybody_traded_is_a_session_and_who_did_not_is_unknown():
    panel = make_panel(bars(("B", TWO, 20.0), ("A", ONE, 1.0), ("A", THREE, 3.0), ("B", ONE, None)))
    assert panel.symbols == ("A", "B")
    assert panel.days.tolist() == [ONE, TWO, THREE]
    np.testing.assert_array_equal(panel.close, [[1.0, np.nan], [np.nan, 20.0], [3.0, np.nan]])
    np.testing.assert_array_equal(carry_forward(panel.close)[-1], [3.0, 20.0])
    assert panel.few.all()


def test_fundamentals_hold_from_their_day_on_and_never_before_it():
    told = pl.DataFrame(
        {
            "symbol": ["A", "A", "B"],
            "day": [TWO, THREE, ONE],
            "trailing_pe": [10.0, 11.0, None],
            "price_to_book": [None, None, None],
            "return_on_equity": [None, None, 0.2],
            "dividend_yield": [None, None, None],
        },
        schema_overrides={"price_to_book": pl.Float64, "dividend_yield": pl.Float64},
    )
    prices = bars(*(("A", day, 1.0) for day in (ONE, TWO, THREE)), ("B", THREE, 2.0))
    panel = make_panel(prices, told)
    assert set(panel.fundamentals) == {"trailing_pe", "return_on_equity"}
    pe = panel.fundamentals["trailing_pe"]
    np.testing.assert_array_equal(pe, [[np.nan, np.nan], [10.0, np.nan], [11.0, np.nan]])
    np.testing.assert_array_equal(panel.fundamentals["return_on_equity"][:, 1], [0.2, 0.2, 0.2])


def test_the_benchmark_is_the_newest_close_known_at_each_session():
    index = pl.DataFrame({"day": [ONE, THREE], "close": [100.0, 103.0]})
    panel = make_panel(bars(("A", TWO, 1.0), ("A", THREE, 1.0)), None, index, "SPY")
    assert panel.benchmark is not None
    assert panel.benchmark.tolist() == [100.0, 103.0]


def test_two_bars_of_one_day_are_refused():
    with pytest.raises(BadInput, match="same symbol and day"):
        make_panel(bars(("A", ONE, 1.0), ("A", ONE, 2.0)))


def test_a_shorter_panel_is_its_beginning():
    panel = random_walks(1, 35, 40)
    short = panel.until(25)
    assert short.close.shape == (25, 35)
    assert not short.few.any()
    assert short.benchmark is not None
    assert len(short.benchmark) == len(short.days) == 25
