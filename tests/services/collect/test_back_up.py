"""Another provider's prices: when it is asked, that nothing is ever joined, and the way back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from app.adapters.bus import EVENTS
from app.adapters.prices import InstrumentInfo, NotListed
from app.config import load_settings
from app.env import Env
from app.errors import BadInput, NotFound
from app.services.collect.back_up import BACK_UP_AFTER, use_source
from app.services.collect.collections import collect_symbol
from app.services.settings import choose_source
from app.services.signals.analysis import analyse
from tests.broker import until
from tests.clocks import at
from tests.deliveries import ScriptedSource, Truth
from tests.factories import make_instrument, make_sessions, weekdays
from tests.fakes.naver import FakeNaver
from tests.trust_rows import make_held

SAMSUNG = "005930.KS"
EVENING = "2013-02-28T12:00"
LAST = date(2013, 2, 28)


@pytest.fixture
async def live(env: Env, naver: FakeNaver) -> Env:
    """The evening of the last Korean session; Naver stands behind Yahoo; nothing is stored."""
    await choose_source(env, "yahoo")
    days = naver.listings[SAMSUNG].bars["day"].to_list()
    await make_sessions(env, "XKRX", days, opens=0, closes=7)
    await make_instrument(env, SAMSUNG)
    return at(ordered(env, "XKRX=yahoo,yfinance,krx"), EVENING)


def ordered(env: Env, order: str) -> Env:
    found = load_settings({"SISE_SOURCE_ORDER": order}).source_order
    return replace(env, settings=replace(env.settings, source_order=found))


async def rows(env: Env, query: str) -> list[Any]:
    async with env.db.read() as db:
        return [tuple(row) for row in await db.execute(text(query))]


async def sources(env: Env) -> list[Any]:
    """Whose bars are stored, how many, and who the instrument stays with."""
    found = await rows(env, "SELECT source, count(*) FROM bar GROUP BY 1 ORDER BY 1")
    chosen = await rows(env, f"SELECT price_source FROM instrument WHERE symbol = '{SAMSUNG}'")
    return [*found, *chosen]


def later(env: Env, days: float) -> Env:
    return at(env, env.clock.now() + timedelta(days=days))


async def test_what_the_first_provider_does_not_know_another_one_may(live, yahoo, naver):
    unknown = replace(live, sources=live.sources | {"yahoo": ScriptedSource(NotListed(SAMSUNG))})
    async with live.bus.listen(EVENTS) as messages:
        outcome = await collect_symbol(unknown, SAMSUNG)
        _, message = await anext(messages)
    expected = len(naver.listings[SAMSUNG].bars)
    assert (outcome.outcome, outcome.bars) == ("STORED", expected)
    why = "Instead of yahoo: The source has no such symbol."
    assert outcome.detail == f"All prices are of krx now. {why}"
    told = {"kind": "price_source", "symbol": SAMSUNG, "source": "krx"}
    assert orjson.loads(message) == told
    assert await sources(live) == [("krx", expected), ("krx",)]
    assert (await rows(live, "SELECT problem FROM instrument")) == [(None,)]


async def test_from_then_on_that_provider_is_asked_first(live, yahoo, naver):
    unknown = replace(live, sources=live.sources | {"yahoo": ScriptedSource(NotListed(SAMSUNG))})
    await collect_symbol(unknown, SAMSUNG)
    naver.log.clear()
    assert (await collect_symbol(live, SAMSUNG)).outcome == "UNCHANGED"
    assert yahoo.log() == []
    ((symbol, query),) = naver.log
    assert symbol == SAMSUNG
    assert int(query["count"]) > 15


@pytest.mark.parametrize("fault", ["truncated", "429"])
async def test_a_provider_that_only_fails_is_waited_for(live, yahoo, naver, fault):
    yahoo.fault(SAMSUNG, fault)
    assert not (await collect_symbol(live, SAMSUNG)).ok
    assert (naver.log, await rows(live, "SELECT * FROM bar")) == ([], [])


async def test_after_five_days_of_failures_all_prices_are_the_other_provider_s(live, yahoo, naver):
    days = [d.isoformat() for d in naver.listings[SAMSUNG].bars["day"].to_list()[-3:]]
    yahoo.set(SAMSUNG, drop=days, dividends={"2012-12-27": 500})
    await collect_symbol(live, SAMSUNG)
    stored = await sources(live)
    listing = naver.listings[SAMSUNG]
    naver.set(replace(listing, bars=listing.bars[1:]))  # it begins a day later
    naver.log.clear()
    yahoo.fault(SAMSUNG, "truncated")
    first = await collect_symbol(live, SAMSUNG)
    almost = later(live, BACK_UP_AFTER.days - 0.01)
    assert (await collect_symbol(almost, SAMSUNG)).outcome == first.outcome == "BAD_PAYLOAD"
    assert await sources(live) == stored
    assert naver.log == []
    fifth = later(live, BACK_UP_AFTER.days)
    outcome = await collect_symbol(fifth, SAMSUNG)
    assert outcome.outcome == "STORED"
    assert await sources(live) == [("krx", len(listing.bars) - 1), ("krx",)]
    version = "SELECT count(DISTINCT revision), min(revision) = max(revision) FROM bar"
    assert await rows(live, version) == [(1, True)]
    removed = "SELECT day FROM data_revision WHERE kind = 'BAR' AND new IS NULL"
    assert await rows(live, removed) == [(listing.bars["day"][0],)]
    kept = "SELECT day, trim_scale(amount)::text, source FROM dividend"
    assert await rows(live, kept) == [(date(2012, 12, 27), "500", "krx")]
    await analyse(fifth, SAMSUNG)
    made = "SELECT min(day) FROM indicator_daily"
    assert await rows(live, made) == [(listing.bars["day"][1],)]


async def test_somebody_can_go_back_to_the_first_provider(live, yahoo, naver):
    unknown = replace(live, sources=live.sources | {"yahoo": ScriptedSource(NotListed(SAMSUNG))})
    await collect_symbol(unknown, SAMSUNG)
    outcome = await use_source(live, SAMSUNG, "yahoo")
    count = len(naver.listings[SAMSUNG].bars)
    assert (outcome.outcome, outcome.bars) == ("STORED", count)
    assert await sources(live) == [("yahoo", count), (None,)]
    assert (await use_source(live, SAMSUNG, "yahoo")).outcome == "UNCHANGED"
    assert (await use_source(live, SAMSUNG, "krx")).bars == count
    assert await sources(live) == [("krx", count), ("krx",)]


async def test_only_a_provider_of_the_order_can_be_chosen(live, yahoo):
    with pytest.raises(BadInput, match=r"no source 'folder' .* there are yahoo, krx"):
        await use_source(live, SAMSUNG, "folder")
    with pytest.raises(NotFound):
        await use_source(live, "NONE", "krx")
    await collect_symbol(live, SAMSUNG)
    before = await sources(live)
    silence = ScriptedSource(NotListed(SAMSUNG), name="krx", provider="krx")
    silent = replace(live, sources=live.sources | {"krx": silence})
    with pytest.raises(BadInput, match="does not know"):
        await use_source(silent, SAMSUNG, "krx")
    assert await sources(live) == before


async def test_another_first_source_in_the_order_replaces_what_is_stored(live, yahoo, naver):
    await collect_symbol(live, SAMSUNG)
    count = len(naver.listings[SAMSUNG].bars)
    assert await sources(live) == [("yahoo", count), (None,)]
    assert (await collect_symbol(ordered(live, "XKRX=krx,yahoo"), SAMSUNG)).bars == count
    assert await sources(live) == [("krx", count), (None,)]
    gone = ordered(live, "XKRX=yahoo")
    assert (await collect_symbol(gone, SAMSUNG)).bars == count
    assert await sources(live) == [("yahoo", count), (None,)]


async def test_a_back_up_without_anything_newer_is_not_taken(live, yahoo, naver):
    await collect_symbol(live, SAMSUNG)
    stored = await sources(live)
    yahoo.fault(SAMSUNG, "truncated")
    await collect_symbol(live, SAMSUNG)
    outcome = await collect_symbol(later(live, 6), SAMSUNG)
    assert outcome.outcome == "BAD_PAYLOAD"
    assert outcome.detail.endswith("(krx: nothing newer)")
    assert await sources(live) == stored
    problem = "SELECT problem, problem_detail, problem_since FROM instrument"
    assert await rows(live, problem) == [("BAD_PAYLOAD", outcome.detail, live.clock.now())]


async def test_failures_of_different_kinds_are_one_time_of_failing(live, yahoo):
    yahoo.fault(SAMSUNG, "truncated")
    await collect_symbol(live, SAMSUNG)
    since = "SELECT problem_since FROM instrument"
    begun = await rows(live, since)
    yahoo.fault(SAMSUNG, "null")
    await collect_symbol(later(live, 1), SAMSUNG)
    assert await rows(live, since) == begun
    alone = ordered(later(live, 2), "*=yahoo")
    unknown = replace(alone, sources={"yahoo": ScriptedSource(NotListed(SAMSUNG))})
    await collect_symbol(unknown, SAMSUNG)
    assert await rows(live, since) == [(alone.clock.now(),)]


async def test_a_back_up_that_contradicts_what_is_stored_is_held(live, yahoo, naver):
    days = [d.isoformat() for d in naver.listings[SAMSUNG].bars["day"].to_list()[-3:]]
    yahoo.set(SAMSUNG, drop=days)
    await collect_symbol(live, SAMSUNG)
    stored = await sources(live)
    listing = naver.listings[SAMSUNG]
    naver.set(replace(listing, splits={LAST + timedelta(days=1): (5.0, 1.0)}))  # not known here
    yahoo.fault(SAMSUNG, "truncated")
    await collect_symbol(live, SAMSUNG)
    outcome = await collect_symbol(later(live, 6), SAMSUNG)
    assert outcome.outcome == "BAD_PAYLOAD"
    assert "krx: Held, not stored: prices up to 2013-02-25 are 0.2 times those" in outcome.detail
    assert await sources(live) == stored
    held = "SELECT day::text, reason, source FROM quarantine ORDER BY day"
    assert await rows(live, held) == [(day, "SCALED", "krx") for day in days]


async def test_held_rows_of_the_provider_before_are_closed(live, yahoo):
    await collect_symbol(live, SAMSUNG)
    await make_held(live, SAMSUNG, date(2012, 6, 3), "NO_SESSION")
    await use_source(live, SAMSUNG, "krx")
    assert await rows(live, "SELECT state FROM quarantine") == [("MENDED",)]


async def test_an_answer_to_a_question_before_the_change_is_dropped(live, yahoo, naver):
    await collect_symbol(live, SAMSUNG)
    yahoo.clear_log()
    yahoo.fault(SAMSUNG, "held")
    collecting = asyncio.create_task(collect_symbol(live, SAMSUNG))
    await until(lambda: bool(yahoo.log(SAMSUNG)))
    await use_source(live, SAMSUNG, "krx")
    yahoo.clear_faults()
    assert (await collecting).outcome == "SUPERSEDED"
    assert [row[0] for row in await sources(live)] == ["krx", "krx"]


async def test_rates_are_replaced_as_well(live):
    await make_instrument(live, "USDKRW=X", kind="FX")
    days = weekdays(date(2013, 2, 1), 18)
    info = InstrumentInfo("USDKRW=X", "USD/KRW", "CCY", "KRW", "FX")
    whole = Truth(days, [1100.0 + n for n in range(18)]).deliver("USDKRW=X", 17)
    yahoo = ScriptedSource(replace(whole, info=info))
    folder = ScriptedSource(
        replace(whole, info=info, bars=whole.bars[2:]), name="folder", provider="folder"
    )
    fx = replace(ordered(live, "CCY=yahoo,folder"), sources={"yahoo": yahoo, "folder": folder})
    assert (await collect_symbol(fx, "USDKRW=X")).ok
    assert (await use_source(fx, "USDKRW=X", "folder")).ok
    found = "SELECT source, count(*), min(day) FROM fx_rate GROUP BY 1"
    assert await rows(live, found) == [("folder", 16, days[2])]
