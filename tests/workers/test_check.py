"""A check from claim to end, against the local Yahoo and the local Naver."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.config import load_settings
from app.env import Env
from app.services.collect.collections import collect_symbol
from app.services.schedule import due
from app.services.settings import choose_source
from app.services.work import jobs
from tests.clocks import at
from tests.factories import make_instrument, make_sessions
from tests.fakes.naver import FakeNaver
from tests.fakes.yahoo import FakeYahoo
from tests.workers.conftest import context
from workers.check import check_instrument

SAMSUNG = "005930.KS"


@pytest.fixture
async def korean(env: Env, yahoo: FakeYahoo, naver: FakeNaver) -> Env:
    """Samsung's prices are stored, and its check is due."""
    await choose_source(env, "yahoo")
    await make_sessions(
        env, "XKRX", naver.listings[SAMSUNG].bars["day"].to_list(), opens=0, closes=7
    )
    await make_instrument(env, SAMSUNG)
    order = load_settings({"SISE_SOURCE_ORDER": "XKRX=yahoo,krx"}).source_order
    settings = replace(env.settings, source_order=order)
    live = replace(at(env, "2013-02-28T12:00"), settings=settings)
    await collect_symbol(live, SAMSUNG)
    await due.open_due(live)
    return live


async def run(env: Env) -> Any:
    (job,) = await jobs.list_jobs(env, "check")
    await check_instrument(context(env), job.id)
    (done,) = await jobs.find_jobs(env, [job.id])
    return done


async def test_prices_that_agree_are_checked(korean):
    done = await run(korean)
    assert (done.state, done.outcome, done.attempts) == ("DONE", "CHECKED", 1)


async def test_prices_that_differ_are_told_in_the_job(korean, yahoo, naver):
    listing = naver.listings[SAMSUNG]
    naver.set(replace(listing, splits={date(2013, 2, 1): (2.0, 1.0)}))
    assert (await run(korean)).outcome == "DIFFERS"


async def test_a_source_that_does_not_answer_is_asked_again(korean, naver):
    naver.fault(SAMSUNG, "truncated")
    done = await run(korean)
    assert (done.state, done.outcome) == ("PENDING", "UNAVAILABLE")
    assert "Naver" in done.last_error
    assert done.due_at > korean.clock.now()


async def test_a_job_that_is_gone_is_left_alone(korean):
    await check_instrument(context(korean), 10**9)
