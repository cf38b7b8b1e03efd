"""The market's arrays are the rules of `app.domain.trading`, session by session."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from app.domain.backtest import market
from app.domain.backtest.engine import play
from app.domain.backtest.market import find_scene, settles
from app.domain.backtest.setup import Setup
from app.domain.backtest.strategy import Decision
from app.domain.backtest.tape import prepare
from app.domain.trading.costs import PROFILES
from app.domain.trading.limits import price_limits
from app.domain.trading.listings import find_listing
from app.domain.trading.tables import Market
from app.errors import BadInput
from tests.domain.backtest.cases import make_case
from tests.domain.oracle_bars import walk
from tests.factories import weekdays


def test_limits_are_those_of_the_rule() -> None:
    checked = 0
    for seed in range(40):
        case = make_case(seed, sessions=40)
        scene = find_scene(case.tape, replace(case.setup, limits=True))
        if not len(scene.world.upper):
            continue
        close = case.tape.prices["close"]
        for k, symbol in enumerate(case.tape.symbols):
            listing, before = find_listing(symbol), None
            for t, day in enumerate(case.tape.days):
                fresh = any(s.bar == t and s.column == k for s in case.tape.splits)
                if before is None or fresh:
                    assert np.isnan(scene.world.upper[t, k])
                else:
                    limits = price_limits(listing, Decimal(repr(before)), day)
                    assert limits is not None
                    ours = scene.world.lower[t, k], scene.world.upper[t, k]
                    assert ours == (float(limits.lower), float(limits.upper))
                    checked += 1
                before = before if np.isnan(close[t, k]) else float(close[t, k])
    assert checked > 1_000


def round_trip(year: int) -> float:
    """What ₩10 M, bought and sold at one price, has cost."""
    days = [date(year, 3, 3) + timedelta(days=n) for n in range(4)]
    prices = dict.fromkeys(("open", "high", "low", "close"), 10_000.0)
    bars = pl.DataFrame({"symbol": "005930.KS", "day": days}).with_columns(
        *(pl.lit(value).alias(name) for name, value in prices.items()),
        pl.lit(10**9).alias("volume"),
    )
    setup = Setup(cash=Decimal(20_000_000), costs=PROFILES["online"])
    side = np.array([[1], [0], [0], [0]], dtype=np.int8)
    size = np.full((4, 1), 10_001_500 / 20_000_000)
    got = play(prepare(bars), "one", {}, setup, Decision(side, size=size))
    assert got.fills["quantity"].to_list() == [1_000, -1_000]
    return float(setup.cash) - got.final_equity


def test_g16_a_round_trip_of_ten_million_won() -> None:
    assert round_trip(2025) == 18_000
    assert round_trip(2026) == 23_000


def test_g14_g15_sales_are_taxed_by_the_day_they_settle() -> None:
    sessions = [date(2024, 12, 26), date(2024, 12, 27), date(2024, 12, 30), date(2025, 1, 2),
                date(2025, 12, 29), date(2025, 12, 30), date(2026, 1, 2)]  # fmt: skip
    days = settles(Market.KOSPI, np.array(sessions, dtype="datetime64[D]")).tolist()
    found = dict(zip(sessions, days, strict=True))
    assert found[date(2024, 12, 27)] == date(2025, 1, 2)
    assert found[date(2025, 12, 29)] == date(2026, 1, 2)


def test_one_account_holds_one_currency() -> None:
    tape = prepare(pl.concat([_flat("AAPL"), _flat("005930.KS")]))
    with pytest.raises(BadInput, match="KRW and USD"):
        find_scene(tape, Setup())


def test_a_scene_is_made_once() -> None:
    tape = prepare(_flat("AAPL"))
    assert find_scene(tape, Setup()).world is find_scene(tape, Setup()).world
    assert find_scene(tape, Setup()).terms != find_scene(tape, Setup(slippage=0.01)).terms
    dear = replace(PROFILES["online"], commissions=PROFILES["branch"].commissions)
    assert find_scene(tape, Setup(costs=dear)).terms.commission == 0.005
    assert find_scene(tape, Setup()).terms.commission == 0.0025


def _flat(symbol: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"symbol": [symbol], "day": [date(2024, 1, 2)], "open": 10.0, "high": 10.0, "low": 10.0,
         "close": 10.0, "volume": 100}
    )  # fmt: skip


def test_a_korean_fund_is_sold_without_tax_and_on_its_own_ticks() -> None:
    bars = walk("069500.KS", 30, seed=3, price=30_000.0).with_columns(
        pl.Series("day", weekdays(date(2023, 3, 2), 30)), volume=pl.lit(1_000_000)
    )
    side = np.repeat(np.array([1, 0], dtype=np.int8), 15)[:, None]
    tapes = prepare(bars), prepare(bars, funds=["069500.KS"])
    share, fund = (play(tape, "", {}, Setup(slippage=0.001), Decision(side)) for tape in tapes)
    assert share.taxes > 0 == fund.taxes
    assert (share.fills["price"] % 50 == 0).all()
    assert not (fund.fills["price"] % 50 == 0).all()
    assert (fund.fills["price"] % 5 == 0).all()
    sent = pickle.loads(pickle.dumps(tapes[1]))  # noqa: S301 - our own
    for one in (sent, tapes[1].until(20), tapes[1].window(5, 25)):
        assert one.funds == {"069500.KS"}


def test_arrays_that_the_loops_are_not_compiled_for_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The loops are called without a look at types: they would read memory that is not theirs."""
    short = (np.empty(0, dtype=np.float32), np.empty(0))
    apart = (np.empty(0), np.empty((4, 4))[:, 1])
    for wrong, name in ((short, "interest"), (apart, "borrowing")):
        monkeypatch.setattr(market, "_accruals", lambda *_, wrong=wrong: wrong)
        with pytest.raises(TypeError, match=f"{name} is not an array"):
            find_scene(prepare(walk("AAPL", 30, seed=1)), Setup())
