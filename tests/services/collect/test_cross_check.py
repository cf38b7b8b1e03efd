"""Cross-checks: differences are told, nothing is changed by them, and held rows are confirmed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import polars as pl
import pytest
from sqlalchemy import text

from app.adapters.prices import InstrumentInfo, NotListed
from app.config import load_settings
from app.domain.bars import PRICES
from app.env import Env
from app.errors import NotFound, Unavailable
from app.services.collect.back_up import use_source
from app.services.collect.collections import collect_symbol
from app.services.collect.cross_check import TOLERANCE, agrees, compare, cross_check
from app.services.market.removal import remove_instrument
from app.services.settings import choose_source
from tests.clocks import at
from tests.deliveries import ScriptedSource, Truth
from tests.factories import make_bars, make_instrument, make_sessions, make_split, weekdays
from tests.fakes.naver import FakeNaver
from tests.trust_rows import make_held

SAMSUNG = "005930.KS"
LAST = date(2013, 2, 28)
DAYS = weekdays(date(2024, 1, 1), 24)
CLOSES = [400.0 + n for n in range(18)] + [105.0 + n for n in range(6)]
FALL = 18  # the place of the day with the fall to a quarter


def ordered(env: Env, order: str) -> Env:
    found = load_settings({"SISE_SOURCE_ORDER": order}).source_order
    return replace(env, settings=replace(env.settings, source_order=found))


@pytest.fixture
async def live(env: Env, naver: FakeNaver) -> Env:
    """The evening of the last Korean session, Naver beside Yahoo."""
    await choose_source(env, "yahoo")
    days = naver.listings[SAMSUNG].bars["day"].to_list()
    await make_sessions(env, "XKRX", days, opens=0, closes=7)
    await make_instrument(env, SAMSUNG)
    return at(ordered(env, "XKRX=yahoo,yfinance,krx"), "2013-02-28T12:00")


async def rows(env: Env, query: str) -> list[Any]:
    async with env.db.read() as db:
        return [tuple(row) for row in await db.execute(text(query))]


async def test_two_providers_with_the_same_prices_do_not_differ(live, yahoo):
    await collect_symbol(live, SAMSUNG)
    found = await cross_check(live, SAMSUNG)
    assert (found.source, found.other, found.days, found.differing) == ("yahoo", "krx", 60, 0)
    assert found.checked_at == live.clock.now()
    assert await rows(live, "SELECT days, differing, differences FROM cross_check") == [(60, 0, [])]


async def test_closes_beyond_the_tolerance_are_told_the_newest_first(live, naver, yahoo, caplog):
    await collect_symbol(live, SAMSUNG)
    listing = naver.listings[SAMSUNG]
    factors = {date(2013, 2, 20): 1.02, date(2013, 2, 22): 1.004, date(2013, 2, 26): 0.99}
    factor = pl.col("day").replace_strict(factors, default=1.0, return_dtype=pl.Float64)
    naver.set(replace(listing, bars=listing.bars.with_columns(pl.col(PRICES) * factor)))
    closes = dict(listing.bars.select("day", "close").iter_rows())
    with caplog.at_level(logging.WARNING):
        found = await cross_check(live, SAMSUNG)
    assert (found.days, found.differing) == (60, 2)
    assert found.differences == [
        {
            "day": day.isoformat(),
            "close": f"{closes[day]:.0f}",
            "other": f"{closes[day] * factors[day]:.0f}",
            "difference": pytest.approx(factors[day] - 1, abs=1e-5),
        }
        for day in (date(2013, 2, 26), date(2013, 2, 20))
    ]
    assert "closes differ" in caplog.messages
    count = "SELECT count(*) FROM bar WHERE source = 'yahoo'"
    assert await rows(live, count) == [(len(closes),)]
    naver.set(listing)
    assert (await cross_check(live, SAMSUNG)).differing == 0
    assert await rows(live, "SELECT differing FROM cross_check") == [(0,)]


async def test_closes_are_compared_on_one_basis(live, naver, yahoo):
    await collect_symbol(live, SAMSUNG)
    day = date(2013, 2, 15)
    naver.set(replace(naver.listings[SAMSUNG], splits={day: (50.0, 1.0)}))
    before = sum(d < day for d in naver.listings[SAMSUNG].bars["day"].tail(60).to_list())
    assert (await cross_check(live, SAMSUNG)).differing == before
    await make_split(live, SAMSUNG, day, 50)
    assert (await cross_check(live, SAMSUNG)).differing == 0


async def test_without_a_second_provider_there_is_nothing_to_compare(live, yahoo):
    assert await cross_check(live, SAMSUNG) is None  # nothing is stored
    await collect_symbol(live, SAMSUNG)
    assert await cross_check(ordered(live, "XKRX=yahoo,yfinance"), SAMSUNG) is None
    await make_instrument(live, "USDKRW=X", kind="FX")
    assert await cross_check(ordered(live, "CCY=yahoo,krx"), "USDKRW=X") is None
    await choose_source(live, "sample")
    assert await rows(live, "SELECT * FROM cross_check") == []
    with pytest.raises(NotFound):
        await cross_check(live, "NONE")


async def test_what_the_other_provider_does_not_know_has_no_day_in_common(live, yahoo):
    await collect_symbol(live, SAMSUNG)
    unknown = ScriptedSource(NotListed(SAMSUNG), name="krx", provider="krx")
    found = await cross_check(replace(live, sources=live.sources | {"krx": unknown}), SAMSUNG)
    assert (found.days, found.differing) == (0, 0)


async def test_a_provider_that_fails_is_no_comparison(live, yahoo, naver):
    await collect_symbol(live, SAMSUNG)
    naver.fault(SAMSUNG, "truncated")
    with pytest.raises(Unavailable, match="Naver does not answer as it should"):
        await cross_check(live, SAMSUNG)
    assert await rows(live, "SELECT * FROM cross_check") == []


async def test_prices_of_the_back_up_are_compared_with_the_first_provider_s(live, yahoo):
    await use_source(live, SAMSUNG, "krx")
    found = await cross_check(live, SAMSUNG)
    assert (found.source, found.other, found.days) == ("krx", "yahoo", 60)


def test_a_close_that_is_missing_agrees_with_nothing():
    assert agrees(1000, 1000 * (1 + TOLERANCE))
    assert not agrees(1000, 1000 * (1 + TOLERANCE) + 0.01)
    assert not agrees(None, 1000)
    assert not agrees(1000, None)


def test_only_days_that_both_have_a_close_of_are_compared():
    ours = pl.DataFrame({"day": DAYS[:3], "close": [1.0, None, 3.0]})
    theirs = pl.DataFrame({"day": DAYS[1:4], "close": [2.0, 3.3, 4.0]})
    (row,) = compare(ours, theirs).to_dicts()
    assert row == {
        "day": DAYS[2],
        "close": 3.0,
        "other": 3.3,
        "difference": pytest.approx(0.1),
    }


class Pair:
    """AAPL of Yahoo and of another provider, each from a script."""

    def __init__(self, env: Env) -> None:
        self.yahoo = ScriptedSource(NotListed("AAPL"))
        self.other = ScriptedSource(NotListed("AAPL"), name="krx", provider="krx")
        evening = at(env, datetime.combine(DAYS[-1], time(22), UTC))
        scripts: Any = {"yahoo": self.yahoo, "krx": self.other}
        self.env = replace(ordered(evening, "*=yahoo,krx"), sources=scripts)

    def tell(self, truth: Truth, other: Truth, **wrong: Any) -> None:
        self.yahoo.answer = truth.deliver("AAPL", 23, **wrong)
        self.other.answer = other.deliver("AAPL", 23)

    async def states(self) -> Mapping[str, int]:
        query = "SELECT state, count(*) FROM quarantine GROUP BY 1"
        return dict(await rows(self.env, query))


@pytest.fixture
async def pair(env: Env) -> Pair:
    await choose_source(env, "yahoo")
    await make_sessions(env, "XNAS", weekdays(date(2023, 1, 2), 400))
    await make_instrument(env, "AAPL")
    return Pair(env)


async def test_a_fall_that_the_other_provider_confirms_is_released(pair):
    pair.tell(Truth(DAYS, CLOSES), Truth(DAYS, CLOSES))
    await collect_symbol(pair.env, "AAPL")
    assert await pair.states() == {"HELD": 6}
    reasons = "SELECT DISTINCT reason FROM quarantine"
    assert await rows(pair.env, reasons) == [("UNADJUSTED_SPLIT",)]
    found = await cross_check(pair.env, "AAPL")
    assert (found.days, found.differing) == (18, 0)
    assert await pair.states() == {"RELEASED": 1, "MENDED": 5}
    stored = "SELECT count(*), max(day) FROM bar WHERE source = 'yahoo'"
    assert await rows(pair.env, stored) == [(24, DAYS[-1])]
    assert await rows(pair.env, "SELECT kind, state FROM job") == [("collect", "PENDING")]


async def test_a_fall_that_the_other_provider_does_not_have_stays_held(pair):
    pair.tell(Truth(DAYS, CLOSES), Truth(DAYS, [400.0 + n for n in range(24)]))
    await collect_symbol(pair.env, "AAPL")
    await cross_check(pair.env, "AAPL")
    assert await pair.states() == {"HELD": 6}


async def test_a_split_that_only_the_other_provider_knows_confirms_no_fall(pair):
    adjusted = [close / 4 for close in CLOSES[:FALL]] + CLOSES[FALL:]
    pair.tell(Truth(DAYS, CLOSES), Truth(DAYS, adjusted))
    await collect_symbol(pair.env, "AAPL")
    found = await cross_check(pair.env, "AAPL")
    assert found.differing == 18
    assert await pair.states() == {"HELD": 6}


@pytest.mark.parametrize("reason", ["BEYOND_LIMIT", "NO_SESSION"])
@pytest.mark.parametrize(("close", "state"), [("151", "RELEASED"), ("152", "HELD")])
async def test_other_rows_are_released_when_their_close_is_confirmed(pair, reason, close, state):
    await make_bars(pair.env, "AAPL", [100.0] * 5, start=DAYS[0], source="yahoo")
    row = {"open": "150", "high": "153", "low": "149", "close": close, "volume": "1000"}
    await make_held(pair.env, "AAPL", DAYS[5], reason, row=row)
    pair.tell(Truth(DAYS, CLOSES), Truth(DAYS[:6], [100.0] * 5 + [151.0]))
    await cross_check(pair.env, "AAPL")
    assert await pair.states() == {state: 1}
    stored = f"SELECT count(*) FROM bar WHERE day = '{DAYS[5]}'"
    assert await rows(pair.env, stored) == [(int(state == "RELEASED"),)]


@pytest.mark.parametrize("volume", [0, 1000])
async def test_a_repeated_price_stays_held_whatever_the_other_provider_has(pair, volume):
    level = [400.0 + n for n in range(23)]
    truth = Truth(DAYS, [*level, level[-1]])
    pair.tell(truth, truth, stale=True)
    bars = pair.other.answer.bars
    last = pl.col("day") == DAYS[-1]
    amount = pl.when(last).then(pl.lit(volume, pl.Int64)).otherwise(pl.col("volume"))
    told = replace(pair.other.answer, bars=bars.with_columns(volume=amount))
    pair.other.answer = told
    await collect_symbol(pair.env, "AAPL")
    assert await rows(pair.env, "SELECT reason FROM quarantine") == [("STALE_REPEAT",)]
    await cross_check(pair.env, "AAPL")
    assert await pair.states() == {"HELD": 1}
    assert await rows(pair.env, "SELECT max(day) FROM bar") == [(DAYS[-2],)]


async def test_the_close_of_a_halt_confirms_nothing(pair):
    await make_bars(pair.env, "AAPL", [100.0] * 5, start=DAYS[0], source="yahoo")
    row = {"open": "100", "high": "100", "low": "100", "close": "100", "volume": "10"}
    await make_held(pair.env, "AAPL", DAYS[5], "NO_SESSION", row=row)
    other = Truth(DAYS[:6], [100.0] * 6).deliver("AAPL", 5)
    halted = pl.col("day") == DAYS[5]
    nothing = [pl.when(~halted).then(pl.col(n)).alias(n) for n in ("open", "high", "low")]
    still = pl.when(halted).then(0).otherwise(pl.col("volume")).alias("volume")
    pair.other.answer = replace(other, bars=other.bars.with_columns(*nothing, still))
    await cross_check(pair.env, "AAPL")
    assert await pair.states() == {"HELD": 1}


async def test_prices_in_another_currency_are_not_compared(pair):
    await make_bars(pair.env, "AAPL", [100.0] * 5, start=DAYS[0], source="yahoo")
    pair.tell(Truth(DAYS, CLOSES), Truth(DAYS, CLOSES))
    info = InstrumentInfo("AAPL", "AAPL", "XKRX", "KRW", "EQUITY")
    pair.other.answer = replace(pair.other.answer, info=info)
    with pytest.raises(Unavailable, match="in KRW, not in USD"):
        await cross_check(pair.env, "AAPL")


async def test_what_is_removed_while_the_other_one_is_asked_is_not_found(live, monkeypatch):
    await collect_symbol(live, SAMSUNG)
    module = sys.modules[cross_check.__module__]
    ask = module.ask_in_turn

    async def remove_first(*arguments, **options):
        await remove_instrument(live, SAMSUNG, confirmed=True)
        return await ask(*arguments, **options)

    monkeypatch.setattr(module, "ask_in_turn", remove_first)
    with pytest.raises(NotFound, match=SAMSUNG):
        await cross_check(live, SAMSUNG)
    assert await rows(live, "SELECT count(*) FROM cross_check") == [(0,)]
