"""Collections: what a source answers becomes rows, once, and a failure is remembered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from app.adapters.bus import EVENTS
from app.adapters.prices import SourceDown
from app.adapters.worker_sources import make_worker_sources
from app.env import Env
from app.errors import BadInput, NotFound, RateLimited, Unavailable
from app.services.collect import storing
from app.services.collect.collections import (
    collect_symbol,
    list_collections,
    request_collection,
)
from app.services.collect.storing import CollectionOutcome
from app.services.market.instruments import get_instrument
from app.services.market.removal import remove_instrument
from app.services.settings import choose_source
from app.services.work.jobs import claim, finish
from app.telemetry import BARS_STORED, COLLECTIONS
from tests.broker import until
from tests.clocks import at
from tests.deliveries import ScriptedSource
from tests.factories import make_bars, make_instrument, make_sessions, weekdays
from tests.fakes.yahoo import FakeYahoo

LAST_DAY = date(2013, 3, 1)
EVENING = "2013-03-01T21:30"


@pytest.fixture
async def live(env: Env, yahoo: FakeYahoo) -> Env:
    """Half an hour after the close of the last recorded session; nothing is stored yet."""
    await choose_source(env, "yahoo")
    for mic in ("XNAS", "XNYS"):
        await make_sessions(env, mic, weekdays(date(2013, 2, 18), 15))
    await make_instrument(env, "AAPL")
    await make_instrument(env, "IBM", mic="XNYS")
    await make_instrument(env, "USDKRW=X", kind="FX")
    return at(env, EVENING)


async def rows(env: Env, query: str, **params: Any) -> list[Any]:
    async with env.db.read() as db:
        return [tuple(row) for row in await db.execute(text(query), params)]


async def count(env: Env, table: str) -> int:
    ((number,),) = await rows(env, f"SELECT count(*) FROM {table}")
    return int(number)


def asked_from(yahoo: FakeYahoo) -> date:
    """The first day of the newest question."""
    first = int(yahoo.log()[-1]["query"]["period1"])
    return datetime.fromtimestamp(first, UTC).date() if first else date.min


async def test_a_first_collection_stores_everything_as_traded(live):
    outcome = await collect_symbol(live, "AAPL")
    assert outcome == CollectionOutcome("AAPL", "STORED", 3270)
    assert await rows(
        live,
        "SELECT day, trim_scale(open)::text, trim_scale(close)::text, volume, source, fetched_at "
        "FROM bar WHERE symbol = 'AAPL' AND day IN ('2005-02-25', '2013-03-01') ORDER BY day",
    ) == [
        (date(2005, 2, 25), "89.62", "88.99", 16348400, "yahoo", live.clock.now()),
        (date(2013, 3, 1), "438", "430.47", 19730300, "yahoo", live.clock.now()),
    ]
    assert await rows(
        live, "SELECT day, trim_scale(numerator)::text, trim_scale(denominator)::text FROM split"
    ) == [(date(2000, 6, 21), "2", "1"), (date(2005, 2, 28), "2", "1")]
    assert await count(live, "dividend") == 3


async def test_a_second_collection_asks_for_fifteen_sessions_and_changes_nothing(live, yahoo):
    await collect_symbol(live, "AAPL")
    yahoo.clear_log()
    assert await collect_symbol(live, "AAPL") == CollectionOutcome("AAPL", "UNCHANGED", 0)
    assert len(yahoo.log()) == 1
    assert date(2013, 2, 1) < asked_from(yahoo) < date(2013, 2, 9)


async def test_two_collections_at_once_store_every_bar_once(live):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(collect_symbol(live, "AAPL")) for _ in range(3)]
    assert sorted(task.result().bars for task in tasks) == [0, 0, 3270]
    assert await count(live, "bar") == 3270


async def test_bars_that_changed_and_bars_that_are_new_are_counted(live, yahoo):
    yahoo.set("AAPL", until="2013-02-27")
    await collect_symbol(live, "AAPL")
    yahoo.reset()
    yahoo.set("AAPL", bars=[["2013-02-27", 448.0, 452.4, 440.0, 444.44, 20916000]])
    assert (await collect_symbol(live, "AAPL")).bars == 3
    query = "SELECT trim_scale(close)::text FROM bar WHERE day = '2013-02-27'"
    assert await rows(live, query) == [("444.44",)]


async def test_a_later_split_changes_no_stored_bar(live, yahoo):
    await collect_symbol(live, "IBM")
    yahoo.set(
        "IBM",
        bars=[["2013-03-04", 100.0, 102.0, 99.0, 101.0, 9000]],
        splits={"2013-03-04": [2, 1]},
    )
    next_day = at(live, "2013-03-04T21:30")
    assert (await collect_symbol(next_day, "IBM")).bars == 1
    assert await rows(live, "SELECT day FROM split WHERE symbol = 'IBM'") == [(date(2013, 3, 4),)]
    query = "SELECT trim_scale(close)::text FROM bar WHERE day >= '2013-03-01' ORDER BY day"
    assert await rows(live, query) == [("202.91",), ("101",)]


async def test_the_bar_of_a_session_that_goes_on_is_not_stored(live):
    during = at(live, "2013-03-01T18:00")
    await collect_symbol(during, "AAPL")
    assert await rows(live, "SELECT max(day) FROM bar") == [(date(2013, 2, 28),)]
    early = at(live, "2013-03-01T21:19:59")
    assert (await collect_symbol(early, "AAPL")).bars == 0
    late = at(live, "2013-03-01T21:20")
    assert (await collect_symbol(late, "AAPL")).bars == 1


async def test_a_currency_pair_becomes_rates(live):
    outcome = await collect_symbol(live, "USDKRW=X")
    assert outcome.ok
    assert await rows(
        live,
        "SELECT base, quote, trim_scale(rate)::text, source FROM fx_rate WHERE day = '2012-12-31'",
    ) == [("USD", "KRW", "1065.81", "yahoo")]
    assert await count(live, "fx_rate") == outcome.bars
    assert await count(live, "bar") == 0
    assert await rows(live, "SELECT max(day) FROM fx_rate") == [(date(2013, 2, 28),)]
    assert (await collect_symbol(live, "USDKRW=X")).bars == 0


async def test_the_sample_is_stored_as_it_is(sample_env):
    await make_sessions(sample_env, "XNAS", [LAST_DAY])
    await make_instrument(sample_env, "AAPL")
    assert (await collect_symbol(sample_env, "AAPL")).bars == 3270
    assert await rows(sample_env, "SELECT DISTINCT source FROM bar") == [("sample",)]
    assert (await collect_symbol(sample_env, "AAPL")).outcome == "UNCHANGED"


async def test_a_collection_is_announced_and_counted(live):
    bars, done = BARS_STORED.labels("yahoo"), COLLECTIONS.labels("yahoo", "STORED")
    before = (bars._value.get(), done._value.get())
    async with live.bus.listen(EVENTS) as messages:
        await collect_symbol(live, "AAPL")
        _, message = await anext(messages)
    assert orjson.loads(message) == {"kind": "collected", "symbol": "AAPL", "bars": 3270}
    assert (bars._value.get(), done._value.get()) == (before[0] + 3270, before[1] + 1)


@pytest.mark.parametrize(
    ("fault", "options", "outcome", "retryable"),
    [
        ("429", {"retry_after": 1}, "RATE_LIMITED", True),
        ("500", {}, "SOURCE_DOWN", True),
        ("truncated", {}, "BAD_PAYLOAD", True),
        ("html", {}, "BAD_PAYLOAD", True),
    ],
)
async def test_a_failure_is_remembered_until_it_goes_well(
    live, yahoo, fault, options, outcome, retryable
):
    yahoo.fault("AAPL", fault, **options)
    failed = await collect_symbol(live, "AAPL")
    assert (failed.outcome, failed.bars, failed.ok, failed.retryable) == (
        (outcome, 0, False, retryable)
    )
    row = await get_instrument(live, "AAPL")
    assert (row.problem, row.problem_detail) == (outcome, failed.detail)
    assert row.checked_at == live.clock.now()
    yahoo.clear_faults()
    await asyncio.sleep(failed.retry_after or 0)
    later = at(live, "2013-03-01T22:30")
    assert (await collect_symbol(later, "AAPL")).ok
    row = await get_instrument(live, "AAPL")
    assert (row.problem, row.problem_detail, row.checked_at) == (None, None, later.clock.now())


async def test_a_limited_source_says_how_long_to_wait(live, yahoo):
    yahoo.fault("AAPL", "429", retry_after=30)
    assert (await collect_symbol(live, "AAPL")).retry_after == pytest.approx(30)


async def test_a_delisted_symbol_is_no_reason_to_try_again_soon(live):
    await make_instrument(live, "XYZ")
    outcome = await collect_symbol(live, "XYZ")
    assert (outcome.outcome, outcome.retryable) == ("NOT_LISTED", False)


async def test_the_answer_of_a_source_that_was_switched_away_is_dropped(live, yahoo):
    yahoo.fault("AAPL", "held")
    collecting = asyncio.create_task(collect_symbol(live, "AAPL"))
    await until(lambda: bool(yahoo.log("AAPL")))
    await choose_source(live, "sample")
    yahoo.clear_faults()
    assert (await collecting).outcome == "SUPERSEDED"
    assert await count(live, "bar") == 0


async def test_without_a_calendar_nothing_is_collected(env):
    await choose_source(env, "sample")
    await make_instrument(env, "AAPL")
    with pytest.raises(Unavailable, match="calendar"):
        await collect_symbol(env, "AAPL")


async def test_an_unknown_instrument_cannot_be_collected(live):
    with pytest.raises(NotFound):
        await collect_symbol(live, "NONE")


async def test_a_request_for_everything_opens_a_collection_of_each(live):
    requested = await request_collection(live)
    assert sorted(row.symbol for row in requested) == ["AAPL", "IBM", "USDKRW=X"]
    assert {row.state for row in requested} == {"PENDING"}
    assert [row.id for row in await list_collections(live)] == sorted(
        (row.id for row in requested), reverse=True
    )


async def test_a_request_joins_the_collection_that_waits_or_runs(live):
    (first,) = await request_collection(live, ["aapl"])
    (again,) = await request_collection(live, ["AAPL", "AAPL"])
    assert again.id == first.id
    job = await claim(live, first.id)
    assert job is not None
    (running,) = await request_collection(live, ["AAPL"])
    assert (running.id, running.state, running.attempts) == (first.id, "RUNNING", 1)
    await finish(live, job, 7, "STORED")
    later = at(live, "2013-03-01T21:30:01")
    (new,) = await request_collection(later, ["AAPL"])
    assert new.id > first.id
    done = (await list_collections(later))[-1]
    assert (done.id, done.state, done.bars, done.outcome) == (first.id, "DONE", 7, "STORED")


async def test_requests_at_once_open_one_collection_of_an_instrument(live):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(request_collection(live, ["AAPL"])) for _ in range(4)]
    assert len({task.result()[0].id for task in tasks}) == 1


async def test_everything_may_be_asked_for_every_ten_seconds(live):
    await request_collection(live)
    with pytest.raises(RateLimited, match="Try again in 6 s") as refused:
        await request_collection(at(live, "2013-03-01T21:30:04"))
    assert refused.value.retry_after == pytest.approx(6)
    assert len(await request_collection(at(live, "2013-03-01T21:30:10"))) == 3


async def test_a_request_names_what_it_does_not_know(live):
    with pytest.raises(NotFound, match="'TSLA'"):
        await request_collection(live, ["AAPL", "TSLA"])
    with pytest.raises(BadInput, match="at most 20"):
        await request_collection(live, ["not a symbol"])
    assert await list_collections(live) == []


async def test_a_list_of_collections_has_a_bound(live):
    with pytest.raises(BadInput, match="from 1 to 200"):
        await list_collections(live, 0)


async def test_a_second_reader_of_the_same_provider_brings_what_the_first_one_does_not(live, yahoo):
    yahoo.set("AAPL", until="2013-02-27")
    await collect_symbol(live, "AAPL")
    yahoo.reset()
    source = live.sources["yahoo"]
    answer = await source.history("AAPL", start=date(2013, 2, 1))
    again = ScriptedSource(answer, name="yfinance")
    yahoo.fault("AAPL", "truncated")
    outcome = await collect_symbol(
        replace(live, sources={"yahoo": source, "yfinance": again}), "AAPL"
    )
    assert outcome == CollectionOutcome("AAPL", "STORED", 2)
    assert again.asked == [date(2013, 2, 5)]
    assert await rows(live, "SELECT source, count(*) FROM bar GROUP BY 1") == [("yahoo", 3270)]


async def test_the_failure_of_the_first_source_is_told_with_those_of_the_others(live, yahoo):
    yahoo.fault("AAPL", "truncated")
    down = ScriptedSource(SourceDown("yfinance is not installed"), name="yfinance")
    sources = {"yahoo": live.sources["yahoo"], "yfinance": down}
    outcome = await collect_symbol(replace(live, sources=sources), "AAPL")
    assert outcome.outcome == "BAD_PAYLOAD"
    assert outcome.detail.endswith(" (yfinance: yfinance is not installed)")


async def test_a_limited_host_is_not_asked_by_another_reader(live, settings, yahoo):
    worker = replace(live, sources=make_worker_sources(settings))
    yahoo.fault("*", "429", retry_after=30)
    outcome = await collect_symbol(worker, "AAPL")
    assert (outcome.outcome, outcome.detail) == ("RATE_LIMITED", "The source asks to wait 30 s.")
    assert len(yahoo.log()) == 1


async def test_an_instrument_that_was_added_unseen_gets_its_name(live):
    async with live.db.write() as db:
        await db.execute(
            text("UPDATE instrument SET mic = 'XNAS', name = 'IBM' WHERE symbol = 'IBM'")
        )
    await collect_symbol(live, "IBM")
    row = await get_instrument(live, "IBM")
    assert (row.name, row.mic) == ("International Business Machines Corporation", "XNYS")


async def test_a_young_instrument_is_asked_for_in_full(live, yahoo):
    days = await make_bars(live, "AAPL", closes=[430.0] * 10, start=date(2013, 2, 4))
    assert len(days) == 10
    await collect_symbol(live, "AAPL")
    assert asked_from(yahoo) < date(2000, 1, 1)


async def test_prices_in_another_currency_are_refused_whole(live):
    async with live.db.write() as db:
        await db.execute(text("UPDATE instrument SET currency = 'KRW' WHERE symbol = 'AAPL'"))
    outcome = await collect_symbol(live, "AAPL")
    assert outcome.outcome == "BAD_PAYLOAD"
    assert outcome.detail.startswith("The prices are in USD, not in KRW.")
    assert await count(live, "bar") == 0


async def test_a_month_after_everything_was_asked_for_it_is_asked_for_again(live, yahoo):
    await collect_symbol(live, "AAPL")
    await collect_symbol(at(live, "2013-03-20T21:30"), "AAPL")
    assert asked_from(yahoo) > date(2013, 1, 1)
    await collect_symbol(at(live, "2013-04-12T21:30"), "AAPL")
    assert asked_from(yahoo) < date(2000, 3, 1)
    await collect_symbol(at(live, "2013-04-13T21:30"), "AAPL")
    assert asked_from(yahoo) > date(2013, 1, 1)


async def test_what_is_removed_while_it_is_collected_leaves_nothing_behind(live, yahoo):
    yahoo.fault("*", "held")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(collect_symbol(live, s)) for s in ("AAPL", "USDKRW=X")]
        await until(lambda: {e["symbol"] for e in yahoo.log()} == {"AAPL", "USDKRW=X"})
        for symbol in ("AAPL", "USDKRW=X"):
            await remove_instrument(live, symbol, confirmed=True)
        yahoo.clear_faults()
    assert [task.result().outcome for task in tasks] == ["SUPERSEDED", "SUPERSEDED"]
    assert (await count(live, "bar"), await count(live, "fx_rate")) == (0, 0)


async def test_what_is_removed_while_it_is_looked_up_is_not_found(live, yahoo, monkeypatch):
    find_order = storing.find_order

    async def remove_first(*arguments):
        await remove_instrument(live, "AAPL", confirmed=True)
        return await find_order(*arguments)

    monkeypatch.setattr(storing, "find_order", remove_first)
    with pytest.raises(NotFound, match="AAPL"):
        await collect_symbol(live, "AAPL")
    assert yahoo.log() == []
