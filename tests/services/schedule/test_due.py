"""What is due: found from tables and clock, opened once, opened again when it ended without the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from app.db.models import FxRate, IndicatorDaily
from app.env import Env
from app.services.schedule import due
from app.services.schedule.due import Missing
from app.services.work import jobs
from tests.clocks import at
from tests.factories import AT, make_bars, make_instrument, make_sessions, weekdays

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
EVENING = datetime(2026, 1, 6, 21, 20, tzinfo=UTC)  # Tuesday's close in New York and the lag


@pytest.fixture
async def live(env: Env) -> Env:
    """A live installation that tracks AAPL, on Tuesday evening, with bars up to Monday."""
    async with env.db.write() as db:
        await db.execute(text("INSERT INTO setting VALUES ('source', '\"yahoo\"')"))
    await make_sessions(env, "XNAS", [MONDAY, TUESDAY])
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", [100, 101], start=date(2026, 1, 2))
    await analysed(env, "AAPL", MONDAY)
    return at(env, EVENING)


async def analysed(env: Env, symbol: str, day: date) -> None:
    async with env.db.write() as db:
        await db.execute(insert(IndicatorDaily).values(symbol=symbol, day=day))
        by = "UPDATE instrument SET signals_by = 'MACD_CROSS' WHERE symbol = :symbol"
        await db.execute(text(by), {"symbol": symbol})


async def keys(env: Env) -> list[str]:
    return sorted(job.key for job in await jobs.list_jobs(env))


async def test_a_finished_session_without_its_bar_is_due(live):
    assert await due.list_missing(live) == [Missing("AAPL", TUESDAY)]
    before = at(live, EVENING - timedelta(seconds=1))
    assert await due.list_missing(before) == []


async def test_an_instrument_without_any_bar_is_due(live):
    await make_instrument(live, "NVDA")
    assert Missing("NVDA", TUESDAY) in await due.list_missing(live)


async def test_a_halted_session_is_not_asked_for_again(live):
    await make_bars(live, "AAPL", [None], start=TUESDAY)
    assert await due.list_missing(live) == []


async def test_untracked_instruments_and_markets_without_a_calendar_are_not(live):
    await make_instrument(live, "OLD", tracked=False)
    await make_instrument(live, "005930.KS")
    assert [m.symbol for m in await due.list_missing(live)] == ["AAPL"]


async def test_a_currency_pair_is_due_by_its_rates_and_the_day_of_london(live):
    await make_instrument(live, "USDKRW=X", kind="FX", mic="CCY")
    assert Missing("USDKRW=X", MONDAY) in await due.list_missing(live)
    async with live.db.write() as db:
        rate = {"base": "USD", "quote": "KRW", "source": "yahoo", "fetched_at": AT, "rate": 1400}
        await db.execute(insert(FxRate).values(day=MONDAY, **rate))
    assert [m.symbol for m in await due.list_missing(live)] == ["AAPL"]
    assert await due.has_day(live, "USDKRW=X", MONDAY)
    assert not await due.has_day(live, "USDKRW=X", TUESDAY)


async def test_with_the_sample_nothing_is_due(live):
    async with live.db.write() as db:
        await db.execute(text("UPDATE setting SET value = '\"sample\"' WHERE key = 'source'"))
    assert await due.open_due(live) == 0
    assert await keys(live) == []


async def test_before_the_source_is_chosen_nothing_is_due(live):
    async with live.db.write() as db:
        await db.execute(text("DELETE FROM setting WHERE key = 'source'"))
    assert await due.open_due(live) == 0


async def test_what_is_due_is_opened_once(live):
    assert await due.open_due(live) == 1
    assert await due.open_due(live) == 0
    assert await keys(live) == ["collect:AAPL:2026-01-06"]
    (job,) = await jobs.list_due(live)
    assert (job.kind, job.symbol, job.day, job.due_at) == ("collect", "AAPL", TUESDAY, EVENING)


async def test_what_is_about_to_be_asked_for_everything_is_not_asked_for_the_day_too(live):
    async with live.db.write() as db:
        added = "collect:AAPL:added:2026-01-06"
        number = await jobs.open_job(db, "collect", "AAPL", None, added, EVENING)
    assert await due.open_due(live) == 0
    await jobs.fail(live, await jobs.claim(live, number), "no")
    assert await due.open_due(live) == 1
    assert await keys(live) == ["collect:AAPL:2026-01-06", added]


async def test_a_missed_day_is_found_whenever_somebody_looks_again(live):
    await make_sessions(live, "XNAS", weekdays(date(2026, 1, 7), 3))
    friday = at(live, EVENING + timedelta(days=3))
    await due.open_due(friday)
    assert await keys(friday) == ["collect:AAPL:2026-01-09"]


@pytest.mark.parametrize(
    ("outcome", "wait"),
    [("DOWN", timedelta(hours=1)), ("LATE", timedelta(hours=6)), ("NOT_LISTED", timedelta(days=1))],
)
async def test_a_failed_collection_gets_one_more_try_after_a_while(live, outcome, wait):
    await due.open_due(live)
    (job,) = await jobs.list_due(live)
    claimed = await jobs.claim(live, job.id)
    await jobs.fail(live, claimed, "no", outcome=outcome)
    assert await due.open_due(at(live, EVENING + wait - timedelta(seconds=1))) == 0
    later = at(live, EVENING + wait)
    assert await due.open_due(later) == 1
    again = await jobs.claim(later, job.id)
    assert again.attempts == jobs.MAX_ATTEMPTS
    await jobs.fail(later, again, "no", outcome=outcome, retry_at=EVENING + timedelta(days=2))
    (job,) = await jobs.find_jobs(later, [job.id])
    assert job.state == "FAILED"


async def test_a_day_that_is_there_closes_the_matter(live):
    await due.open_due(live)
    (job,) = await jobs.list_due(live)
    await jobs.fail(live, await jobs.claim(live, job.id), "no")
    await make_bars(live, "AAPL", [102], start=TUESDAY)
    await analysed(live, "AAPL", TUESDAY)
    assert await due.open_due(at(live, EVENING + timedelta(hours=2))) == 0


async def test_with_a_short_interval_everything_is_collected_once_a_slot(live):
    every = replace(live, settings=replace(live.settings, collect_every=300.0))
    await make_bars(live, "AAPL", [102], start=TUESDAY)
    await analysed(live, "AAPL", TUESDAY)
    assert await due.open_due(every) == 1
    assert await due.open_due(every) == 0
    assert await keys(live) == ["collect:AAPL:2026-01-06T21:20:00+00:00"]
    next_slot = replace(every, clock=at(live, EVENING + timedelta(minutes=5)).clock)
    assert await due.open_due(next_slot) == 0  # the first is still open
    (job,) = await jobs.list_due(live)
    await jobs.finish(live, await jobs.claim(live, job.id), 0, "UNCHANGED")
    assert await due.open_due(next_slot) == 1


async def test_bars_newer_than_their_indicators_are_to_be_analysed(live):
    await make_bars(live, "AAPL", [102], start=TUESDAY)
    await make_instrument(live, "NVDA")
    await make_bars(live, "NVDA", [1, 2], start=MONDAY)
    assert await due.open_due(live) == 2
    assert await keys(live) == ["analyse:AAPL:2026-01-06", "analyse:NVDA:2026-01-06"]
    assert await due.open_due(live) == 0


async def test_a_collection_under_way_makes_the_indicators_itself(live):
    await due.open_due(live)
    await make_bars(live, "AAPL", [102], start=TUESDAY)
    assert await due.open_due(live) == 0
    assert await keys(live) == ["collect:AAPL:2026-01-06"]
