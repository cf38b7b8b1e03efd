"""An event loop in plain Python that trades as the compiled one is said to, from the same words.

Rules of the market come from `app.domain.trading`, in Decimal; nothing is passed over, nothing is
kept in arrays. Slow, and easy to read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from math import floor, inf, isnan, nan
from typing import Any

from app.domain.backtest.market import settles
from app.domain.backtest.setup import Fill, Setup
from app.domain.backtest.tape import Tape
from app.domain.trading.costs import WITHHOLDING, compute_costs
from app.domain.trading.limits import Limits, price_limits
from app.domain.trading.listings import Listing, find_listing
from app.domain.trading.tables import SEC_FEES, TRADING_ACTIVITY_FEES, Market, in_force
from app.domain.trading.ticks import Side, ceil_to_tick, floor_to_tick, tick_size

NOTHING = Decimal("1e-9")
"""A fee below this, on what was left of a share, is not rounded up to a cent."""
NOISE = (1 - Decimal("1e-12"), 1 + Decimal("1e-12"))
"""What a quotient or product of a few floats may be off by."""


@dataclass
class Position:
    """What is held of one instrument, and its open order."""

    shares: float = 0.0
    last: float = nan
    lots: list[list[float]] = field(default_factory=list)  # quantity, price of each entry
    loss: float = nan
    gain: float = nan
    peak: float = nan
    debt: float = 0.0
    aim: int = 0
    budget: float = 0.0
    works: bool = False
    used: tuple[int, float] = (-1, 0.0)
    opened: int = 0
    flow: float = 0.0
    costs: float = 0.0

    @property
    def direction(self) -> int:
        return (self.shares > 0) - (self.shares < 0)

    @property
    def entry(self) -> float:
        return sum(q * p for q, p in self.lots) / sum(q for q, _ in self.lots)


class Oracle:
    """One account over a tape."""

    def __init__(self, tape: Tape, setup: Setup, side: Any, size: Any) -> None:
        self.tape, self.setup, self.side, self.size = tape, setup, side, size
        self.days = tape.days.to_list()
        self.listings = [find_listing(symbol) for symbol in tape.symbols]
        days = tape.days.to_numpy()
        self.settles = [settles(listing.market, days).tolist() for listing in self.listings]
        self.held = [Position() for _ in tape.symbols]
        self.cash, self.receivable = float(setup.cash), 0.0
        self.claims: dict[Any, float] = {}
        self.fills: list[tuple[Any, ...]] = []
        self.trips: list[tuple[Any, ...]] = []
        self.equity: list[float] = []
        self.exposed = 0
        for t in range(len(self.days)):
            self.session(t)

    def price(self, name: str, t: int, k: int) -> float:
        return float(self.tape.prices[name][t, k])

    def session(self, t: int) -> None:
        self.accrue(t)
        self.events(t)
        if self.setup.fill == Fill.NEXT_OPEN:
            self.fill_all(t, "open")
        for k, position in enumerate(self.held):
            if position.shares:
                self.protect(t, k, position)
        equity = self.mark(t)
        for k, position in enumerate(self.held):
            now, before = int(self.side[t, k]), int(self.side[t - 1, k]) if t else 0
            if now != before:
                barred = now < 0 and not (
                    self.setup.shorts and self.listings[k].market is Market.US
                )
                position.aim = 0 if barred else now
                position.budget = float(self.size[t, k]) * equity
                position.works = position.aim != position.direction
        if self.setup.fill == Fill.SAME_CLOSE:
            self.fill_all(t, "close")
        self.equity.append(self.mark(t))
        self.exposed += any(position.shares for position in self.held)

    def blocked(self) -> float:
        return sum(position.debt for position in self.held)

    def accrue(self, t: int) -> None:
        if not t:
            return
        years = (self.days[t] - self.days[t - 1]).days / 365
        self.cash += self.setup.interest * years * max(0.0, self.cash - self.blocked())
        for position in self.held:
            if position.shares < 0:
                due = -position.shares * position.last * self.setup.borrowing * years
                self.cash -= due
                position.flow -= due

    def events(self, t: int) -> None:
        for split in self.tape.splits:
            if split.bar == t and self.held[split.column].shares:
                self.split(t, split.column, split.ratio)
        for dividend in self.tape.dividends:
            if dividend.bar == t:
                due = self.held[dividend.column].shares * dividend.amount
                if due > 0 and self.setup.taxed:
                    due *= 1 - float(WITHHOLDING[self.listings[dividend.column].currency])
                self.claims[dividend] = due
                self.held[dividend.column].flow += due
        for dividend in self.tape.dividends:
            if dividend.declared == t:
                self.receivable += self.claims[dividend]
        for dividend in self.tape.dividends:
            if dividend.paid == t:
                self.receivable -= self.claims[dividend]
                self.cash += self.claims[dividend]

    def split(self, t: int, k: int, ratio: float) -> None:
        position = self.held[k]
        before, after = position.shares, position.shares * ratio
        position.last /= ratio
        position.loss /= ratio
        position.gain /= ratio
        position.peak /= ratio
        position.lots = [[q * ratio, p / ratio] for q, p in position.lots]
        kept = after
        if self.setup.whole:
            kept = position.direction * float(floor(abs(after) + 1e-9))
        rest = after - kept
        if abs(rest) > 1e-9 * abs(after):
            self.cash += rest * position.last
            position.flow += rest * position.last
            position.debt *= kept / after
        position.shares = kept
        if not kept:
            self.end(t, k, 1 if before > 0 else -1)

    def fill_all(self, t: int, name: str) -> None:
        for k, position in enumerate(self.held):
            if position.works and position.shares and position.direction != position.aim:
                self.close(t, k, self.price(name, t, k), slips=True)
            elif position.works and not position.shares and not position.aim:
                position.works = False
        for k, position in enumerate(self.held):
            if position.works and position.aim and position.direction in {0, position.aim}:
                self.open(t, k, self.price(name, t, k))

    def protect(self, t: int, k: int, position: Position) -> None:
        at, high, low = (self.price(name, t, k) for name in ("open", "high", "low"))
        if isnan(at) or self.price("volume", t, k) == 0:
            return
        exits, long = self.setup.exits, position.shares > 0
        d = 1 if long else -1
        levels = []
        if exits.stop is not None:
            levels.append(position.loss)
        if exits.trailing is not None:
            levels.append(position.peak * (1 - d * exits.trailing))
        loss = (max(levels) if long else min(levels)) if levels else nan
        gain = position.gain
        price, target = nan, False
        if (at <= loss) if long else (at >= loss):
            price = at
        elif (at >= gain) if long else (at <= gain):
            price, target = at, True
        elif (low <= loss) if long else (high >= loss):
            price = loss
        elif (high > gain) if long else (low < gain):
            price, target = gain, True
        position.peak = max(position.peak, high) if long else min(position.peak, low)
        if not isnan(price):
            position.aim, position.works = 0, True
            self.close(t, k, price, slips=not target)

    def mark(self, t: int) -> float:
        value = self.cash + self.receivable
        for k, position in enumerate(self.held):
            if position.shares:
                close = self.price("close", t, k)
                position.last = position.last if isnan(close) else close
                value += position.shares * position.last
        return value

    def limits(self, t: int, k: int) -> Limits | None:
        closes = [self.price("close", i, k) for i in range(t)]
        closes = [close for close in closes if not isnan(close)]
        fresh = any(split.bar == t and split.column == k for split in self.tape.splits)
        if not self.setup.limits or not closes or fresh:
            return None
        return price_limits(self.listings[k], Decimal(repr(closes[-1])), self.days[t])

    def volume(self, t: int, k: int, at: float, d: int) -> float:
        volume = self.price("volume", t, k)
        if isnan(at) or volume == 0:
            return 0.0
        limits = self.limits(t, k)
        if limits is not None:
            side = Side.BUY if d > 0 else Side.SELL
            low, high = (Decimal(repr(self.price(name, t, k))) for name in ("low", "high"))
            if limits.is_locked(side, low, high):
                return 0.0
        if self.setup.volume_cap is None:
            return inf
        bar, used = self.held[k].used
        left = self.setup.volume_cap * volume - (used if bar == t else 0.0)
        return max(0.0, float(floor(left + 1e-9)) if self.setup.whole else left)

    def market_price(self, t: int, k: int, at: float, d: int) -> float:
        exact = at * (1 + d * self.setup.slippage)
        price = to_tick(self.listings[k], exact, self.days[t], d) if self.setup.ticks else exact
        limits = self.limits(t, k)
        return price if limits is None else float(limits.clamp(Decimal(repr(price))))

    def close(self, t: int, k: int, at: float, *, slips: bool) -> None:
        position = self.held[k]
        d = -position.direction
        quantity = min(abs(position.shares), self.volume(t, k, at, d))
        if quantity > 0:
            price = self.market_price(t, k, at, d) if slips else at
            self.book(t, k, d * quantity, price)

    def open(self, t: int, k: int, at: float) -> None:
        position = self.held[k]
        most = self.volume(t, k, at, position.aim)
        if most <= 0:
            return
        price = self.market_price(t, k, at, position.aim)
        money = min(position.budget, self.cash - 2 * self.blocked())
        quantity = self.affordable(k, money, price)
        filled = min(quantity, most)
        if filled > 0:
            position.budget -= filled * price
            self.book(t, k, position.aim * filled, price)
        if filled == quantity:
            position.works = False

    def affordable(self, k: int, money: float, price: float) -> float:
        commission = self.setup.costs.commissions[self.listings[k].currency]
        rate, least = float(commission.rate), float(commission.least)
        if money <= 1e-9 * float(self.setup.cash):  # a float's noise
            return 0.0
        quantity = money / (price * (1 + rate))
        if least and quantity * price * rate < least:
            quantity = (money - least) / price
        return max(0.0, float(floor(quantity)) if self.setup.whole else quantity)

    def costs(self, t: int, k: int, quantity: float, price: float) -> tuple[float, float]:
        side = Side.BUY if quantity > 0 else Side.SELL
        size = Decimal(repr(abs(quantity)))
        value = Decimal(repr(abs(quantity) * price))
        # noise neither adds a unit nor takes one: what is cut, is just above; what is raised, below
        below, above = (
            compute_costs(
                self.listings[k], side, size * noise, value * noise, self.setup.costs,
                trade_day=self.days[t], settles=self.settles[k][t],
            )
            for noise in NOISE
        )  # fmt: skip
        if not self.setup.taxed:
            return float(above.commission), 0.0
        fee = above.commission
        if value * in_force(SEC_FEES, self.days[t]) > NOTHING:
            fee += below.sec_fee
        if size * in_force(TRADING_ACTIVITY_FEES, self.days[t]).per_share > NOTHING:
            fee += below.activity_fee
        return float(fee), float(above.tax)

    def book(self, t: int, k: int, quantity: float, price: float) -> None:
        position = self.held[k]
        held, d = position.shares, 1 if quantity > 0 else -1
        fee, tax = self.costs(t, k, quantity, price)
        cash = -quantity * price - fee - tax
        if not held:
            position.lots, position.flow, position.costs, position.opened = [], 0.0, 0.0, t
        self.cash += cash
        position.flow += cash
        position.costs += fee + tax
        bar, used = position.used
        position.used = (t, abs(quantity) + (used if bar == t else 0.0))
        position.shares += quantity
        self.fills.append((t, k, quantity, price, fee, tax, self.cash))
        if held * quantity >= 0:
            first = not position.lots
            position.lots.append([abs(quantity), price])
            if d < 0:
                position.debt += abs(quantity) * price
            if self.setup.exits.stop is not None:
                position.loss = position.entry * (1 - d * self.setup.exits.stop)
            if self.setup.exits.target is not None:
                level = position.entry * (1 + d * self.setup.exits.target)
                ticks = self.setup.ticks
                gain = to_tick(self.listings[k], level, self.days[t], d) if ticks else level
                position.gain = gain
            if first or (price > position.peak if d > 0 else price < position.peak):
                position.peak = price
        else:
            position.debt *= 1 - abs(quantity) / abs(held)
            if abs(position.shares) <= 1e-9 * abs(held):
                if not position.aim:
                    position.works = False
                self.end(t, k, 1 if held > 0 else -1)

    def end(self, t: int, k: int, d: int) -> None:
        position = self.held[k]
        position.shares = position.debt = 0.0
        position.gain = nan
        self.trips.append((k, position.opened, t, d, position.flow, position.costs))


def to_tick(listing: Listing, price: float, day: Any, d: int) -> float:
    """The tick above or below; what lies off it by a float's noise lies on it."""
    exact = Decimal(repr(price))
    tick = tick_size(listing, exact, day)
    near = round(exact / tick)
    if abs(exact / tick - near) <= Decimal("1e-7"):
        return float(max(near, 1) * tick)
    if d > 0:
        return float(ceil_to_tick(listing, exact, day))
    return float(floor_to_tick(listing, exact, day) or tick)
