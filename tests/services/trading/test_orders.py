"""Paper orders: what they would cost, placing once, what they set aside, and taking them back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.trading.orders import OrderState
from app.domain.trading.preview import Caution
from app.domain.transactions import PortfolioKind
from app.errors import BadInput, Conflict, NotFound
from app.services.portfolio.ledger import list_entries
from app.services.trading.orders import cancel_order, place_order, preview_order
from tests.clocks import at
from tests.factories import make_instrument
from tests.ledgers import balances, drift, keep, make_portfolio, read
from tests.paper import OPEN_KR, make_recorded, open_markets, place, read_order, tell
from tests.people import make_user


@pytest.fixture
async def market(env):
    return await open_markets(env)


@pytest.fixture
async def alice(env):
    return await make_user(env)


@pytest.fixture
async def dollars(env, alice):
    return await make_portfolio(env, alice, 10_000, currency="USD")


async def preview(env, user, book, words):
    return (await preview_order(env, user.id, str(book.id), read_order(words))).preview


async def test_a_preview_tells_price_costs_cash_and_settlement_and_stores_nothing(
    market, alice, dollars
):
    found = await preview(market, alice, dollars, "BUY 10 AAPL")
    assert (found.price, found.notional, found.costs.fee) == (100, 1000, Decimal("2.50"))
    assert (found.cash_change, found.cash_after) == (Decimal("-1002.50"), Decimal("8997.50"))
    assert found.reserved == Decimal("1052.63")  # 5 % above, and 0.25 % of that
    assert (found.settles, found.cautions) == (date(2026, 3, 5), ())
    assert await balances(market, dollars) == {"CASH USD": 10_000, "EQUITY USD": -10_000}


async def test_a_korean_preview_rounds_to_the_tick_and_settles_in_two_days(env, alice):
    market = await open_markets(env, OPEN_KR)
    book = await make_portfolio(env, alice, 1_000_000)
    found = await preview(market, alice, book, "BUY 10 005930.KS LIMIT 69_990")
    assert (found.price, found.notional, found.costs.fee) == (69_900, 699_000, 104)
    assert (found.reserved, found.settles) == (699_104, date(2026, 3, 6))
    assert found.cautions == (Caution.PRICE_ROUNDED,)
    at_market = await preview(market, alice, book, "BUY 10 005930.KS")
    assert at_market.reserved == 910_136  # at the day's limit of 91,000
    with pytest.raises(BadInput, match="91100 lies outside the day's limits, 49000 to 91000"):
        await preview(market, alice, book, "BUY 1 005930.KS LIMIT 91_100")


async def test_a_won_portfolio_buys_apple_in_one_step(market, alice):
    await make_instrument(market, "USDKRW=X", kind="FX")
    await tell(market, "USDKRW=X", "1400", market.clock.now() - timedelta(minutes=1))
    book = await make_portfolio(market, alice, 2_000_000)
    wanted = replace(read_order("BUY 10 AAPL"), auto_exchange=True)
    found = await preview_order(market, alice.id, str(book.id), wanted)
    paid = 1_488_419  # the 1,052.63 that it holds back, at 1,400 and 1 % of it
    assert (found.exchange.amount, found.exchange.amount_to) == (paid, Decimal("1052.63"))
    assert (found.preview.cautions, found.preview.cash_after) == ((), Decimal("50.13"))
    order = await place_order(market, alice.id, str(book.id), wanted, "k")
    assert await place_order(market, alice.id, str(book.id), wanted, "k") == order
    held = await balances(market, book)
    assert held["RESERVED USD"] == Decimal("1052.63")
    assert (held["CASH KRW"], "CASH USD" in held) == (2_000_000 - paid, False)
    [_, stored] = await list_entries(market, alice.id, str(book.id))
    assert (stored.rate, stored.spread, stored.source) == (1400, Decimal("0.01"), "YAHOO")
    more = replace(
        wanted, quantity=Decimal(20)
    )  # what there is would be exchanged, and is too little
    short = await preview_order(market, alice.id, str(book.id), more)
    assert Caution.NOT_ENOUGH_CASH in short.preview.cautions
    with pytest.raises(BadInput, match="511,581"):
        await place_order(market, alice.id, str(book.id), more, "more")
    assert await balances(market, book) == held  # neither the exchange nor the order
    with pytest.raises(Conflict):
        await place_order(market, alice.id, str(book.id), read_order("BUY 10 AAPL"), "k")
    assert await drift(market) == []


async def test_a_purchase_sets_money_aside_until_it_is_canceled(market, alice, dollars):
    order = await place(market, alice, dollars, "BUY 10 AAPL LIMIT 99")
    assert (order.state, order.quantity, order.price) == (OrderState.NEW, 10, 99)
    assert order.placed_at == market.clock.now()
    assert order.expires_at == datetime(2026, 3, 4, 21, tzinfo=UTC)
    assert (await balances(market, dollars))["RESERVED USD"] == Decimal("992.48")
    canceled = await cancel_order(market, alice.id, str(order.id))
    assert (canceled.state, canceled.ended_at) == (OrderState.CANCELED, market.clock.now())
    assert [event.state for event in canceled.events] == [OrderState.NEW, OrderState.CANCELED]
    assert await balances(market, dollars) == {"CASH USD": 10_000, "EQUITY USD": -10_000}
    assert await cancel_order(market, alice.id, str(order.id)) == canceled
    assert await drift(market) == []


async def test_a_sale_sets_shares_aside_and_two_cannot_sell_the_same(market, alice, dollars):
    await keep(market, alice, dollars, read("BUY 10 AAPL @ 50", currency="USD"))
    await place(market, alice, dollars, "SELL 6 AAPL LIMIT 120 GTC")
    found = await balances(market, dollars)
    assert (found["RESERVED share:AAPL"], found["POSITION share:AAPL"]) == (6, 4)
    with pytest.raises(BadInput, match="there are 4 shares free, and 5 are needed"):
        await place(market, alice, dollars, "SELL 5 AAPL")
    assert (
        Caution.NOT_ENOUGH_SHARES in (await preview(market, alice, dollars, "SELL 5 AAPL")).cautions
    )


async def test_nobody_overspends_however_many_ask_at_once(market, alice, dollars):
    async def attempt() -> str:
        try:
            return (await place(market, alice, dollars, "BUY 30 AAPL LIMIT 99")).state
        except BadInput as refused:
            return refused.field

    async with asyncio.TaskGroup() as tasks:
        attempts = [tasks.create_task(attempt()) for _ in range(8)]
    answers = sorted(attempt.result() for attempt in attempts)
    assert answers == ["NEW"] * 3 + ["amount"] * 5  # 2,977.43 each of 10,000
    found = await balances(market, dollars)
    assert found["RESERVED USD"] + found["CASH USD"] == 10_000
    assert await drift(market) == []


async def test_a_key_places_once_however_often_it_is_sent(market, alice, dollars):
    words = "BUY 10 AAPL LIMIT 99"
    async with asyncio.TaskGroup() as tasks:
        sent = [tasks.create_task(place(market, alice, dollars, words, "k")) for _ in range(4)]
    orders = [task.result() for task in sent]
    assert len({order.id for order in orders}) == 1
    assert (await balances(market, dollars))["RESERVED USD"] == Decimal("992.48")
    again = await place(market, alice, dollars, "BUY 10.0 aapl LIMIT 99.00", "k")
    assert again == orders[0]
    with pytest.raises(Conflict, match="'k' was used for another request"):
        await place(market, alice, dollars, "BUY 11 AAPL LIMIT 99", "k")


async def test_an_amount_buys_fractions_in_dollars_and_whole_shares_in_won(env, market, alice):
    dollars = await make_portfolio(env, alice, 1000, currency="USD")
    order = await place(market, alice, dollars, "BUY $250 AAPL")
    assert (order.quantity, order.amount) == (None, 250)
    assert (await balances(env, dollars))["RESERVED USD"] == Decimal("250.63")
    limited = await place(market, alice, dollars, "BUY $100 AAPL LIMIT 96")
    assert (limited.quantity, limited.amount) == (Decimal("1.041666"), None)
    won = await make_portfolio(env, alice)
    assert (await preview(market, alice, won, "BUY ₩200000 005930.KS")).quantity == 2
    with pytest.raises(BadInput, match="amount 69999 buys nothing"):
        await preview(market, alice, won, "BUY ₩69999 005930.KS")
    with pytest.raises(BadInput, match="at most 0 decimals"):
        await preview(market, alice, won, "BUY ₩200000.5 005930.KS")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("BUY 0 AAPL", "quantity is 0; it must be above 0"),
        ("BUY NaN AAPL", "quantity is NaN"),
        ("BUY 1.5 AAPL", "only whole shares can be ordered by quantity"),
        ("BUY $-5 AAPL", "amount is -5; it must be above 0"),
        ("BUY $Infinity AAPL", "amount is Infinity"),
        ("BUY 1 AAPL MARKET 5", "A market order has no price"),
        ("BUY 1 AAPL LIMIT", "needs a price"),
        ("BUY 1 AAPL LIMIT -1", "price is -1"),
        ("BUY 101 AAPL LIMIT 99", "cash is \\$10,000.00, and \\$10,024.00 are needed"),
    ],
)
async def test_what_cannot_be_ordered_is_refused_by_name(market, alice, dollars, words, said):
    with pytest.raises(BadInput, match=said):
        await place(market, alice, dollars, words)
    assert "RESERVED USD" not in await balances(market, dollars)


async def test_who_may_not_order_here_is_told_why(market, alice, dollars):
    tracked = await make_portfolio(market, alice, 500, kind=PortfolioKind.TRACKED)
    practice = await make_portfolio(market, alice, 500, kind=PortfolioKind.PRACTICE)
    with pytest.raises(Conflict, match="records a real account"):
        await place(market, alice, tracked, "BUY 1 AAPL")
    with pytest.raises(Conflict, match="at recorded prices only"):
        await place(market, alice, practice, "BUY 1 AAPL")
    charlie = await make_user(market, "charlie")
    order = await place(market, alice, dollars, "BUY 1 AAPL")
    with pytest.raises(NotFound):
        await place(market, charlie, dollars, "BUY 1 AAPL")
    with pytest.raises(NotFound):
        await cancel_order(market, charlie.id, str(order.id))
    with pytest.raises(NotFound, match="no instrument 'NONE'"):
        await place(market, alice, dollars, "BUY 1 NONE")


async def test_practice_orders_in_the_days_that_are_replayed(env, alice):
    await make_recorded(env)
    later = at(env, "2026-11-01T12:00")
    practice = await make_portfolio(env, alice, 500, kind=PortfolioKind.PRACTICE, currency="USD")
    order = await place(later, alice, practice, "BUY 1 AAPL")
    assert order.placed_at == datetime(2026, 3, 3, 14, tzinfo=UTC)  # as the replayed day opened
    assert order.expires_at == datetime(2026, 3, 3, 21, tzinfo=UTC)
    live = await make_portfolio(env, alice, 500, currency="USD")
    with pytest.raises(Conflict, match="Prices are recorded ones now"):
        await place(later, alice, live, "BUY 1 AAPL")
    canceled = await cancel_order(later, alice.id, str(order.id))
    assert canceled.ended_at == order.placed_at
