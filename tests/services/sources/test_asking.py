"""Asking: the first source that has prices, and prices of today's shares made as traded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from app.adapters.prices import (
    BadPayload,
    History,
    HostState,
    NoData,
    NotListed,
    RateLimited,
    SourceDown,
)
from app.services.sources.asking import ask_in_turn, make_as_traded
from tests.clocks import at
from tests.deliveries import ScriptedSource, Truth
from tests.factories import make_dividend, make_instrument, make_split, weekdays

DAYS = weekdays(date(2024, 1, 1), 20)
TRUTH = Truth(DAYS, [100.0 + n for n in range(20)])
THERE = TRUTH.deliver("AAPL", 19)


@dataclass
class Limited(ScriptedSource):
    """A source whose host has asked to wait."""

    def state(self) -> HostState | None:
        until = datetime(2100, 1, 1, tzinfo=UTC)
        return HostState("closed", until, limited=True, tokens=1.0, failures=0)


async def test_the_first_source_is_asked_alone_when_it_answers():
    first, second = ScriptedSource(THERE), ScriptedSource(THERE, name="yfinance")
    asked = await ask_in_turn([first, second], "AAPL", start=DAYS[5])
    assert (asked.source, asked.others) == (first, "")
    assert (first.asked, second.asked) == ([DAYS[5]], [])


@pytest.mark.parametrize(
    "failure", [NotListed("AAPL"), NoData("none"), BadPayload("odd"), SourceDown("gone")]
)
async def test_the_next_one_is_asked_when_it_does_not(failure):
    first, second = ScriptedSource(failure), ScriptedSource(THERE, name="yfinance")
    asked = await ask_in_turn([first, second], "AAPL", start=DAYS[5])
    assert asked.source is second
    assert isinstance(asked.answer, History)
    assert second.asked == [DAYS[5]]


async def test_when_none_answers_the_first_failure_counts_and_the_others_are_told():
    sources = [
        ScriptedSource(RateLimited(30.0)),
        ScriptedSource(SourceDown("no yfinance"), name="yfinance"),
        ScriptedSource(NotListed("AAPL"), name="third"),
    ]
    asked = await ask_in_turn(sources, "AAPL")
    assert asked.answer == RateLimited(30.0)
    assert asked.others == "yfinance: no yfinance; third: AAPL is not known there"


async def test_a_source_whose_host_is_to_be_left_alone_is_passed_over():
    first, second = ScriptedSource(RateLimited(30.0)), Limited(THERE, name="yfinance")
    asked = await ask_in_turn([first, second], "AAPL")
    assert (asked.answer, second.asked) == (RateLimited(30.0), [])


async def test_prices_in_another_currency_are_no_answer():
    asked = await ask_in_turn([ScriptedSource(THERE)], "AAPL", currency="KRW")
    assert asked.answer == BadPayload("The prices are in USD, not in KRW.")


async def test_naver_s_prices_are_turned_back_by_the_stored_splits_and_keep_the_events(env, naver):
    listing = naver.listings["000660.KS"]
    day = date(2013, 1, 15)
    naver.set(replace(listing, splits={day: (50.0, 1.0)}))
    await make_instrument(env, "000660.KS")
    for split in (day, date(2000, 1, 4), date(2013, 4, 1)):
        await make_split(env, "000660.KS", split, 50)
    await make_dividend(env, "000660.KS", date(2012, 12, 27), 500)
    await make_dividend(env, "000660.KS", date(2000, 12, 27), 500)
    found = await env.sources["krx"].history("000660.KS")
    assert isinstance(found, History)
    history = await make_as_traded(at(env, "2013-03-01T12:00"), "000660.KS", found)
    traded = listing.bars.filter(pl.col("volume") > 0)["close"]
    ours = history.bars.filter(pl.col("volume") > 0)["close"]
    assert (ours - traded).abs().max() <= 25
    assert history.splits["day"].to_list() == [day]
    assert history.dividends.rows() == [(date(2012, 12, 27), 500.0)]


async def test_prices_as_traded_stay_as_they_are(env):
    assert await make_as_traded(env, "AAPL", THERE) is THERE
