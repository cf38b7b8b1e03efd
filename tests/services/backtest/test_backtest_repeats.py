"""Backtests that run again after each collection, and twins of portfolios."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.domain.transactions import PortfolioKind, TransactionKind, make_trade
from app.env import Env
from app.errors import BadInput, Conflict, NotFound
from app.services.backtest import backtest_repeats
from app.services.backtest.backtest_repeats import (
    list_repetitions,
    open_repeats,
    repeat_backtest,
    shadow_portfolio,
)
from app.services.backtest.backtest_store import find_report
from app.services.backtest.backtests import count_backtests, delete_backtest, get_backtest
from app.services.portfolio.portfolios import NewPortfolio, PortfolioRow, create_portfolio
from app.services.work import jobs
from tests.backtests import SESSIONS, ask, make_market, work
from tests.factories import make_bars
from tests.ledgers import keep
from tests.people import make_user

OPENED = date(2020, 6, 1)
MORE = date(2021, 1, 4)
"""The weekday after the last of the market's."""


@pytest.fixture
async def market(env: Env) -> Env:
    await make_market(env, "AAPL", "MSFT")
    return env


async def collect(env: Env, *symbols: str, day: date = MORE) -> None:
    for symbol in symbols:
        await make_bars(env, symbol, [120.0], start=day, volume=10_000_000)


async def make_book(env: Env, user, **more: object) -> PortfolioRow:
    facts = {"kind": PortfolioKind.SIMULATED, "base_currency": "USD", "opened_on": OPENED}
    facts |= {"initial_capital": Decimal(50_000), "cost_profile": "promotion"} | more
    return await create_portfolio(env, user.id, NewPortfolio("Paper", **facts))


async def test_it_runs_again_once_all_of_it_is_collected(market):
    alice = (await make_user(market)).id
    row = await ask(market, alice, symbols=("AAPL", "MSFT"))
    assert (await repeat_backtest(market, alice, str(row.id), on=True)).repeats
    await work(market)
    assert await open_repeats(market) == 0  # nothing is newer
    await collect(market, "AAPL")
    async with market.db.write() as db:
        now = market.clock.now()
        job = await jobs.open_job(db, "collect", "MSFT", MORE, "collect:MSFT:x", now)
    assert await open_repeats(market) == 0  # the other one is still being collected
    await collect(market, "MSFT")
    async with market.db.write() as db:
        await db.execute(text("UPDATE job SET state = 'DONE', done_at = due_at WHERE id = :id"),
                         {"id": job})  # fmt: skip
    assert await open_repeats(market) == 1
    assert await open_repeats(market) == 0
    await work(market)
    (again,) = await list_repetitions(market, alice, row.id)
    assert (again.state, again.last_day, again.repeat_of) == ("DONE", MORE, row.id)
    assert again.figures["sessions"] == SESSIONS + 1
    told = (await find_report(market, alice, again.id))["overfitting"]
    assert told["trials"] == 1  # the same values again are no new trial
    assert await count_backtests(market, alice) == 1
    with pytest.raises(Conflict, match="repetition itself"):
        await repeat_backtest(market, alice, str(again.id), on=True)


async def test_only_the_newest_are_kept_and_none_after_it_ends(market, monkeypatch):
    alice = (await make_user(market)).id
    row = await ask(market, alice)
    await work(market)
    await repeat_backtest(market, alice, str(row.id), on=True)
    monkeypatch.setattr(backtest_repeats, "KEPT", 2)
    days = [date(2021, 1, n) for n in (4, 5, 6)]
    for day in days:
        await collect(market, "AAPL", day=day)
        assert await open_repeats(market) == 1
        await work(market)
    kept = [one.last_day for one in await list_repetitions(market, alice, row.id)]
    assert kept == days[:0:-1]
    await repeat_backtest(market, alice, str(row.id), on=False)
    await collect(market, "AAPL", day=date(2021, 1, 7))
    assert await open_repeats(market) == 0
    await delete_backtest(market, alice, str(row.id))
    assert await list_repetitions(market, alice, row.id) == []


async def test_there_are_bounds_and_owners(market, monkeypatch):
    alice, bob = await make_user(market), await make_user(market, "bob")
    one, two = await ask(market, alice.id), await ask(market, alice.id)
    monkeypatch.setattr(backtest_repeats, "MOST_REPEATING", 1)
    await repeat_backtest(market, alice.id, str(one.id), on=True)
    with pytest.raises(Conflict, match="1 backtests run again"):
        await repeat_backtest(market, alice.id, str(two.id), on=True)
    with pytest.raises(NotFound):
        await repeat_backtest(market, bob.id, str(one.id), on=False)
    assert await list_repetitions(market, bob.id, one.id) == []


async def test_a_twin_trades_since_the_portfolio_was_opened_and_tells_what_differs(market):
    user = await make_user(market)
    book = await make_book(market, user)
    row = await ask(market, user.id)
    twin = await shadow_portfolio(market, user.id, str(row.id), str(book.id))
    await work(market)
    twin = await get_backtest(market, user.id, str(twin.id))
    assert (twin.state, twin.first_day, twin.portfolio_id) == ("DONE", OPENED, book.id)
    assert twin.figures["first_day"] == OPENED.isoformat()
    request = twin.request
    assert (request.setup.cash, request.setup.costs.key) == (50_000, "promotion")
    report = await find_report(market, user.id, twin.id)
    fills = report["fills"]
    assert {one["why"] for one in report["shadow"]} == {"NOT_DONE"}
    for n in range(2):  # the portfolio does the first two of them, the second at another price
        figures = (Decimal(str(fills["quantity"][n])), Decimal(str(fills["price"][n] + n)), "USD")
        kind = TransactionKind.BUY if n == 0 else TransactionKind.SELL
        day = date.fromisoformat(fills["day"][n])
        entry = make_trade(kind, "AAPL", abs(figures[0]), *figures[1:], day=day, settles_on=day,
                           fee=Decimal(str(round(fills["fee"][n], 2))))  # fmt: skip
        await keep(market, user, book, entry)
    await collect(market, "AAPL")
    assert await open_repeats(market) == 1
    await work(market)
    (again,) = await list_repetitions(market, user.id, twin.id)
    assert again.portfolio_id == book.id
    shadow = (await find_report(market, user.id, again.id))["shadow"]
    whys = [one["why"] for one in shadow]
    assert whys[:2] == ["SAME", "DIFFERENT"]
    assert set(whys[2:]) == {"NOT_DONE"}
    assert shadow[1]["paper"]["price"] == pytest.approx(shadow[1]["twin"]["price"] + 1)
    other = await ask(market, user.id)
    await work(market)
    told = (await find_report(market, user.id, other.id))["overfitting"]
    assert told["trials"] == 2  # its own values and those of `row`, not the twin's


async def test_a_twin_of_a_portfolio_that_was_opened_today_begins_with_its_first_prices(market):
    user = await make_user(market)
    book = await make_book(market, user, opened_on=MORE)
    row = await ask(market, user.id)
    await work(market)
    twin = await shadow_portfolio(market, user.id, str(row.id), str(book.id))
    assert (twin.state, twin.figures) == ("DONE", None)
    assert await open_repeats(market) == 0
    await collect(market, "AAPL")
    assert await open_repeats(market) == 1
    await work(market)
    (first,) = await list_repetitions(market, user.id, twin.id)
    assert (first.state, first.figures["sessions"]) == ("DONE", 1)


async def test_what_cannot_be_shadowed_is_refused(market):
    user, bob = await make_user(market), await make_user(market, "bob")
    row, sweep = (
        await ask(market, user.id),
        await ask(market, user.id, values={}, axes={"fast": (2, 3)}),
    )
    good = await make_book(market, user)
    for field, backtest, more in (
        ("portfolioId", row, {"base_currency": "KRW"}),
        ("portfolioId", row, {"initial_capital": Decimal(0)}),
        ("portfolioId", row, {"kind": PortfolioKind.TRACKED}),
        ("backtestId", sweep, {}),
    ):
        book = await make_book(market, user, **more)
        with pytest.raises(BadInput) as refused:
            await shadow_portfolio(market, user.id, str(backtest.id), str(book.id))
        assert refused.value.field == field
    with pytest.raises(NotFound):
        await shadow_portfolio(market, bob.id, str(row.id), str(good.id))
