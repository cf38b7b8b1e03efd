"""Many at once, first and last seen, delisted: what is watched."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, select, text, update

from app.adapters.prices import InstrumentInfo
from app.db.models import FxRate, Instrument
from app.env import Env
from app.errors import BadInput, NotFound, Unavailable
from app.services.market import universe
from app.services.market.instruments import find_instrument, find_instruments
from app.services.market.universe import Seen, find_seen, mark_delisted, track_list, track_many
from app.services.schedule import due
from app.services.settings import choose_source
from tests.clocks import at
from tests.factories import AT, make_bars, make_instrument, make_sessions

NOW = "2026-01-20T12:00"


async def count(env: Env, table: str) -> int:
    async with env.db.read() as db:
        return int(await db.scalar(text(f"SELECT count(*) FROM {table}")))


@pytest.fixture
async def chosen(env: Env) -> Env:
    """An installation that asks Yahoo."""
    await choose_source(env, "yahoo")
    return env


async def test_every_word_of_a_pasted_list_is_reported_and_every_symbol_added(chosen):
    await make_instrument(chosen, "AAPL")
    await make_instrument(chosen, "TSLA", tracked=False)
    report = await track_many(chosen, ["005930, aapl; tsla", "005930.KS\t삼성", "USDKRW=X"])
    assert [(line.line, line.text, line.symbol, line.outcome) for line in report] == [
        (1, "005930", "005930.KS", "ADDED"),
        (1, "aapl", "AAPL", "TRACKED"),
        (1, "tsla", "TSLA", "ADDED"),
        (2, "005930.KS", "005930.KS", "REPEATED"),
        (2, "삼성", None, "NOT_A_SYMBOL"),
        (3, "USDKRW=X", "USDKRW=X", "ADDED"),
    ]
    found = await find_instruments(chosen, ["005930.KS", "TSLA", "USDKRW=X"])
    assert {symbol: row.tracked for symbol, row in found.items()} == dict.fromkeys(found, True)
    korean = found["005930.KS"]
    assert (korean.name, korean.name_local) == ("Samsung Electronics Co., Ltd.", "삼성전자")
    assert (korean.mic, korean.currency) == ("XKRX", "KRW")
    async with chosen.db.read() as db:
        jobs = await db.scalars(text("SELECT symbol FROM job WHERE kind = 'collect' ORDER BY 1"))
        assert list(jobs) == ["005930.KS", "TSLA", "USDKRW=X"]


async def test_the_same_list_again_changes_nothing(chosen):
    await track_many(chosen, ["AAPL MSFT"])
    again = await track_many(chosen, ["AAPL MSFT"])
    assert [line.outcome for line in again] == ["TRACKED", "TRACKED"]
    assert await count(chosen, "job") == 2


async def test_six_hundred_words_are_taken_and_more_are_refused_whole(chosen):
    words = [f"{number:06}" for number in range(600)]
    report = await track_many(chosen, words)
    assert {line.outcome for line in report} == {"ADDED"}
    assert await count(chosen, "job") == 600
    with pytest.raises(BadInput, match="601 entries; it must be from 1 to 600"):
        await track_many(chosen, [*words, "AAPL"])
    with pytest.raises(BadInput, match="0 entries"):
        await track_many(chosen, ["", " ,; "])
    assert await find_instrument(chosen, "AAPL") is None


async def test_a_shipped_list_is_added_as_it_stands(chosen):
    report = await track_list(chosen, "sp500")
    assert len(report) == await count(chosen, "job") == 503
    assert await find_instrument(chosen, "BRK-B") is not None
    with pytest.raises(NotFound):
        await track_list(chosen, "nikkei")


async def test_the_sample_takes_only_what_it_has(sample_env):
    report = await track_many(sample_env, ["IBM NVDA"])
    assert [line.outcome for line in report] == ["ADDED", "NOT_IN_SAMPLE"]
    assert (await find_instrument(sample_env, "IBM")).mic == "XNYS"


async def test_a_source_that_is_switched_meanwhile_gets_nothing(chosen, monkeypatch):
    async def other(_db: object) -> str:
        return "sample"

    monkeypatch.setattr(universe, "hold_source", other)
    with pytest.raises(Unavailable, match="switched just now"):
        await track_many(chosen, ["AAPL"])
    assert await find_instrument(chosen, "AAPL") is None


async def test_a_broker_that_is_away_loses_no_job(chosen, monkeypatch):
    async def enqueue(*_arguments: object, **_options: object) -> bool:
        raise Unavailable("away")

    monkeypatch.setattr(chosen.queue, "enqueue", enqueue)
    await track_many(chosen, ["AAPL"])
    assert await count(chosen, "job") == 1


async def test_what_a_source_says_replaces_the_guess_and_nothing_that_was_told(chosen):
    await track_many(chosen, ["IBM AAPL"])
    info = InstrumentInfo("IBM", "International Business Machines", "XNYS", "USD", "EQUITY")
    async with chosen.db.write() as db:
        await universe.learn_listing(db, "IBM", info)
        await universe.learn_listing(db, "AAPL", replace(info, symbol="AAPL"))
    found = await find_instruments(chosen, ["IBM", "AAPL"])
    assert (found["IBM"].name, found["IBM"].mic) == ("International Business Machines", "XNYS")
    assert found["IBM"].name_local == "IBM"
    assert (found["AAPL"].name, found["AAPL"].mic) == ("Apple Inc.", "XNAS")


async def test_first_and_last_seen_are_the_stored_days(env):
    await make_instrument(env, "AAPL")
    await make_instrument(env, "IBM")
    await make_instrument(env, "USDKRW=X", kind="FX")
    days = await make_bars(env, "AAPL", [1.0, None, 2.0])
    rate = {"base": "USD", "quote": "KRW", "rate": Decimal(1400)}
    async with env.db.write() as db:
        for day in (date(2025, 1, 2), date(2025, 1, 9)):
            row = insert(FxRate).values(**rate, day=day, source="sample", fetched_at=AT)
            await db.execute(row)
    assert await find_seen(env, ["AAPL", "IBM", "USDKRW=X", "NONE"]) == {
        "AAPL": Seen(days[0], days[2]),
        "USDKRW=X": Seen(date(2025, 1, 2), date(2025, 1, 9)),
    }


async def make_gone(env: Env, symbol: str, since: timedelta, problem: str = "NOT_LISTED") -> None:
    await make_instrument(env, symbol)
    values = {"problem": problem, "problem_since": env.clock.now() - since}
    async with env.db.write() as db:
        await db.execute(update(Instrument).where(Instrument.symbol == symbol).values(**values))


async def test_an_instrument_that_is_unknown_for_two_weeks_after_having_prices_is_delisted(env):
    env = at(env, NOW)
    fortnight = timedelta(days=14)
    await make_gone(env, "GONE", fortnight)
    await make_gone(env, "YOUNG", fortnight - timedelta(seconds=1))
    await make_gone(env, "NEVER", fortnight)  # a symbol that there never was: no prices
    await make_gone(env, "DOWN", fortnight, "SOURCE_DOWN")
    for symbol in ("GONE", "YOUNG", "DOWN"):
        days = await make_bars(env, symbol, [1.0, 2.0])
    assert await mark_delisted(env) == 1
    assert await mark_delisted(env) == 0
    async with env.db.read() as db:
        rows = await db.execute(select(Instrument.symbol, Instrument.delisted_at))
        marked = {symbol: day for symbol, day in rows if day is not None}
    assert marked == {"GONE": days[1]}


async def test_a_delisted_instrument_is_not_due_any_more(env):
    await choose_source(env, "yahoo")
    env = at(env, NOW)
    await make_sessions(env, "XNAS", [date(2026, 1, 16)])
    await make_gone(env, "GONE", timedelta(days=20))
    await make_bars(env, "GONE", [1.0])
    assert [missing.symbol for missing in await due.list_missing(env)] == ["GONE"]
    await mark_delisted(env)
    assert await due.list_missing(env) == []
    env = replace(env, settings=replace(env.settings, collect_every=60.0))
    assert (await find_instrument(env, "GONE")).delisted_at == date(2025, 1, 6)
    assert isinstance(env.clock.now(), datetime)
    await due.open_due(env)
    async with env.db.read() as db:
        jobs = await db.scalar(text("SELECT count(*) FROM job WHERE kind = 'collect'"))
    assert jobs == 0
