"""Removing an instrument: what hangs on it is shown, and all of it goes, the last one too."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import insert, text

from app.adapters.bus import QUOTES
from app.db.models import Base, FxRate, IndicatorDaily, Job
from app.env import Env
from app.errors import Conflict, NotFound
from app.services.market.instruments import list_instruments, seed_instruments
from app.services.market.removal import DEPENDENTS, list_dependents, remove_instrument
from tests.factories import AT, make_bars, make_dividend, make_instrument, make_split
from tests.ledgers import keep, make_portfolio
from tests.people import make_user


@pytest.fixture
async def apple(env: Env) -> Env:
    """Apple with bars, a split, a dividend, an indicator and a job; IBM with a bar."""
    await make_instrument(env, "AAPL")
    await make_instrument(env, "IBM")
    days = await make_bars(env, "AAPL", [1.0, 2.0, 3.0])
    await make_bars(env, "IBM", [1.0])
    await make_split(env, "AAPL", days[1], 2)
    await make_dividend(env, "AAPL", days[2], 0.5)
    async with env.db.write() as db:
        await db.execute(insert(IndicatorDaily).values(symbol="AAPL", day=days[2]))
        for symbol in ("AAPL", "IBM"):
            job = {"key": f"collect:{symbol}", "kind": "collect", "symbol": symbol, "due_at": AT}
            await db.execute(insert(Job).values(**job))
    return env


async def left(env: Env, table: str) -> int:
    async with env.db.read() as db:
        return int(await db.scalar(text(f"SELECT count(*) FROM {table}")))


async def test_what_hangs_on_an_instrument_is_counted_with_its_days(apple):
    found = {
        d.kind: (d.count, d.first_day, d.last_day) for d in await list_dependents(apple, "aapl")
    }
    assert found == {
        "BARS": (3, date(2025, 1, 6), date(2025, 1, 8)),
        "SPLITS": (1, date(2025, 1, 7), date(2025, 1, 7)),
        "DIVIDENDS": (1, date(2025, 1, 8), date(2025, 1, 8)),
        "INDICATORS": (1, date(2025, 1, 8), date(2025, 1, 8)),
        "JOBS": (1, None, None),
    }


def test_every_table_that_has_a_symbol_is_among_the_dependents():
    by_symbol = {t.name for t in Base.metadata.sorted_tables if "symbol" in t.columns}
    counted = {query.split("FROM ")[1].split()[0] for query in DEPENDENTS.values()}
    history = {"data_version", "txn", "order", "recommendation", "recommendation_outcome"}
    history |= {"baseline_choice"}
    somebodys = {"alert_rule", "alert", "dismissed_action"}  # a person's words stay a person's
    assert by_symbol - counted == {"instrument"} | history | somebodys


async def test_without_a_word_of_confirmation_nothing_goes(apple):
    with pytest.raises(Conflict, match="7 rows hang on AAPL"):
        await remove_instrument(apple, "aapl", confirmed=False)
    assert await left(apple, "bar") == 4


async def test_what_stands_in_a_ledger_stays(apple):
    """Also what was sold: the days on which it was held are worth what its closes say."""
    alice = await make_user(apple)
    book = await make_portfolio(apple, alice)
    for words in ("BUY 10 AAPL @ 100", "SELL 10 AAPL @ 100"):
        await keep(apple, alice, book, words)
        with pytest.raises(Conflict, match="AAPL is in the ledger or orders of 1 portfolios"):
            await remove_instrument(apple, "AAPL", confirmed=True)
    assert await left(apple, "bar") == 4


async def test_all_of_it_goes_and_nothing_of_another(apple):
    await apple.bus.keep(QUOTES, {"AAPL": b"{}", "IBM": b"{}"})
    assert await remove_instrument(apple, "aapl", confirmed=True) == "AAPL"
    remaining = {"bar": 1, "split": 0, "dividend": 0, "indicator_daily": 0, "job": 1}
    assert {table: await left(apple, table) for table in remaining} == remaining
    assert set(await apple.bus.kept(QUOTES)) == {"IBM"}
    with pytest.raises(NotFound):
        await list_dependents(apple, "AAPL")
    with pytest.raises(NotFound):
        await remove_instrument(apple, "AAPL", confirmed=True)


async def test_a_currency_pair_takes_its_rates_along_and_a_share_of_that_name_does_not(env):
    await make_instrument(env, "USDKRW=X", kind="FX")
    await make_instrument(env, "USDKRW", kind="EQUITY")
    rate = {"base": "USD", "quote": "KRW", "day": date(2025, 1, 2), "rate": Decimal(1400)}
    async with env.db.write() as db:
        await db.execute(insert(FxRate).values(**rate, source="sample", fetched_at=AT))
    assert await list_dependents(env, "USDKRW") == []
    await remove_instrument(env, "USDKRW", confirmed=True)
    assert await left(env, "fx_rate") == 1
    assert [d.kind for d in await list_dependents(env, "USDKRW=X")] == ["RATES"]
    await remove_instrument(env, "USDKRW=X", confirmed=True)
    assert await left(env, "fx_rate") == 0


async def test_removed_defaults_stay_away_even_when_all_are_gone(sample_env):
    env = sample_env
    async with env.db.write() as db:
        await seed_instruments(db, "sample", env.clock.now())
    for row in (await list_instruments(env)).rows:
        await remove_instrument(env, row.symbol, confirmed=True)
    async with env.db.write() as db:
        assert await seed_instruments(db, "sample", env.clock.now()) == 0
    assert (await list_instruments(env)).rows == []
