"""Asking for a backtest, seeing it, ending it: what is refused, and what is left when it is gone."""

from __future__ import annotations

from contextlib import aclosing
from datetime import date

import pytest
from sqlalchemy import text

from app.db.engine import EVERYONE
from app.domain.backtest.grid import Plan
from app.env import Env
from app.errors import BadInput, Conflict, NotFound
from app.services.backtest import backtests
from app.services.backtest.backtest_store import find_report
from app.services.backtest.backtests import (
    cancel_backtest,
    count_backtests,
    delete_backtest,
    follow_backtest,
    get_backtest,
    list_backtests,
)
from app.services.work import jobs
from tests.backtests import ask, make_market, work
from tests.factories import make_bars, make_instrument
from tests.people import make_user


@pytest.fixture
async def market(env: Env) -> Env:
    await make_market(env, "AAPL", "MSFT")
    return env


async def test_what_cannot_be_run_is_refused_by_its_field(market):
    alice = (await make_user(market)).id
    await make_instrument(market, "005930.KS")
    await make_bars(market, "005930.KS", [50_000.0] * 20)
    await make_instrument(market, "EMPTY")
    await make_instrument(market, "USDKRW=X", kind="FX")
    for field, more in (
        ("strategy", {"strategy": "none"}),
        ("symbols", {"symbols": ()}),
        ("symbols", {"symbols": ("NONE",)}),
        ("symbols", {"symbols": ("USDKRW=X",)}),
        ("symbols", {"symbols": ("AAPL", "005930.KS")}),
        ("symbols", {"symbols": ("EMPTY",)}),
        ("symbols", {"first_day": date(2030, 1, 1)}),
        ("from", {"first_day": date(2020, 3, 1), "last_day": date(2020, 2, 1)}),
        ("fast", {"values": {"fast": 9, "slow": 3}}),
        ("benchmark", {"benchmark": "NONE"}),
        ("walkForward", {"plan": Plan(504, 126)}),
        ("stop", {"plan": Plan(50, 20), "axes": {"stop": (0.1,)}}),
        ("sweep", {"values": {}, "axes": {
            "fast": tuple(range(1, 1100)), "slow": tuple(range(2, 1102))}}),
        ("name", {"name": "x" * 99}),
    ):  # fmt: skip
        with pytest.raises(BadInput) as refused:
            await ask(market, alice, **more)
        assert refused.value.field == field, more
    assert await count_backtests(market, alice) == 0


async def test_it_waits_with_its_data_version_and_its_jobs(market):
    alice = (await make_user(market)).id
    row = await ask(market, alice, name="  First  ")
    assert (row.state, row.progress, row.name, row.mode) == ("PENDING", 0.0, "First", "RUN")
    assert (row.first_day, row.last_day) == (date(2020, 1, 6), date(2021, 1, 1))
    assert [job.key for job in await jobs.list_jobs(market, "backtest")] == [f"backtest:{row.id}:0"]
    assert row.seconds_left(market.clock.now()) is None


async def test_one_is_of_its_owner_alone(market):
    alice, charlie = (await make_user(market)).id, (await make_user(market, "charlie")).id
    row = await ask(market, alice)
    for use in (get_backtest, cancel_backtest, delete_backtest):
        with pytest.raises(NotFound):
            await use(market, charlie, str(row.id))
    assert (await list_backtests(market, charlie)).rows == []
    async with market.db.read(uid=charlie) as db:
        assert not await db.scalar(text("SELECT count(*) FROM backtest"))


async def test_pages_are_of_the_newest_first(market):
    alice = (await make_user(market)).id
    made = [(await ask(market, alice)).id for _ in range(3)]
    page = await list_backtests(market, alice, first=2)
    assert [row.id for row in page.rows] == made[:0:-1]
    rest = await list_backtests(market, alice, first=2, after=page.cursors[-1])
    assert ([row.id for row in rest.rows], rest.has_next) == (made[:1], False)
    assert await count_backtests(market, alice) == 3


async def test_a_cancelled_one_is_not_begun_and_cannot_be_ended_twice(market):
    alice = (await make_user(market)).id
    row = await ask(market, alice)
    ended = await cancel_backtest(market, alice, str(row.id))
    assert ended.state == "CANCELLED"
    await work(market)
    assert (await get_backtest(market, alice, str(row.id))).state == "CANCELLED"
    assert await find_report(market, alice, row.id) is None
    with pytest.raises(Conflict):
        await cancel_backtest(market, alice, str(row.id))


async def test_a_deleted_one_is_gone_and_its_trials_count(market):
    alice, charlie = (await make_user(market)).id, (await make_user(market, "charlie")).id
    axes = {"fast": (2, 3, 4), "slow": (8, 9)}
    row = await ask(market, alice, values={}, axes=axes)
    await work(market)
    await delete_backtest(market, alice, str(row.id))
    with pytest.raises(NotFound):
        await get_backtest(market, alice, str(row.id))
    async with market.db.read(uid=EVERYONE) as db:
        assert not await db.scalar(text("SELECT count(*) FROM backtest_data"))
    trials = []
    for user, more in (
        (alice, {}),
        (alice, {"symbols": ("MSFT",)}),
        (alice, {"symbols": ("AAPL", "MSFT"), "first_day": date(2020, 6, 1)}),
        (charlie, {}),
    ):
        row = await ask(market, user, **more)
        await work(market)
        report = await find_report(market, user, row.id)
        trials.append(report["overfitting"]["trials"])
    assert trials == [7, 1, 9, 1]


async def test_what_was_seen_counts_though_it_was_cancelled_before_its_end(market):
    alice = (await make_user(market)).id
    seen = await ask(market, alice)
    await work(market)
    async with market.db.write(uid=EVERYONE) as db:  # while it was looking for look-ahead
        await db.execute(text("UPDATE backtest SET state = 'CANCELLED'"))
    await cancel_backtest(market, alice, str((await ask(market, alice)).id))  # nothing was seen
    trials = []
    for _ in range(2):
        row = await ask(market, alice)
        await work(market)
        trials.append((await find_report(market, alice, row.id))["overfitting"]["trials"])
        if len(trials) == 1:
            await delete_backtest(market, alice, str(seen.id))
    assert trials == [2, 3]


async def test_it_is_followed_to_its_end(market):
    alice = (await make_user(market)).id
    row = await ask(market, alice)
    states = []
    async with aclosing(follow_backtest(market, alice, str(row.id))) as changes:
        async for change in changes:
            states.append((change.state, change.progress))
            await work(market)
    assert (states[0], states[-1]) == (("PENDING", 0.0), ("DONE", 1.0))


async def test_there_is_room_for_so_many(market, monkeypatch):
    monkeypatch.setattr(backtests, "MOST_OPEN", 1)
    alice = (await make_user(market)).id
    await ask(market, alice)
    with pytest.raises(Conflict):
        await ask(market, alice)
