"""A state machine that trades at random, beside an oracle of thirty lines that knows the rules.

The oracle is written in Decimal and days from the table of the rules, without the product's code:
cash, unsettled proceeds, shares, dividends. After each step every balance must be the oracle's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.domain.transactions import Entry, PortfolioKind, TransactionKind, make_trade
from app.env import Env
from app.errors import AppError, BadInput, Conflict
from app.services.people.users import UserRow
from app.services.portfolio.ledger import record_transaction, reverse_transaction
from app.services.portfolio.portfolios import delete_portfolio
from app.services.portfolio.settling import settle_portfolio
from tests.ledgers import DAY, balances, make_portfolio

CENT = Decimal("0.01")
DAYS = dict.fromkeys(("KRW", "USD"), DAY)
CENTS = st.integers(0, 300).map(lambda n: n * CENT)
DUST = st.sampled_from([Decimal("0.00000001"), Decimal("0.0001")])  # worth less than half a cent
QUANTITY = st.one_of(
    st.decimals("0.00000001", "40", places=8), st.integers(1, 40).map(Decimal), DUST
)
PERCENT = st.integers(1, 100)
HALF_CENTS = st.integers(2, 6000).map(lambda n: n * CENT / 2)
PRICE = st.one_of(st.decimals("0.01", "30", places=4), HALF_CENTS)


@dataclass
class Oracle:
    """What the portfolio must hold. Money in dollars: `due` is what waits, by day."""

    cash: Decimal = Decimal(0)
    won: Decimal = Decimal(0)
    due: dict[int, Decimal] = field(default_factory=dict)
    dividends: dict[int, Decimal] = field(default_factory=dict)
    shares: Decimal = Decimal(0)

    @property
    def unsettled(self) -> Decimal:
        return sum(self.due.values(), Decimal(0))

    def buy(self, quantity: Decimal, price: Decimal, fee: Decimal, day: int) -> bool:
        cost = (quantity * price).quantize(CENT, ROUND_HALF_UP) + fee
        if cost == fee or cost > self.cash + self.unsettled:
            return False
        drawn = min(cost, self.unsettled)
        self.due[day] = self.due.get(day, Decimal(0)) - drawn
        self.cash -= cost - drawn
        self.shares += quantity
        return True

    def sell(self, quantity: Decimal, price: Decimal, fee: Decimal, day: int) -> bool:
        brings = (quantity * price).quantize(CENT, ROUND_HALF_UP)
        if brings == 0 or quantity > self.shares or brings < fee:
            return False
        self.shares -= quantity
        self.due[day] = self.due.get(day, Decimal(0)) + brings - fee
        return True

    def settle(self, today: int) -> None:
        for waiting in (self.due, self.dividends):
            last = max([today, *waiting])
            levels = [
                sum((a for d, a in waiting.items() if d <= then), Decimal(0))
                for then in range(today, last + 1)
            ]
            free = max(Decimal(0), min(levels))
            if any(d <= today for d in waiting) and free:
                waiting[today] = waiting.get(today, Decimal(0)) - free
                self.cash += free


class LedgerMachine(RuleBasedStateMachine):
    """Steps on a fresh portfolio of practice; `env`, `user` and `loop` are set by the test."""

    env: ClassVar[Env]
    user: ClassVar[UserRow]
    loop: ClassVar[asyncio.Runner]

    @initialize(
        capital=st.integers(1, 200_000).map(lambda n: n * CENT),
        first=st.tuples(PERCENT, PRICE, CENTS) | st.none(),
    )
    def begin(self, capital, first):
        """Most have bought something before the first step, which few steps can do without."""
        made = make_portfolio(self.env, self.user, capital, PortfolioKind.PRACTICE, "USD")
        self.book = self.run(made)
        self.oracle, self.step, self.day = Oracle(cash=capital), 0, 0
        self.last: tuple[Entry, str] | None = None
        if first is not None:
            self.buy_for_a_part(*first)

    def teardown(self):
        """Deletes the portfolio: somebody may have fifty, and there are 500 examples."""
        self.run(delete_portfolio(self.env, self.user.id, str(self.book.id)))

    def run(self, work):
        return self.loop.run(work)

    def record(self, entry, key=None):
        """Whether the ledger has taken it."""
        self.step += 1
        name = key or f"step-{self.step}"
        today = dict.fromkeys(DAYS, DAY + timedelta(days=self.day))
        try:
            whose = str(self.book.id)
            stored = self.run(
                record_transaction(self.env, self.user.id, whose, entry, name, today=today)
            )
        except BadInput:
            return False
        self.last = (replace(entry, id=stored.id), name)
        return True

    def entry(self, kind, amount=Decimal(0), wait=0, **more):
        day = DAY + timedelta(days=self.day)
        settles = day + timedelta(days=wait)
        known = {"currency": "USD", "amount": amount} | more
        return Entry(kind=TransactionKind(kind), day=day, settles_on=settles, **known)

    def trade(self, kind, quantity, price, fee, wait):
        days = {"day": DAY + timedelta(days=self.day)}
        days["settles_on"] = days["day"] + timedelta(days=wait)
        side = TransactionKind(kind)
        try:
            made = make_trade(side, "A", quantity, price, "USD", **days, fee=fee)
        except BadInput:
            return False
        return self.record(made)

    @rule(amount=CENTS.filter(bool))
    def deposit(self, amount):
        assert self.record(self.entry("DEPOSIT", amount))
        self.oracle.cash += amount

    @rule(amount=CENTS.filter(bool))
    def withdraw(self, amount):
        covered = amount <= self.oracle.cash
        assert self.record(self.entry("WITHDRAWAL", amount)) == covered
        self.oracle.cash -= amount if covered else 0

    @rule(quantity=QUANTITY, price=PRICE, fee=CENTS)
    def buy(self, quantity, price, fee):
        wanted = self.oracle.buy(quantity, price, fee, self.day + 2)
        assert self.trade("BUY", quantity, price, fee, 2) == wanted

    @rule(percent=PERCENT, price=PRICE, fee=CENTS)
    def buy_for_a_part(self, percent, price, fee):
        """Of what there is: of purchases of any size four in five are not covered."""
        spent = (self.oracle.cash + self.oracle.unsettled - fee) * percent / 100
        quantity = (spent / price).quantize(Decimal("0.00000001"), ROUND_DOWN)
        if quantity > 0:
            self.buy(quantity, price, fee)

    @rule(quantity=QUANTITY, price=PRICE, fee=CENTS)
    def sell(self, quantity, price, fee):
        if (quantity * price).quantize(CENT, ROUND_HALF_UP) >= fee:
            wanted = self.oracle.sell(quantity, price, fee, self.day + 2)
            assert self.trade("SELL", quantity, price, fee, 2) == wanted

    @precondition(lambda self: self.oracle.shares)
    @rule(price=PRICE)
    def sell_all(self, price):
        quantity = self.oracle.shares
        if self.oracle.sell(quantity, price, Decimal(0), self.day + 2):
            assert self.trade("SELL", quantity, price, Decimal(0), 2)
            assert "POSITION share:A" not in self.run(balances(self.env, self.book))

    @rule(amount=CENTS.filter(bool), tax=st.integers(0, 40))
    def dividend(self, amount, tax):
        withheld = (amount * tax / 100).quantize(CENT)
        made = self.entry("DIVIDEND", amount, 3, symbol="A", tax=withheld)
        assert self.record(made)
        pays = self.oracle.dividends
        pays[self.day + 3] = pays.get(self.day + 3, Decimal(0)) + amount - withheld

    @rule(amount=CENTS.filter(bool), won=st.integers(1, 9000).map(Decimal))
    def exchange(self, amount, won):
        covered = amount <= self.oracle.cash
        more = {"currency_to": "KRW", "amount_to": won, "rate": Decimal(1300)}
        assert self.record(self.entry("EXCHANGE", amount, **more)) == covered
        self.oracle.cash -= amount if covered else 0
        self.oracle.won += won if covered else 0

    @precondition(lambda self: self.last)
    @rule()
    def replay(self):
        assert self.record(*self.last)

    @precondition(lambda self: self.last)
    @rule()
    def use_the_key_for_something_else(self):
        entry, key = self.last
        try:
            self.record(replace(entry, note="another request"), key)
        except Conflict:
            return
        raise AssertionError("the key was taken for another request")

    @rule(amount=CENTS.filter(bool))
    def deposit_and_take_it_back_twice(self, amount):
        assert self.record(self.entry("DEPOSIT", amount))
        assert self.last is not None
        wrong, self.last = self.last[0].id, None
        taken = 0
        for _ in range(2):
            self.step += 1
            undo = reverse_transaction(self.env, self.user.id, str(wrong), f"undo-{self.step}")
            try:
                self.run(undo)
            except AppError:
                continue
            taken += 1
        assert taken == 1

    @rule(more=st.integers(1, 9))
    def take_more_than_there_is_by_hand(self, more):
        amount = self.oracle.cash + more
        refused = False
        try:
            self.run(withdraw_by_hand(self.env, self.user.id, self.book.id, amount))
        except DBAPIError:
            refused = True
        assert refused

    @rule(days=st.integers(0, 3))
    def let_days_pass(self, days):
        self.day += days
        today = dict.fromkeys(DAYS, DAY + timedelta(days=self.day))
        self.run(settle_portfolio(self.env, self.book.id, today))
        self.oracle.settle(self.day)

    @invariant()
    def every_balance_is_the_oracle_s(self):
        found = self.run(balances(self.env, self.book))
        names = ("CASH USD", "CASH KRW", "UNSETTLED USD", "RECEIVABLE USD", "POSITION share:A")
        oracle = self.oracle
        wanted = (
            oracle.cash,
            oracle.won,
            oracle.unsettled,
            sum(oracle.dividends.values(), Decimal(0)),
            oracle.shares,
        )
        assert [found.get(name, 0) for name in names] == list(wanted)


async def withdraw_by_hand(env, uid, portfolio, amount):
    """A second writer under the app's role that has not asked whether there is enough."""
    async with env.db.write(uid=uid) as db:
        txn = await db.scalar(
            text(
                "INSERT INTO txn (portfolio_id, idem_key, req_hash, kind, day, settles_on,"
                " created_at) VALUES (:p, gen_random_uuid()::text, sha256('x'), 'WITHDRAWAL',"
                " '2026-03-02', '2026-03-02', now()) RETURNING id"
            ),
            {"p": portfolio},
        )
        await db.execute(
            text(
                "INSERT INTO posting (txn_id, portfolio_id, account_id, commodity, amount)"
                " SELECT :t, :p, id, 'USD', CASE kind WHEN 'CASH' THEN CAST(:a AS numeric) * -1"
                " ELSE CAST(:a AS numeric) END FROM account WHERE portfolio_id = :p"
                " AND commodity = 'USD' AND kind IN ('CASH', 'EQUITY')"
            ),
            {"t": txn, "p": portfolio, "a": amount},
        )
