"""Instruments: looking them up, searching, and adding one that the source knows."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from app.adapters.bus import EVENTS
from app.domain.market import Kind
from app.env import Env
from app.errors import BadInput, NotFound, RateLimited, Unavailable
from app.services.market.instruments import (
    count_instruments,
    find_instrument,
    get_instrument,
    list_exchanges,
    list_instruments,
    seed_instruments,
    track_instrument,
)
from app.services.settings import choose_source
from app.services.work.jobs import list_jobs
from tests.clocks import at
from tests.factories import make_instrument


@pytest.fixture
async def korea(env: Env) -> Env:
    await make_instrument(
        env, "005930.KS", name="Samsung Electronics", name_local="삼성전자", position=1
    )
    await make_instrument(
        env, "000660.KS", name="SK hynix Inc.", name_local="SK하이닉스", position=2
    )
    await make_instrument(env, "AAPL", name="Apple 100% Inc_", name_local="애플", position=3)
    await make_instrument(env, "AMD", name="Advanced Micro Devices")
    await make_instrument(env, "GONE", tracked=False)
    return env


@pytest.fixture
async def live(env: Env, yahoo: Any) -> Env:
    """Yahoo is the source, on an evening of the recorded prices."""
    await choose_source(env, "yahoo")
    return at(env, "2013-03-01T21:30")


async def found(env: Env, search: str) -> list[str]:
    page = await list_instruments(env, search=search)
    assert await count_instruments(env, search=search) == len(page.rows)
    return [row.symbol for row in page.rows]


async def count(env: Env, table: str) -> int:
    async with env.db.read() as db:
        return int(await db.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def test_an_instrument_is_found_by_its_symbol_in_any_case(korea):
    row = await find_instrument(korea, " aapl ")
    assert row is not None
    assert (row.symbol, row.name_local, row.mic, row.currency) == ("AAPL", "애플", "XNAS", "USD")


@pytest.mark.parametrize("symbol", ["NONE", "", "\x00", "\ud800", "A" * 500, "'; DROP TABLE bar"])
async def test_what_is_no_instrument_is_not_found(korea, symbol):
    assert await find_instrument(korea, symbol) is None
    with pytest.raises(NotFound, match="There is no instrument"):
        await get_instrument(korea, symbol)


async def test_tracked_instruments_come_in_the_order_of_the_watchlist(korea):
    page = await list_instruments(korea)
    assert [row.symbol for row in page.rows] == ["005930.KS", "000660.KS", "AAPL", "AMD"]
    assert not page.has_next
    assert await count_instruments(korea) == 4
    assert await count_instruments(korea, kinds=[Kind.EQUITY, Kind.ETF]) == 4
    assert (await list_instruments(korea, kinds=[Kind.INDEX])).rows == []


async def test_pages_continue_after_the_cursor(korea):
    first = await list_instruments(korea, first=3)
    assert first.has_next
    rest = await list_instruments(korea, first=3, after=first.cursors[-1])
    assert ([row.symbol for row in rest.rows], rest.has_next) == (["AMD"], False)
    assert (await list_instruments(korea, first=3, after=rest.cursors[-1])).rows == []


async def test_named_symbols_are_listed_also_when_untracked(korea):
    page = await list_instruments(korea, symbols=["gone", "AAPL", "NONE", "\x00"])
    assert [row.symbol for row in page.rows] == ["AAPL", "GONE"]
    assert (await list_instruments(korea, symbols=[])).rows == []


@pytest.mark.parametrize(
    ("search", "symbols"),
    [
        ("a", ["005930.KS", "AAPL", "AMD"]),
        ("AA", ["AAPL"]),
        ("samSUNG", ["005930.KS"]),
        ("전자", ["005930.KS"]),
        ("sk하", ["000660.KS"]),
        (" 005 ", ["005930.KS"]),
        ("KS", []),
        ("%", ["AAPL"]),
        ("_", ["AAPL"]),
        ("\\", []),
        ("'", []),
        ("삼성", ["005930.KS"]),
    ],
)
async def test_a_search_begins_a_symbol_or_stands_in_a_name(korea, search, symbols):
    assert await found(korea, search) == symbols


@pytest.mark.parametrize("search", ["\x00", "a\ud800", "x" * 61, "a\nb"])
async def test_a_search_that_no_name_can_hold_is_refused(korea, search):
    with pytest.raises(BadInput, match="at most 60 printable") as refused:
        await list_instruments(korea, search=search)
    assert refused.value.field == "search"


async def test_a_page_of_none_or_of_too_many_is_refused(korea):
    for first in (0, 201):
        with pytest.raises(BadInput, match="from 1 to 200"):
            await list_instruments(korea, first=first)


async def test_the_exchanges_are_known_by_their_mic(env):
    exchanges = await list_exchanges(env)
    assert set(exchanges) == {"XKRX", "XNAS", "XNYS", "ARCX", "CCY"}
    assert (exchanges["XKRX"].name_local, exchanges["CCY"].currency) == ("한국거래소", None)


async def test_the_defaults_are_written_once_in_their_order(env):
    async with env.db.write() as db:
        assert await seed_instruments(db, "yahoo", env.clock.now()) == 14
        assert await seed_instruments(db, "yahoo", env.clock.now()) == 0
    page = await list_instruments(env)
    assert [row.symbol for row in page.rows[:4]] == ["005930.KS", "000660.KS", "035420.KS", "AAPL"]
    assert page.rows[-1].kind == "FX"


async def test_adding_an_instrument_stores_it_and_opens_its_collection(live):
    async with live.bus.listen(EVENTS) as messages:
        row = await track_instrument(live, " ibm ")
        event = orjson.loads((await anext(messages))[1])
    assert (row.symbol, row.mic, row.kind, row.tracked) == ("IBM", "XNYS", "EQUITY", True)
    assert row.name == "International Business Machines Corporation"
    assert event == {"kind": "tracked", "symbol": "IBM"}
    (job,) = await list_jobs(live, "collect")
    assert (job.symbol, job.state, job.day) == ("IBM", "PENDING", None)
    assert job.queued_at is not None


async def test_a_default_that_is_added_has_its_korean_name(live):
    row = await track_instrument(live, "005930.KS")
    assert (row.name_local, row.mic, row.currency) == ("삼성전자", "XKRX", "KRW")


async def test_adding_twice_asks_and_opens_once(live, yahoo):
    first = await track_instrument(live, "IBM")
    yahoo.clear_log()
    assert await track_instrument(live, "IBM") == first
    assert yahoo.log() == []
    assert len(await list_jobs(live, "collect")) == 1


async def test_two_that_add_at_once_open_one_collection(live):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(track_instrument(live, "IBM")) for _ in range(4)]
    assert {task.result().symbol for task in tasks} == {"IBM"}
    assert len(await list_jobs(live, "collect")) == 1


async def test_an_untracked_instrument_is_tracked_again(live):
    await make_instrument(live, "IBM", mic="XNYS", tracked=False)
    assert (await track_instrument(live, "IBM")).tracked
    assert len(await list_jobs(live, "collect")) == 1


async def test_an_instrument_without_recent_prices_can_be_added(live, yahoo):
    yahoo.set("IBM", until="2012-06-29")
    assert (await track_instrument(live, "IBM")).tracked


@pytest.mark.parametrize(
    "symbol", ["", "  ", "A B", "A" * 21, "AAPL;", "삼성전자", "-A", "A\x00", "\ud800", "A/B"]
)
async def test_a_text_that_is_no_symbol_is_refused_unasked(live, yahoo, symbol):
    with pytest.raises(BadInput, match="at most 20 of A-Z") as refused:
        await track_instrument(live, symbol)
    assert refused.value.field == "symbol"
    assert yahoo.log() == []


async def test_an_unknown_symbol_is_refused_and_leaves_nothing(live):
    with pytest.raises(BadInput, match="Yahoo Finance does not know 'XYZ'") as refused:
        await track_instrument(live, "XYZ")
    assert refused.value.field == "symbol"
    assert (await count(live, "instrument"), await count(live, "job")) == (0, 0)


async def test_the_sample_knows_its_own_alone(sample_env):
    with pytest.raises(BadInput, match="The sample does not know 'TSLA'"):
        await track_instrument(sample_env, "TSLA")
    assert (await track_instrument(sample_env, "IBM")).mic == "XNYS"


async def test_an_instrument_of_another_market_is_refused(live, yahoo):
    yahoo.set("7203.T", like="IBM", exchange="JPX", currency="JPY")
    with pytest.raises(BadInput, match="JPX is not supported"):
        await track_instrument(live, "7203.T")
    assert await count(live, "instrument") == 0


async def test_a_limited_source_says_when_to_try_again(live, yahoo):
    yahoo.fault("IBM", "429", retry_after=30)
    with pytest.raises(RateLimited, match="Try again in 30 s") as refused:
        await track_instrument(live, "IBM")
    assert refused.value.retry_after == pytest.approx(30)
    assert (await count(live, "instrument"), await count(live, "job")) == (0, 0)


async def test_a_source_that_is_down_is_unavailable(live, yahoo):
    yahoo.fault("IBM", "500")
    with pytest.raises(Unavailable, match="Yahoo Finance does not answer"):
        await track_instrument(live, "IBM")
    assert (await count(live, "instrument"), await count(live, "job")) == (0, 0)
