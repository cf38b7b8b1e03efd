"""The minute and the hour: what is due is opened and enqueued; the calendar is made in a child."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.errors import Unavailable
from app.services.market import calendars, markets
from app.services.trading.corporate_actions import book_actions
from app.services.work import jobs
from tests.factories import make_instrument, make_split
from tests.graphql.asking import counting_statements
from tests.ledgers import DAY, balances, keep, make_portfolio, read
from tests.people import make_user
from tests.workers.conftest import LAST_DAY, context
from workers.tick import calendar_tick, minute_tick, run_child


async def test_a_minute_opens_and_enqueues_what_is_due(ctx, live):
    await minute_tick(ctx)
    (job,) = await jobs.list_jobs(live)
    assert (job.key, job.day) == ("collect:AAPL:2013-03-01", LAST_DAY)
    assert job.queued_at == live.clock.now()
    await minute_tick(ctx)
    assert len(await jobs.list_jobs(live)) == 1


async def test_a_quiet_minute_does_nothing(env):
    await minute_tick(context(env))
    assert await jobs.list_jobs(env) == []


async def test_a_minute_books_splits_and_asks_no_more_of_what_is_as_it_was(env):
    await make_instrument(env, "AAPL")
    alice = await make_user(env)
    ctx = context(env)
    counts = []
    for portfolios in (1, 3):
        for _ in range(portfolios):
            book = await make_portfolio(env, alice, 10_000, currency="USD")
            await keep(env, alice, book, read("BUY 10 AAPL @ 50", currency="USD"))
        if portfolios == 1:
            await make_split(env, "AAPL", DAY + timedelta(days=1), 4)
        for _ in range(2):  # what it has booked itself is looked at once more
            await minute_tick(ctx)
        assert (await balances(env, book))["POSITION share:AAPL"] == 40
        with counting_statements(env) as statements:
            await minute_tick(ctx)
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert await book_actions(env) == 0


async def test_the_calendar_is_made_when_it_is_due_and_then_not_again(env):
    await calendar_tick(context(env))
    assert not await calendars.is_due(env)
    assert await markets.last_finished_session(env, "XKRX") is not None
    broken = replace(env.settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    await calendar_tick(context(replace(env, settings=broken)))  # not due: no child starts


async def test_a_calendar_process_that_fails_says_so(settings, capfd):
    broken = replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable, match="exit code 1"):
        await run_child(broken, "workers.sessions", 60)
    assert "The database does not answer" in capfd.readouterr().err
