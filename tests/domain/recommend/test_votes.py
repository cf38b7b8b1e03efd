"""The fused signal of columns beside that of a day."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl

from app.domain.recommend.votes import signal_column
from app.domain.signals import SignalStrength, compute_signal

NUMBERS = {
    SignalStrength.STRONG_BUY: 2.0,
    SignalStrength.BUY: 1.0,
    SignalStrength.HOLD: 0.0,
    SignalStrength.SELL: -1.0,
    SignalStrength.STRONG_SELL: -2.0,
}


def test_every_combination_of_votes_comes_to_what_the_signal_of_a_day_says():
    sides = list(product((-1.0, 0.0, 1.0), repeat=4))
    lines = [*sides, *((*(1.0,) * at, None, *(-1.0,) * (3 - at)) for at in range(4))]
    strengths = (None, 29.9, 30.0, 70.0, 70.1)
    places = (None, 19.9, 20.0, 80.0, 80.1)
    rows = [
        (f"{rsi}/{k}/{number}", bar, rsi, k, value)
        for rsi, k in product(strengths, places)
        for number, line in enumerate(lines)
        for bar, value in enumerate(line)
    ]
    names = ["symbol", "bar", "rsi_14", "stochastic_k", "macd_histogram"]
    frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    found = frame.with_columns(signal_column()).filter(pl.col("bar") == 3)["signal"].to_list()
    expected = []
    for rsi, k in product(strengths, places):
        for line in lines:
            signal = compute_signal(rsi, k, line)
            expected.append(None if signal is None else NUMBERS[signal.strength])
    assert found == expected
    assert set(found) == {None, *NUMBERS.values()}


def test_the_bars_of_another_symbol_are_no_history():
    random = np.random.default_rng(5)
    rows = {"rsi_14": random.uniform(0, 100, 12), "stochastic_k": random.uniform(0, 100, 12)}
    frame = pl.DataFrame(
        {"symbol": ["A"] * 6 + ["B"] * 6, **rows, "macd_histogram": random.normal(size=12)}
    )
    signal = frame.with_columns(signal_column())["signal"]
    assert signal.is_null().to_list() == ([True] * 3 + [False] * 3) * 2
