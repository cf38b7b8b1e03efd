"""The switch of the price source: one step, after which nothing of the other one is left."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import orjson
import pytest
from sqlalchemy import text

from app.adapters.bus import EVENTS, QUOTES
from app.adapters.folder import FolderSource
from app.adapters.prices import SourceDown
from app.env import Env
from app.errors import BadInput, Unavailable
from app.services.collect import source_switch
from app.services.collect.collections import collect_symbol, request_collection
from app.services.collect.source_switch import probe_source, switch_source
from app.services.market.instruments import list_instruments, seed_instruments, track_instrument
from app.services.settings import choose_source, find_setting, get_source, put_setting
from app.services.work.jobs import list_jobs
from tests.broker import until
from tests.factories import (
    make_dividend,
    make_instrument,
    make_sessions,
    make_split,
    weekdays,
    with_order,
)
from tests.fakes.yahoo import FakeYahoo

SAMPLE = ["AAPL", "FB", "GOOG", "IBM", "MSFT", "USDKRW=X"]


@pytest.fixture
async def sample(sample_env: Env, yahoo: FakeYahoo) -> Env:
    """The sample is in use: prices, rates and events are stored, the replay has begun."""
    for mic in ("XNAS", "XNYS"):
        await make_sessions(sample_env, mic, weekdays(date(2013, 2, 18), 15))
    async with sample_env.db.write() as db:
        await seed_instruments(db, "sample", sample_env.clock.now())
    for symbol in ("AAPL", "USDKRW=X"):
        await collect_symbol(sample_env, symbol)
    await put_setting(sample_env, "replay", {"day": "2012-03-05", "step": 1})
    return sample_env


async def sources_left(env: Env) -> set[str]:
    """The sources of all stored prices and events."""
    tables = ("bar", "split", "dividend", "fx_rate")
    query = " UNION ".join(f"SELECT source FROM {table}" for table in tables)
    async with env.db.read() as db:
        return set(await db.scalars(text(query)))


async def symbols(env: Env) -> list[str]:
    return [row.symbol for row in (await list_instruments(env)).rows]


async def test_a_source_that_answers_can_be_chosen(env):
    assert await probe_source(env, "sample") is None
    assert await probe_source(env, "yahoo") is None


async def test_a_source_that_does_not_answer_in_time_is_down(env, yahoo, monkeypatch):
    monkeypatch.setattr(source_switch, "PATIENCE", 0.2)
    yahoo.fault("AAPL", "held")
    assert await probe_source(env, "yahoo") == SourceDown("no answer within 0.2 s")


async def test_the_live_mode_is_tried_by_the_first_source_of_its_order(env, yahoo, tmp_path):
    yahoo.clear_log()
    ordered = with_order(env, "*=folder,yahoo")
    folder = FolderSource(tmp_path)
    own = replace(ordered, sources={**env.sources, "folder": folder})
    assert await probe_source(own, "yahoo") is None
    tmp_path.rmdir()
    assert isinstance(await probe_source(own, "yahoo"), SourceDown)
    assert yahoo.log() == []
    assert isinstance(await probe_source(with_order(env, "*=folder"), "yahoo"), SourceDown)


async def test_a_switch_drops_every_row_of_the_other_source(sample):
    assert await sources_left(sample) == {"sample"}
    assert await switch_source(sample, "yahoo")
    assert await get_source(sample) == "yahoo"
    assert await sources_left(sample) == set()
    assert await find_setting(sample, "replay") is None
    assert (await symbols(sample))[:4] == ["005930.KS", "000660.KS", "035420.KS", "AAPL"]
    assert len(await symbols(sample)) == 14


async def test_after_a_switch_everything_is_collected_by_jobs(sample):
    await request_collection(sample)
    await switch_source(sample, "yahoo")
    jobs = await list_jobs(sample)
    assert sorted(job.symbol or "" for job in jobs) == sorted(await symbols(sample))
    assert all(job.state == "PENDING" and job.queued_at for job in jobs)
    await collect_symbol(sample, "AAPL")
    assert await sources_left(sample) == {"yahoo"}


async def test_a_switch_is_announced_and_forgets_the_quotes(sample):
    await sample.bus.keep(QUOTES, {"AAPL": b"{}"})
    async with sample.bus.listen(EVENTS) as messages:
        await switch_source(sample, "yahoo")
        assert orjson.loads((await anext(messages))[1]) == {"kind": "source", "source": "yahoo"}
    assert await sample.bus.kept(QUOTES) == {}


async def test_the_source_in_use_is_left_alone(sample):
    assert not await switch_source(sample, "sample")
    assert await sources_left(sample) == {"sample"}
    assert await list_jobs(sample) == []


async def test_two_switches_at_once_are_one(sample):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(switch_source(sample, "yahoo")) for _ in range(3)]
    assert sorted(task.result() for task in tasks) == [False, False, True]
    assert len(await list_jobs(sample)) == 14


async def test_nothing_is_dropped_while_the_new_source_does_not_answer(sample, yahoo):
    yahoo.fault("AAPL", "html")
    with pytest.raises(Unavailable, match="Yahoo Finance does not answer"):
        await switch_source(sample, "yahoo")
    assert await get_source(sample) == "sample"
    assert await sources_left(sample) == {"sample"}


async def test_an_unknown_source_is_refused(sample):
    with pytest.raises(BadInput, match="no price source"):
        await switch_source(sample, "bloomberg")


async def test_what_somebody_added_goes_with_a_source_that_does_not_know_it(env):
    await choose_source(env, "yahoo")
    async with env.db.write() as db:
        await seed_instruments(db, "yahoo", env.clock.now())
    await track_instrument(env, "IBM")
    await make_split(env, "IBM", date(2013, 3, 1), 2)
    await make_dividend(env, "IBM", date(2013, 3, 1), 2)
    assert await switch_source(env, "sample")
    assert await symbols(env) == SAMPLE
    assert await sources_left(env) == set()


async def test_what_somebody_added_stays_with_yahoo(sample):
    await make_instrument(sample, "005380.KS", name_local="현대차")
    await switch_source(sample, "yahoo")
    assert (await symbols(sample))[-1] == "005380.KS"
    assert "FB" not in await symbols(sample)
    assert "005380.KS" in {job.symbol for job in await list_jobs(sample)}


async def test_a_collection_under_way_does_not_bring_old_rows_back(sample, yahoo):
    await switch_source(sample, "yahoo")
    yahoo.fault("AAPL", "held")
    collecting = asyncio.create_task(collect_symbol(sample, "AAPL"))
    await until(lambda: bool(yahoo.log("AAPL")))
    await switch_source(sample, "sample")
    yahoo.clear_faults()
    assert (await collecting).outcome == "SUPERSEDED"
    assert await sources_left(sample) == set()
