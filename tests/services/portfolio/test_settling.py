"""Settling: what is due moves once, and never what a later purchase has drawn on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from app.domain.transactions import PortfolioKind
from app.errors import BadInput, NotFound
from app.services.market.replay import replay_day
from app.services.portfolio.booking import (
    OPEN_END,
    entry_item,
    now_of,
    post,
    reservation_item,
    reversal_item,
)
from app.services.portfolio.cash import list_cash
from app.services.portfolio.ledger import record_transaction, reverse_transaction
from app.services.portfolio.settling import settle_due, settle_portfolio
from tests.ledgers import DAY, balances, drift, make_portfolio, read
from tests.paper import make_recorded
from tests.people import make_user


def days(after: int) -> dict:
    """That many days after `DAY`, for both currencies."""
    return dict.fromkeys(("KRW", "USD"), DAY + timedelta(days=after))


class Book:
    """A portfolio that lives at `DAY` and settles as told."""

    def __init__(self, env, user, row):
        self.env, self.user, self.row, self.keys = env, user, row, 0

    async def keep(self, words, settles=0, key=None):
        self.keys += 1
        entry = read(words, DAY + timedelta(days=settles))
        name = key or f"k{self.keys}"
        return await record_transaction(
            self.env, self.user.id, str(self.row.id), entry, name, today=days(0)
        )

    async def settle(self, after):
        return (await settle_portfolio(self.env, self.row.id, days(after)))["KRW"]

    async def cash(self):
        found = await balances(self.env, self.row)
        names = ("CASH KRW", "UNSETTLED KRW", "RESERVED KRW", "RECEIVABLE KRW")
        return [int(found.get(name, 0)) for name in names]


@pytest.fixture
async def book(env):
    alice = await make_user(env)
    row = await make_portfolio(env, alice, 1000, PortfolioKind.PRACTICE)
    made = Book(env, alice, row)
    await made.keep("BUY 10 A @ 100")
    return made


async def test_proceeds_become_cash_on_their_day_and_once(book):
    await book.keep("SELL 4 A @ 100", settles=2)
    assert await book.settle(1) == 0
    assert await book.cash() == [0, 400, 0, 0]
    assert await book.settle(2) == 400
    assert await book.settle(2) == 0
    assert await book.settle(9) == 0
    assert await book.cash() == [400, 0, 0, 0]
    assert await drift(book.env) == []


async def test_what_settles_first_is_free_although_later_proceeds_were_spent(book):
    await book.keep("SELL 4 A @ 100", settles=1)
    await book.keep("SELL 4 A @ 100", settles=2)
    await book.keep("BUY 3 B @ 100", settles=2)
    assert await book.settle(1) == 400
    assert await book.cash() == [400, 100, 0, 0]
    assert await book.settle(2) == 100


async def test_what_a_later_purchase_needs_stays_behind(book):
    await book.keep("SELL 4 A @ 100", settles=1)
    await book.keep("SELL 1 A @ 100", settles=2)
    await book.keep("BUY 3 B @ 100", settles=2)
    assert await book.settle(1) == 200  # on day 2 another 100 come and 300 go
    assert await book.settle(2) == 0
    assert await book.cash() == [200, 0, 0, 0]


async def test_a_dividend_is_announced_on_its_ex_day_and_paid_on_its_pay_day(book):
    paid = await book.keep("DIVIDEND 1000 A tax 154", settles=30)
    assert await book.cash() == [0, 0, 0, 846]
    with pytest.raises(BadInput, match="cash is ₩0"):
        await book.keep("BUY 1 B @ 100")
    assert await book.settle(30) == 846
    undo = reverse_transaction(book.env, book.user.id, str(paid.id), "undo", today=days(30))
    assert (await undo).reverses == paid.id
    assert await book.cash() == [0, 0, 0, 0]
    assert await drift(book.env) == []


async def test_a_sale_reversed_after_its_day_is_taken_from_cash(book):
    sold = await book.keep("SELL 4 A @ 100", settles=2)
    await book.settle(2)
    await reverse_transaction(book.env, book.user.id, str(sold.id), "undo", today=days(2))
    assert await book.cash() == [0, 0, 0, 0]


async def test_a_reservation_holds_money_back_and_gives_it_back_once(book):
    await book.keep("SELL 4 A @ 100", settles=2)
    await book.keep("DEPOSIT 50")
    env, portfolio, when = book.env, book.row.id, now_of(book.env, days(0))
    item = reservation_item(portfolio, ":order:1", "KRW", Decimal(430), DAY)
    posted = await post(env.db.call, portfolio, book.user.id, [item], when)
    assert await book.cash() == [20, 0, 430, 0]
    assert DAY + timedelta(days=99) < OPEN_END
    assert await book.settle(2) == 0
    release = reversal_item(portfolio, ":order:1:release", posted.ids[0], release=True)
    for _ in range(2):
        await post(env.db.call, portfolio, book.user.id, [release], when)
    assert await book.cash() == [50, 400, 0, 0]
    assert await book.settle(2) == 400
    assert await book.cash() == [450, 0, 0, 0]
    with pytest.raises(NotFound):
        await reverse_transaction(env, book.user.id, str(posted.ids[0]), "by hand")


async def test_a_fill_releases_and_buys_in_one_step(book):
    await book.keep("DEPOSIT 500")
    env, portfolio, when = book.env, book.row.id, now_of(book.env, days(0))
    item = reservation_item(portfolio, ":order:1", "KRW", Decimal(500), DAY)
    posted = await post(env.db.call, portfolio, book.user.id, [item], when)
    fill = [
        reversal_item(portfolio, ":order:1:release", posted.ids[0], release=True),
        entry_item(portfolio, ":order:1:fill", read("BUY 3 B @ 100"), when),
        reservation_item(portfolio, ":order:1:rest", "KRW", Decimal(200), DAY),
    ]
    for _ in range(2):
        done = await post(env.db.call, portfolio, book.user.id, fill, when)
    assert done.fresh == 0
    assert await book.cash() == [0, 0, 200, 0]
    assert await drift(env) == []


async def test_the_minute_settles_by_the_clock_and_leaves_practice_alone(env, book):
    alice = book.user
    real = await make_portfolio(env, alice, 1000)
    today = now_of(env).today["KRW"]
    await record_transaction(env, alice.id, str(real.id), read("BUY 2 A @ 100"), "b")
    later = read("SELL 1 A @ 100", today + timedelta(days=1))
    await record_transaction(env, alice.id, str(real.id), later, "s")
    await book.keep("SELL 1 A @ 100", settles=1)
    assert await settle_due(env) == 0
    await settle_portfolio(env, real.id, dict.fromkeys(("KRW", "USD"), later.settles_on))
    [cash] = await list_cash(env, alice.id, str(real.id))
    assert (cash.deposit, cash.orderable, cash.withdrawable) == (900, 900, 900)
    past = read("SELL 1 A @ 100", today)
    await record_transaction(env, alice.id, str(real.id), past, "p", today=days(-1))
    assert await settle_due(env) == 1
    assert await settle_due(env) == 0
    assert (await book.cash())[1] == 100


async def test_practice_settles_by_the_replayed_day(env):
    await make_recorded(env)
    alice = await make_user(env)
    book = await make_portfolio(env, alice, 1000, PortfolioKind.PRACTICE, "USD")
    playing = await replay_day(env)
    for settles in (playing, playing + timedelta(days=1)):
        income = read("DIVIDEND 50 A", settles, "USD")
        before = dict.fromkeys(("KRW", "USD"), DAY)
        key = str(settles)
        await record_transaction(env, alice.id, str(book.id), income, key, today=before)
    assert await settle_due(env) == 1
    [cash] = await list_cash(env, alice.id, str(book.id))
    assert (cash.withdrawable, cash.receivable) == (1050, 50)
    assert await settle_due(env) == 0


def let_go(start, trades, day):
    """What a broker would let go: the least that the account ever falls to from that day on."""
    last = max([day, *(settles for settles, _ in trades)])
    levels = [
        start + sum(amount for settles, amount in trades if settles <= then)
        for then in range(day, last + 1)
    ]
    return min(levels)


@pytest.mark.parametrize("seed", range(6))
async def test_what_may_leave_is_what_a_broker_would_let_go(env, seed):
    chance, alice = Random(seed), await make_user(env)
    row = await make_portfolio(env, alice, 2000, PortfolioKind.PRACTICE)
    book, trades = Book(env, alice, row), []
    await book.keep("BUY 10 A @ 100")
    sides = [chance.random() < 0.5 for _ in range(chance.randint(2, 8))]
    in_order = seed % 2 == 0  # sales first: then to the won, else never more
    for buys in sorted(sides) if in_order else sides:
        # a purchase settles no earlier than the sales before it, as in one market
        earliest = max([0, *(day for day, amount in trades if amount > 0 and buys)])
        day, tenths = chance.randint(earliest, 4), chance.randint(1, 9)
        await book.keep(f"{'BUY' if buys else 'SELL'} 0.{tenths} A @ 100", settles=day)
        trades.append((day, -10 * tenths if buys else 10 * tenths))
    for day in range(6):
        await book.settle(day)
        cash, bound = (await book.cash())[0], let_go(1000, trades, day)
        assert 0 <= cash <= bound, (day, trades)
        assert cash == bound or not (in_order or day == 5), (day, trades)
