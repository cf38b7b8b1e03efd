"""Due checks: once a week, again when something was held, a few at a time, never without a second."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from app.config import load_settings
from app.db.models import CrossCheck
from app.env import Env
from app.services.schedule import due
from app.services.schedule.due_checks import AT_ONCE, CHECK_EVERY, SETTLED_AFTER, open_due_checks
from app.services.settings import choose_source
from app.services.work import jobs
from tests.clocks import at
from tests.factories import make_bars, make_instrument
from tests.trust_rows import make_held

NOW = datetime(2026, 1, 6, 12, tzinfo=UTC)
DAY = date(2026, 1, 5)


@pytest.fixture
async def live(env: Env) -> Env:
    """Two Korean shares and an American one, in an order that has Naver for Korea."""
    await choose_source(env, "yahoo")
    for place, symbol in enumerate(("005930.KS", "000660.KS", "AAPL")):
        await make_instrument(env, symbol, position=place)
        await make_bars(env, symbol, [100, 101], start=date(2026, 1, 2), source="yahoo")
    return at(ordered(env, "XKRX=yahoo,krx"), NOW)


def ordered(env: Env, order: str) -> Env:
    found = load_settings({"SISE_SOURCE_ORDER": order}).source_order
    return replace(env, settings=replace(env.settings, source_order=found))


async def checked(env: Env, symbol: str, when: datetime) -> None:
    row = {"symbol": symbol, "other": "krx", "source": "yahoo", "checked_at": when}
    async with env.db.write() as db:
        values = {**row, "days": 60, "differing": 0, "differences": []}
        await db.execute(insert(CrossCheck).values(values))


async def opened(env: Env) -> list[str]:
    """The symbols of the checks that this minute opened."""
    before = {job.id for job in await jobs.list_jobs(env, "check")}
    count = await open_due_checks(env)
    new = [job for job in await jobs.list_jobs(env, "check") if job.id not in before]
    assert len(new) == count
    return sorted(job.symbol for job in new if job.symbol)


async def finish_all(env: Env) -> None:
    for job in await jobs.list_jobs(env, "check"):
        claimed = await jobs.claim(env, job.id)
        if claimed is not None:
            await jobs.finish(env, claimed, 0, "CHECKED")


async def test_what_was_never_checked_is_due_where_there_is_a_second_provider(live):
    assert await opened(live) == ["000660.KS", "005930.KS"]
    assert await opened(live) == []
    assert await opened(at(live, NOW + timedelta(days=30))) == []  # they wait still


async def test_a_check_is_due_again_after_a_week(live):
    await checked(live, "005930.KS", NOW - CHECK_EVERY)
    await checked(live, "000660.KS", NOW - CHECK_EVERY + timedelta(seconds=1))
    assert await opened(live) == ["005930.KS"]


async def test_a_check_that_failed_is_tried_again_a_day_later(live):
    await checked(live, "000660.KS", NOW)
    await opened(live)
    (job,) = await jobs.list_jobs(live, "check")
    await jobs.fail(live, await jobs.claim(live, job.id), "no", outcome="UNAVAILABLE")
    assert await opened(at(live, NOW + timedelta(hours=23))) == []
    assert await opened(at(live, NOW + timedelta(hours=24))) == ["005930.KS"]


async def test_a_held_row_is_checked_once_the_other_provider_has_its_day(live):
    for symbol in ("005930.KS", "000660.KS"):
        await checked(live, symbol, NOW - timedelta(hours=1))
        await make_held(live, symbol, DAY, "UNADJUSTED_SPLIT", found_at=NOW)
    async with live.db.write() as db:
        await db.execute(text("UPDATE quarantine SET reason = 'STALE_REPEAT' WHERE id % 2 = 0"))
    ((odd,),) = await rows(live, "SELECT symbol FROM quarantine WHERE reason <> 'STALE_REPEAT'")
    assert await opened(at(live, NOW + SETTLED_AFTER - timedelta(seconds=1))) == []
    evening = at(live, NOW + SETTLED_AFTER)
    assert await opened(evening) == [odd]
    await finish_all(evening)
    assert await opened(at(live, NOW + timedelta(days=2))) == []


async def rows(env: Env, query: str) -> list[tuple[str, ...]]:
    async with env.db.read() as db:
        return [tuple(row) for row in await db.execute(text(query))]


async def test_a_minute_opens_a_few(live):
    for number in range(2 * AT_ONCE):
        symbol = f"{number:06}.KS"
        await make_instrument(live, symbol, position=100 + number)
        await make_bars(live, symbol, [100], start=DAY)
    assert len(await opened(live)) == AT_ONCE
    assert len(await opened(live)) == AT_ONCE
    assert len(await opened(live)) == 2
    assert await opened(live) == []


async def test_what_has_no_prices_or_is_not_watched_any_more_is_not_checked(live):
    await make_instrument(live, "035420.KS")
    await make_instrument(live, "069500.KS", tracked=False)
    await make_bars(live, "069500.KS", [100], start=DAY)
    async with live.db.write() as db:
        gone = "UPDATE instrument SET delisted_at = '2026-01-05' WHERE symbol = '000660.KS'"
        await db.execute(text(gone))
    assert await opened(live) == ["005930.KS"]


@pytest.mark.parametrize("order", ["*=yahoo,yfinance", "XKRX=krx", "CCY=yahoo,krx"])
async def test_with_one_provider_nothing_is_checked(live, order):
    assert await opened(ordered(live, order)) == []


async def test_the_sample_is_not_checked(live):
    await choose_source(live, "sample")
    assert await opened(live) == []


async def test_the_minute_opens_checks_with_all_else_that_is_due(live):
    await due.open_due(live)
    kinds = {job.kind for job in await jobs.list_jobs(live)}
    assert kinds == {"analyse", "check"}
