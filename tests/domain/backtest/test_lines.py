"""Lines of any length against TA-Lib, with gaps, and null where nothing moves."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from app.domain.backtest.lines import ZERO, Key, compute_line, show_key
from app.domain.backtest.tape import prepare
from app.errors import BadInput
from tests.domain.oracle_bars import walk

BARS = walk("A", 300, seed=3)
HIGH, LOW, CLOSE = (BARS[name].to_numpy() for name in ("high", "low", "close"))
TALIB = {
    ("sma", 7): talib.SMA(CLOSE, 7),
    ("ema", 30): talib.EMA(CLOSE, 30),
    ("rsi", 2): talib.RSI(CLOSE, 2),
    ("rsi", 14): talib.RSI(CLOSE, 14),
    ("macd", 12, 26): talib.EMA(CLOSE, 12) * 0 + talib.MACD(CLOSE, 12, 26, 2)[0],
    ("macd_signal", 12, 26, 9): talib.MACD(CLOSE, 12, 26, 9)[1],
    ("slow_k", 14, 3): talib.STOCH(HIGH, LOW, CLOSE, 14, 3, 0, 3, 0)[0],
    ("deviation", 20): (CLOSE - talib.SMA(CLOSE, 20)) / talib.STDDEV(CLOSE, 20),
}


@pytest.mark.parametrize("key", TALIB, ids=show_key)
def test_lines_are_those_of_talib(key: Key) -> None:
    ours, theirs = compute_line(prepare(BARS).history, key)[:, 0], TALIB[key]
    both = np.isfinite(theirs)
    assert both.sum() > 250
    assert np.isfinite(ours[both]).all()
    assert np.abs(ours[both] - theirs[both]).max() < 1e-8


def test_a_session_without_a_close_is_skipped() -> None:
    gone = (
        BARS.with_row_index()
        .filter(~(BARS["day"].is_in(BARS["day"][10:20].implode())))
        .drop("index")
    )
    both = prepare(gone.vstack(walk("B", 300, seed=1))).history
    alone = compute_line(prepare(gone).history, ("sma", 5))[:, 0]
    beside = compute_line(both, ("sma", 5))[:, 0]
    assert np.isnan(beside[10:20]).all()
    assert np.array_equal(np.delete(beside, range(10, 20)), alone, equal_nan=True)


@pytest.mark.parametrize("key", [("rsi", 14), ("deviation", 20), ("slow_k", 14, 3)])
def test_where_nothing_moves_there_is_no_value(key: Key) -> None:
    flat = walk("A", 60, seed=1).with_columns(open=5.0, high=5.0, low=5.0, close=5.0)
    assert np.isnan(compute_line(prepare(flat).history, key)).all()


@pytest.mark.parametrize("key", [("hull", 20), ("macd", 12), ("sma",)])
def test_what_is_no_line_is_refused(key: Key) -> None:
    with pytest.raises(BadInput, match=rf"no line {key[0]} of {len(key) - 1} numbers; there are"):
        compute_line(prepare(BARS).history, key)


def test_a_level_is_a_line() -> None:
    assert not compute_line(prepare(BARS).history, ZERO).any()
    assert show_key(("macd", 12, 26)) == "macd(12, 26)"
