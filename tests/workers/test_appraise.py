"""The child that asks for fundamentals: all that is due, politely, and no further than it may."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from app.adapters.worker_sources import make_worker_sources
from app.env import Env
from app.services.collect.collections import collect_symbol
from app.services.collect.fundamentals import list_fundamentals
from app.services.schedule.due_fundamentals import list_due_fundamentals
from tests.factories import make_instrument
from tests.fakes.yahoo import FakeYahoo
from tests.workers.conftest import context
from workers import appraise as child
from workers import tick
from workers.appraise import appraise_due, work
from workers.tick import appraisal_tick

pytestmark = pytest.mark.filterwarnings("ignore:.*:Warning:yfinance")
SYMBOLS = ["AAPL", "MSFT", "FB"]


@pytest.fixture
async def worker(live: Env, yahoo: FakeYahoo) -> Env:
    """The day of three shares is stored; MSFT has no figures at the source."""
    for symbol in SYMBOLS[1:]:
        await make_instrument(live, symbol)
    env = replace(live, sources=make_worker_sources(live.settings))
    for symbol in SYMBOLS:
        await collect_symbol(env, symbol)
    yahoo.tell("FB", currency="USD", trailingPE=50.5)
    yahoo.tell("MSFT", currency="USD")
    yahoo.clear_log()
    return env


async def test_all_that_is_due_is_asked_for_once(worker, yahoo):
    assert await appraise_due(worker) == 2
    assert set(await list_fundamentals(worker, SYMBOLS)) == {"AAPL", "FB"}
    assert await list_due_fundamentals(worker, 10) == []
    yahoo.clear_log()
    assert await appraise_due(worker) == 0
    assert yahoo.log() == []


async def test_one_bad_symbol_does_not_stop_the_others(worker, yahoo):
    yahoo.fault("AAPL", "500")
    assert await appraise_due(worker) == 1
    assert await list_due_fundamentals(worker, 10) == ["AAPL"]
    yahoo.clear_faults()
    assert await appraise_due(worker) == 1


async def test_a_host_that_limits_the_rate_is_left_alone(worker, yahoo):
    yahoo.fault("*", "429", retry_after=900)
    assert await appraise_due(worker) == 0
    asked = {entry["symbol"] for entry in yahoo.log()}
    assert asked == {"AAPL"}


async def test_a_host_that_is_down_is_left_alone(worker, yahoo):
    yahoo.fault("*", "500")
    for number in range(8):
        await make_instrument(worker, f"X{number}")
    async with worker.db.write() as db:
        await db.execute(
            text(
                "INSERT INTO bar SELECT i.symbol, day, open, high, low, close, adj_close, volume,"
                " source, fetched_at, revision FROM bar, instrument i"
                " WHERE bar.symbol = 'FB' AND i.symbol LIKE 'X_'"
            )
        )
    assert await appraise_due(worker) == 0
    asked = {entry["symbol"] for entry in yahoo.log()}
    assert len(asked) < 11  # the breaker opened


async def test_the_process_works_at_a_fifth_of_the_rate_and_ends(worker, yahoo, monkeypatch):
    given = []

    async def note(env: Env) -> int:
        given.append(env.settings.requests_per_minute)
        return 0

    monkeypatch.setattr(child, "appraise_due", note)
    await work(replace(worker.settings, requests_per_minute=300))
    await work(replace(worker.settings, requests_per_minute=2))
    assert given == [60, 1]


async def test_the_quarter_of_an_hour_starts_a_child_when_something_is_due(
    worker, yahoo, monkeypatch
):
    monkeypatch.setenv("SISE_YAHOO_URL", yahoo.url)
    monkeypatch.setenv("SISE_CLOCK", f"{worker.clock.now().isoformat()}@0")
    monkeypatch.setenv("SISE_DATA_DIR", str(worker.settings.data_dir))
    await appraisal_tick(context(worker))
    rows = await list_fundamentals(worker, SYMBOLS)
    assert {symbol: row.trailing_pe for symbol, row in rows.items()} == {"AAPL": 31.25, "FB": 50.5}

    async def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(tick, "run_child", never)
    await appraisal_tick(context(worker))  # nothing is due
