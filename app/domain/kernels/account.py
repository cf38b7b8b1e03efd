"""The account of a backtest, compiled: what its loops share, prices of fills, costs and lots.

Fees and taxes of a sale follow dated tables by group of instruments; quantities, prices and costs
are as traded. `kernels.trading` says what happens when.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from app.domain.kernels.compiled import compiled_bare, plain

compiled = compiled_bare()

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Cube = np.ndarray[tuple[int, int, int], np.dtype[np.float64]]
Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Shorts = np.ndarray[tuple[int], np.dtype[np.int16]]
Flags = np.ndarray[tuple[int], np.dtype[np.uint8]]
Sides = np.ndarray[tuple[int, int], np.dtype[np.int8]]

SPLIT, ENTITLED, DECLARED, PAID = range(4)
"""Kinds of events; those of one session are in this order."""

SIGNAL, STOP, TARGET, TRAIL, SPLIT_OUT = map(plain, range(5))
"""Why a round trip ended."""

TAX, RURAL, LEVY, PER_SHARE, PER_SHARE_MOST, STEPS = range(6)
"""Dated costs of a sale by group of instruments, and the table of ticks (-1: none)."""

CASH, RECEIVABLE, BLOCKED, WORKING, HELD, FEES, TAXES, TRADED, FILLS, TRIPS, EXPOSED = range(11)
"""Of the account; FILLS and TRIPS count, also what found no room."""
ACCOUNT: Final = 11

(SHARES, LAST, LOSS, GAIN, PEAK, BUDGET, AIM, WORKS, DEBT, ENTRY, BOUGHT, SPENT, SOLD, EARNED, FLOW,
 PAYING, USED, USED_AT) = range(18)  # fmt: skip
"""Of one instrument. LOSS and GAIN are prices; BOUGHT to PAYING are of the open round trip."""
BOOK: Final = 18

FILL: Final = 8  # bar, instrument, quantity (below zero: sold), price, fee, tax, reason, cash then
TRIP: Final = 10  # instrument, first and last bar, direction, quantity, prices, profit, costs, why
SCALE: Final = 10_000.0  # ticks are counted in parts of this
DUST: Final = 1e-9  # of the first cash: what sums of floats leave over


class World(NamedTuple):
    """What does not change while the account trades."""

    open: Table
    high: Table
    low: Table
    close: Table
    volume: Table
    lower: Table  # price limits; without any rows where there are none
    upper: Table
    event_bar: Ints
    event_column: Ints
    event_kind: Ints
    event_claim: Ints  # which dividend
    event_value: Floats  # ratio, or amount per share
    period: Shorts  # of the rules, by session
    dated: Cube  # periods x groups x 6
    group: Ints
    bounds: Table  # of the tables of ticks, padded with inf
    ticks: Table
    shortable: Flags
    interest: Floats  # of the days up to each session
    borrowing: Floats


LAYOUT: Final = dict(
    zip(World._fields, ("f8 " * 7 + "i8 i8 i8 i8 f8 i2 f8 i8 f8 f8 u1 f8 f8").split(), strict=True)
)
"""The type of each array of a world, as the loops are compiled for it; all lie in C order."""


class Terms(NamedTuple):
    """The numbers of an agreement."""

    cash: float
    commission: float  # part of the value
    least: float  # commission
    unit: float  # of money, to which commissions and fees are rounded; 0: not at all
    half: float  # 0.5: commissions are rounded half up; 0: cut
    tax_unit: float  # to which each tax is cut; 0: not at all
    slippage: float
    cap: float  # part of a session's volume; inf: none
    step: float  # smallest quantity; 0: any
    withheld: float  # of a dividend received
    same_close: float


class Plan(NamedTuple):
    """What is wanted at each close: the side (-1, 0, 1) and the part of equity behind it."""

    side: Sides
    fraction: Table


class Room(NamedTuple):
    """What is written."""

    account: Floats  # ACCOUNT
    book: Table  # BOOK x instruments
    exits: Floats  # stop, target, trailing stop as parts of the entry or peak; NaN: none
    busy: Flags  # sessions
    claims: Floats  # dividends
    equity: Floats  # sessions
    fills: Table  # any number x FILL
    trips: Table  # any number x TRIP


def make_room(
    shape: tuple[int, int],
    claims: int,
    records: int = 0,
    exits: Floats | None = None,
) -> Room:
    """Buffers for sessions x instruments, with room for so many fills and round trips."""
    exits = np.full(3, np.nan) if exits is None else exits
    busy, equity = np.empty(shape[0], dtype=np.uint8), np.empty(shape[0])
    account, book, due = np.zeros(ACCOUNT), np.zeros((BOOK, shape[1])), np.zeros(claims)
    fills, trips = np.empty((records, FILL)), np.empty((records, TRIP))
    return Room(account, book, exits, busy, due, equity, fills, trips)


@compiled
def set_working(account: Floats, book: Table, k: int, works: float) -> None:
    """An order of instrument k is open (1), or none is (0)."""
    account[WORKING] += works - book[WORKS, k]
    book[WORKS, k] = works


@compiled
def fill_all(world: World, terms: Terms, room: Room, t: int, prices: Table) -> None:
    """Fills what works: first what closes, then what opens."""
    book = room.book
    for k in range(book.shape[1]):
        if book[WORKS, k] != 0.0 and book[SHARES, k] * book[AIM, k] <= 0.0:
            if book[SHARES, k] != 0.0:
                close_position(world, terms, room, t, k, prices[t, k], SIGNAL)
            elif book[AIM, k] == 0.0:
                set_working(room.account, book, k, 0.0)
    for k in range(book.shape[1]):
        if book[WORKS, k] != 0.0 and book[AIM, k] != 0.0 and book[SHARES, k] * book[AIM, k] >= 0.0:
            _open(world, terms, room, t, k, prices[t, k])


@compiled
def close_position(  # noqa: PLR0913, PLR0917 - what the loop has
    world: World, terms: Terms, room: Room, t: int, k: int, at: float, why: int
) -> None:
    """Sells or buys back what is held, as far as the market takes it; a target does not slip."""
    book = room.book
    d = -np.sign(book[SHARES, k])
    quantity = min(abs(book[SHARES, k]), _open_volume(world, terms, book, t, k, at, d))
    if quantity > 0.0:
        price = at if why == TARGET else _market_price(world, terms, t, k, at, d)
        _record(world, terms, room, t, k, d * quantity, price, why)


@compiled
def _open(  # noqa: PLR0913, PLR0917 - what the loop has
    world: World, terms: Terms, room: Room, t: int, k: int, at: float
) -> None:
    """Buys or sells short for the budget, as far as cash and the market allow."""
    account, book = room.account, room.book
    d = book[AIM, k]
    most = _open_volume(world, terms, book, t, k, at, d)
    if most <= 0.0:
        return
    price = _market_price(world, terms, t, k, at, d)
    money = min(book[BUDGET, k], account[CASH] - 2.0 * account[BLOCKED])
    quantity = _affordable(terms, money, price)
    filled = min(quantity, most)
    if filled > 0.0:
        book[BUDGET, k] -= filled * price
        _record(world, terms, room, t, k, d * filled, price, SIGNAL)
    if filled == quantity:
        set_working(account, book, k, 0.0)


@compiled
def _open_volume(  # noqa: PLR0913, PLR0917 - what the loop has
    world: World, terms: Terms, book: Table, t: int, k: int, at: float, d: float
) -> float:
    """How many shares can be traded in session t in direction d; 0 where nobody takes them."""
    volume = world.volume[t, k]
    if not at > 0.0 or volume == 0.0:
        return 0.0
    if len(world.upper):
        if d > 0.0 and world.low[t, k] >= world.upper[t, k]:
            return 0.0
        if d < 0.0 and world.high[t, k] <= world.lower[t, k]:
            return 0.0
    if np.isinf(terms.cap):
        return np.inf
    used = book[USED, k] if book[USED_AT, k] == t else 0.0
    left = terms.cap * volume - used
    if terms.step > 0.0:
        left = np.floor(left / terms.step + 1e-9) * terms.step
    return left if left > 0.0 else 0.0  # noqa: FURB136 - an unknown volume is none


@compiled
def _market_price(  # noqa: PLR0913, PLR0917 - what the loop has
    world: World, terms: Terms, t: int, k: int, at: float, d: float
) -> float:
    """A price slipped, on the tick, within the limits."""
    price = to_tick(world, t, k, at * (1.0 + d * terms.slippage), d)
    if len(world.upper):
        if price > world.upper[t, k]:  # noqa: PLR1730 - NaN is no limit
            price = world.upper[t, k]
        if price < world.lower[t, k]:  # noqa: PLR1730 - as above
            price = world.lower[t, k]
    return price


@compiled
def to_tick(world: World, t: int, k: int, price: float, d: float) -> float:
    """The next price on the tick: up for d > 0, down for d < 0, but a tick at least."""
    table = int(world.dated[world.period[t], world.group[k], STEPS])
    if table < 0:
        return price
    i = 0
    while world.bounds[table, i] <= price:
        i += 1
    tick = world.ticks[table, i]
    exact = price * SCALE / tick
    count = np.round(exact)
    if abs(exact - count) > 1e-7:
        count = np.ceil(exact) if d > 0.0 else np.floor(exact)
    return float(max(count, 1.0) * tick / SCALE)


@compiled
def _affordable(terms: Terms, money: float, price: float) -> float:
    """The quantity that money pays for with its commission; a float's noise pays for nothing."""
    if not money > DUST * terms.cash:
        return 0.0
    quantity = money / (price * (1.0 + terms.commission))
    if terms.least > 0.0 and quantity * price * terms.commission < terms.least:
        quantity = (money - terms.least) / price
    if terms.step > 0.0:
        quantity = np.floor(quantity / terms.step) * terms.step
    return max(quantity, 0.0)


@compiled
def _cut(amount: float, unit: float, up: float) -> float:
    """Rounded to the unit: down (0), half up (0.5) or up (1); a float's noise is none of it."""
    if unit == 0.0 or amount == 0.0:
        return amount
    noise = -1e-7 if up == 1.0 else 1e-7
    return float(np.floor(amount / unit + up + noise) * unit)


@compiled
def _costs_of(  # noqa: PLR0913, PLR0917 - what the loop has
    world: World, terms: Terms, t: int, k: int, quantity: float, value: float
) -> tuple[float, float]:
    """Fees and taxes of a trade; below zero a quantity is sold."""
    fee = _cut(max(value * terms.commission, terms.least), terms.unit, terms.half)
    if quantity > 0.0:
        return fee, 0.0
    rates = world.dated[world.period[t], world.group[k]]
    fee += _cut(value * rates[LEVY], terms.unit, 1.0)
    activity = _cut(-quantity * rates[PER_SHARE], terms.unit, 1.0)
    fee += min(activity, rates[PER_SHARE_MOST])
    tax = _cut(value * rates[TAX], terms.tax_unit, 0.0)
    return fee, tax + _cut(value * rates[RURAL], terms.tax_unit, 0.0)


@compiled
def _record(  # noqa: PLR0913, PLR0917 - what the loop has
    world: World, terms: Terms, room: Room, t: int, k: int, quantity: float, price: float, why: int
) -> None:
    """Books a fill: cash, costs, the lot, its stop and target, and the round trip when it ends."""
    account, book = room.account, room.book
    size, held = abs(quantity), book[SHARES, k]
    value = size * price
    fee, tax = _costs_of(world, terms, t, k, quantity, value)
    cash = -quantity * price - fee - tax
    opens = held * quantity >= 0.0
    if held == 0.0:
        account[HELD] += 1.0
        book[ENTRY, k] = t
        book[DEBT, k] = book[BOUGHT, k] = book[SPENT, k] = book[SOLD, k] = 0.0
        book[EARNED, k] = book[FLOW, k] = book[PAYING, k] = 0.0
    account[CASH] += cash
    account[FEES] += fee
    account[TAXES] += tax
    account[TRADED] += value
    book[FLOW, k] += cash
    book[PAYING, k] += fee + tax
    book[USED, k] = size + (book[USED, k] if book[USED_AT, k] == t else 0.0)
    book[USED_AT, k] = t
    book[SHARES, k] = held + quantity
    if opens:
        _open_lot(world, room, t, k, size, price, np.sign(quantity))
    else:
        freed = book[DEBT, k] * size / abs(held)
        book[DEBT, k] -= freed
        account[BLOCKED] -= freed
        book[SOLD, k] += size
        book[EARNED, k] += value
    number = int(account[FILLS])
    if number < len(room.fills):
        row = room.fills[number]
        row[0], row[1], row[2], row[3], row[4] = t, k, quantity, price, fee
        row[5], row[6], row[7] = tax, why, account[CASH]
    account[FILLS] += 1.0
    if not opens and abs(book[SHARES, k]) <= 1e-9 * abs(held):
        if book[AIM, k] == 0.0:
            set_working(account, book, k, 0.0)
        end_trip(room, t, k, np.sign(held), why)


@compiled
def _open_lot(  # noqa: PLR0913, PLR0917 - what the loop has
    world: World, room: Room, t: int, k: int, size: float, price: float, d: float
) -> None:
    """More of a holding: the debt of a short, the mean entry price, stop and target from it."""
    book, exits = room.book, room.exits
    if d < 0.0:
        book[DEBT, k] += size * price
        room.account[BLOCKED] += size * price
    first = book[BOUGHT, k] == 0.0
    book[BOUGHT, k] += size
    book[SPENT, k] += size * price
    entry = book[SPENT, k] / book[BOUGHT, k]
    book[LOSS, k] = entry * (1.0 - d * exits[0])
    book[GAIN, k] = np.nan
    if exits[1] == exits[1]:
        book[GAIN, k] = to_tick(world, t, k, entry * (1.0 + d * exits[1]), d)
    if first or (price - book[PEAK, k]) * d > 0.0:
        book[PEAK, k] = price


@compiled
def end_trip(room: Room, t: int, k: int, d: float, why: int) -> None:
    """Nothing is held any more: writes the round trip."""
    account, book = room.account, room.book
    account[HELD] -= 1.0
    account[BLOCKED] -= book[DEBT, k]
    book[SHARES, k] = book[DEBT, k] = 0.0
    number = int(account[TRIPS])
    if number < len(room.trips):
        row = room.trips[number]
        row[0], row[1], row[2], row[3], row[4] = k, book[ENTRY, k], t, d, book[BOUGHT, k]
        row[5] = book[SPENT, k] / book[BOUGHT, k]
        row[6] = book[EARNED, k] / book[SOLD, k]
        row[7], row[8], row[9] = book[FLOW, k], book[PAYING, k], why
    account[TRIPS] += 1.0
