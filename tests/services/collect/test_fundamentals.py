"""Snapshots: one a day, by the exchange's date, appended, never changed, never filled in later."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.adapters.worker_sources import make_worker_sources
from app.env import Env
from app.errors import NotFound
from app.services.collect.fundamentals import appraise, list_fundamentals
from app.services.settings import choose_source, put_setting
from tests.clocks import at
from tests.factories import make_instrument, with_order
from tests.fakes.yahoo import FakeYahoo

pytestmark = pytest.mark.filterwarnings("ignore:.*:Warning:yfinance")
SAMSUNG = "005930.KS"


@pytest.fixture
async def worker(env: Env, yahoo: FakeYahoo) -> Env:
    """A live installation's worker: it has yfinance. AAPL and Samsung are watched."""
    await choose_source(env, "yahoo")
    for symbol in ("AAPL", SAMSUNG):
        await make_instrument(env, symbol)
    return replace(at(env, "2013-03-01T21:30"), sources=make_worker_sources(env.settings))


async def asked_at(env: Env, symbol: str) -> object:
    async with env.db.read() as db:
        query = text("SELECT appraised_at FROM instrument WHERE symbol = :symbol")
        return await db.scalar(query, {"symbol": symbol})


async def test_a_snapshot_has_its_figures_day_source_and_currency(worker):
    outcome = await appraise(worker, "AAPL")
    assert outcome is not None
    assert outcome.outcome == "STORED"
    row = (await list_fundamentals(worker, ["AAPL", SAMSUNG]))["AAPL"]
    assert (row.day, row.source, row.currency) == (date(2013, 3, 1), "yfinance", "USD")
    assert row.fetched_at == worker.clock.now()
    assert (row.market_cap, row.trailing_pe) == (Decimal(3012345678912), 31.25)
    assert (row.debt_to_equity, row.refused) == (1.54486, [])


async def test_the_day_is_the_exchanges(worker):
    await appraise(worker, SAMSUNG)  # 06:30 of the next day in Seoul
    assert (await list_fundamentals(worker, [SAMSUNG]))[SAMSUNG].day == date(2013, 3, 2)


async def test_the_first_answer_of_a_day_stays(worker, yahoo):
    await appraise(worker, "AAPL")
    yahoo.tell("AAPL", trailingPE=99.0)
    later = at(worker, "2013-03-01T23:00")
    outcome = await appraise(later, "AAPL")
    assert outcome is not None
    assert outcome.outcome == "UNCHANGED"
    assert (await list_fundamentals(worker, ["AAPL"]))["AAPL"].trailing_pe == 31.25
    assert await asked_at(worker, "AAPL") == later.clock.now()


async def test_each_day_is_known_as_of_itself(worker, yahoo):
    await appraise(worker, "AAPL")
    yahoo.tell("AAPL", trailingPE=28.0, priceToBook=None)
    await appraise(at(worker, "2013-03-05T21:30"), "AAPL")
    pe = {
        day: row.trailing_pe
        for day in (date(2013, 2, 28), date(2013, 3, 1), date(2013, 3, 4), date(2013, 3, 5))
        for row in (await list_fundamentals(worker, ["AAPL"], day)).values()
    }
    assert pe == {date(2013, 3, 1): 31.25, date(2013, 3, 4): 31.25, date(2013, 3, 5): 28.0}
    assert (await list_fundamentals(worker, ["AAPL"]))["AAPL"].price_to_book is None


async def test_what_is_impossible_is_named(worker, yahoo):
    yahoo.tell("AAPL", marketCap=-1, returnOnEquity="Infinity")
    await appraise(worker, "AAPL")
    row = (await list_fundamentals(worker, ["AAPL"]))["AAPL"]
    assert (row.market_cap, row.return_on_equity) == (None, None)
    assert row.refused == ["market_cap", "return_on_equity"]


async def test_figures_in_another_currency_are_refused_whole(worker, yahoo):
    yahoo.tell(SAMSUNG, currency="USD")
    outcome = await appraise(worker, SAMSUNG)
    assert outcome is not None
    assert (outcome.outcome, outcome.detail) == (
        "BAD_PAYLOAD",
        "The figures are in USD, not in KRW.",
    )
    assert await list_fundamentals(worker, [SAMSUNG]) == {}
    assert await asked_at(worker, SAMSUNG) == worker.clock.now()  # it answered


@pytest.mark.parametrize(("kind", "outcome"), [("429", "RATE_LIMITED"), ("500", "SOURCE_DOWN")])
async def test_who_does_not_answer_is_asked_again(worker, yahoo, kind, outcome):
    yahoo.fault("AAPL", kind)
    found = await appraise(worker, "AAPL")
    assert found is not None
    assert found.outcome == outcome
    assert await asked_at(worker, "AAPL") is None


async def test_without_a_source_that_knows_them_nobody_is_asked(worker, yahoo):
    yahoo.clear_log()
    assert await appraise(with_order(worker, "*=yahoo,krx"), "AAPL") is None
    await put_setting(worker, "source", "sample")
    assert await appraise(worker, "AAPL") is None
    assert yahoo.log() == []
    with pytest.raises(NotFound):
        await appraise(worker, "NONE")


async def test_the_database_refuses_changes_and_days_that_are_over(worker):
    await appraise(worker, "AAPL")
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with worker.db.write() as db:
            await db.execute(text("UPDATE fundamental SET trailing_pe = 1"))
    late = (
        "INSERT INTO fundamental (symbol, day, source, fetched_at, currency, refused)"
        " VALUES ('AAPL', '2013-02-20', 'x', '2013-03-01T21:30Z', 'USD', '{}')"
    )
    with pytest.raises(IntegrityError, match="never_back_filled"):
        async with worker.db.write() as db:
            await db.execute(text(late))
