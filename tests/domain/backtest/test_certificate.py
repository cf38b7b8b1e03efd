"""The certificate: every built-in strategy is clean, and twelve planted leaks are named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from app.domain.backtest.certificate import SIZES, certify
from app.domain.backtest.history import History
from app.domain.backtest.setup import Setup, Size, Sizing
from app.domain.backtest.strategies import STRATEGIES
from app.domain.backtest.strategy import Decision, Strategy, Values
from app.domain.backtest.tape import Tape, prepare
from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.indicators import compute_daily
from tests.domain.oracle_bars import sample, walk

SETUP = Setup(cash=Decimal(100_000))
SYMBOLS = ("A", "B", "C")


def tape() -> Tape:
    """Three instruments, one of which ends early and one begins late, with a split and dividends."""
    bars = [walk(symbol, 260, seed=n) for n, symbol in enumerate(SYMBOLS)]
    bars[1], bars[2] = bars[1][:200], bars[2][40:]
    days = bars[0]["day"]
    closes = [datetime.combine(day, time(6, 30), UTC) for day in days]
    other = pl.DataFrame(
        {"day": days, "known_at": [close + timedelta(hours=14) for close in closes],
         "close": walk("SPY", 260, seed=9)["close"]}
    )  # fmt: skip
    return prepare(
        pl.concat(bars),
        splits=pl.DataFrame({"symbol": ["A"], "day": [days[130]], "numerator": [2], "denominator": [1]}),
        dividends=pl.DataFrame({"symbol": ["A", "A"], "day": [days[90], days[170]], "amount": [1.5, 1.0]}),
        closes_at=pl.DataFrame({"day": days, "close_at": closes}),
        references={"SPY": other},
    )  # fmt: skip


TAPE = tape()


class Planted(Strategy):
    """Long where the input lies above its own mean so far, or the close above the input."""

    key = name = description = "planted"

    def __init__(self, label: str, make: Callable[[History], Any], *, size: bool = False) -> None:
        self.label, self.make, self.size = label, make, size

    def decide(self, history: History, values: Values) -> Decision:  # noqa: ARG002
        made = self.make(history)
        if self.size:
            side = (np.arange(len(history.days))[:, None] // 10 % 2).astype(np.int8)
            return Decision(np.broadcast_to(side, history.shape).copy(), {}, made)
        side = np.nan_to_num(history.close) > np.nan_to_num(made, nan=np.inf)
        return Decision(side.astype(np.int8), {self.label: made})


def later(table: Any, by: int = 1) -> Any:
    out = np.full(table.shape, np.nan)
    out[:-by] = table[by:]
    return out


def centred(history: History) -> Any:
    out = np.full(history.shape, np.nan)
    for t in range(5, len(out) - 5):
        out[t] = history.close[t - 5 : t + 6].mean(axis=0)
    return out


def back_filled(history: History) -> Any:
    frame = pl.DataFrame(history.close).with_columns(
        pl.all().fill_nan(None).fill_null(strategy="backward")
    )
    return frame.to_numpy() * 0.99


def left_labelled(history: History) -> Any:
    weeks = history.frame.group_by("symbol", pl.col("day").dt.truncate("1w")).agg(
        pl.col("close").last()
    )
    joined = history.frame.select("symbol", "day").join_asof(
        weeks.sort("day"), on="day", by="symbol", check_sortedness=False
    )
    return history.spread(joined, "close")


def restated(history: History) -> Any:
    """Adjusted backward for dividends, as a vendor sends it today."""
    out = history.close.copy()
    for dividend in history.dividends:
        before = history.close[dividend.bar - 1, dividend.column]
        out[: dividend.bar, dividend.column] *= 1 - dividend.amount / before
    return out * 0.999


def joined_by_date(history: History) -> Any:
    spy = history.references["SPY"]
    found = pl.DataFrame({"day": history.days}).join(
        spy, on="day", how="left", maintain_order="left"
    )
    column = found["close"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.repeat(column[:, None], history.shape[1], axis=1)


def future_dividends(history: History) -> Any:
    out = history.close.copy()
    for dividend in history.dividends:
        out[max(0, dividend.bar - 10) : dividend.bar, dividend.column] -= 20 * dividend.amount
    return out * 1.001


def constant(value: Callable[[History], Any]) -> Callable[[History], Any]:
    return lambda history: np.broadcast_to(value(history), history.shape).astype(float).copy()


def mean_of(table: Any) -> Any:
    """The mean of each instrument's values; 0 where there is none."""
    return np.nansum(table, axis=0) / np.maximum(np.isfinite(table).sum(axis=0), 1)


LEAKS = {
    "shift": lambda h: later(h.close),
    "whole-frame scale": lambda h: h.close - mean_of(h.close) + 1,
    "bfill": back_filled,
    "centred window": centred,
    "left-labelled resample": left_labelled,
    "last-row constant": constant(lambda h: np.nan_to_num(h.close[-1])),
    "members of today": constant(lambda h: np.where(np.isfinite(h.close[-1]), 0.0, np.inf)),
    "high of the bar of the fill": lambda h: later(h.high) * 0.99,
    "restated price": restated,
    "joined by date across markets": joined_by_date,
    "dividend of the future": future_dividends,
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_named(name: str) -> None:
    got = certify(TAPE, Planted(name, LEAKS[name]), None, SETUP, seed=1)
    assert not got.clean
    assert {leak.name for leak in got.leaks} == {name}
    assert all(leak.day <= leak.cut for leak in got.leaks)


def test_a_size_by_the_volatility_of_the_whole_sample_is_named() -> None:
    def size(history: History) -> Any:
        change = np.diff(np.log(history.close), axis=0)
        deviation = np.sqrt(mean_of(change**2)) + 1e-9
        return np.broadcast_to(np.minimum(0.01 / deviation, 1.0), history.shape) / 3

    got = certify(TAPE, Planted("volatility", size, size=True), None, SETUP, seed=1)
    assert [leak.name for leak in got.leaks] == [SIZES]


def test_a_side_that_names_no_input_is_found_all_the_same() -> None:
    class Silent(Planted):
        def decide(self, history: History, values: Values) -> Decision:
            return Decision(super().decide(history, values).side)

    got = certify(TAPE, Silent("x", LEAKS["shift"]), None, SETUP, seed=1)
    assert [leak.name for leak in got.leaks] == ["sides"]


@pytest.mark.parametrize("key", STRATEGIES)
def test_built_in_strategies_are_clean(key: str) -> None:
    values = {"window": 30, "skip": 5} if key == "momentum" else {}
    got = certify(TAPE, STRATEGIES[key], values, SETUP, seed=1)
    assert got.clean, got.leaks
    assert got.cuts >= 50


@pytest.mark.parametrize("kind", Size)
def test_built_in_sizes_are_clean(kind: Size) -> None:
    setup = Setup(cash=Decimal(100_000), sizing=Sizing(kind, 0.2))
    assert certify(TAPE, STRATEGIES["sma_cross"], {"fast": 3, "slow": 9}, setup, seed=2).clean


def test_stored_indicators_are_clean() -> None:
    class Indicator(Planted):
        def decide(self, history: History, values: Values) -> Decision:  # noqa: ARG002
            daily = compute_daily(history.frame)
            inputs = {name: history.spread(daily, name) for name in INDICATOR_COLUMNS}
            return Decision(np.zeros(history.shape, dtype=np.int8), inputs)

    assert certify(TAPE, Indicator("all", centred), None, SETUP, seed=3).clean


def test_cuts_are_random_at_every_trade_and_at_the_end() -> None:
    setup = Setup(cash=Decimal(100_000), volume_cap=None)
    few = certify(TAPE, STRATEGIES["buy_and_hold"], {}, setup, seed=1, cuts=0)
    assert few.cuts == 5 + 2 * 2  # two are bought at session 1, one at session 41


def scaled(history: History, *, whole: bool) -> Any:
    """Closes between the lowest and the highest: of all sessions, or of those so far."""
    close = history.close
    low, high = np.minimum.accumulate(close), np.maximum.accumulate(close)
    if whole:
        low, high = low[-1:], high[-1:]
    with np.errstate(invalid="ignore"):
        return (close - low) / (high - low)


@pytest.mark.parametrize(("whole", "seen"), [(False, -0.04), (True, -0.34)])
def test_g35_a_scale_of_the_whole_frame_foretells_and_is_named(*, whole: bool, seen: float) -> None:
    goog = prepare(sample().filter(pl.col("symbol") == "GOOG"))
    close, made = goog.history.close[:, 0], scaled(goog.history, whole=whole)[:, 0]
    future = close[20:] / close[:-20] - 1
    known = np.isfinite(made[:-20])
    assert np.corrcoef(made[:-20][known], future[known])[0, 1] == pytest.approx(seen, abs=5e-3)
    planted = Planted("scale", lambda history: scaled(history, whole=whole))
    found = certify(goog.until(300), planted, {}, SETUP, seed=1)
    assert [leak.name for leak in found.leaks] == (["scale"] if whole else [])
