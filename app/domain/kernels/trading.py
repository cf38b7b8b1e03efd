"""The bar loop of a backtest, compiled: one account, its orders, fills, lots, costs and equity.

Arrays are sessions x instruments, prices as traded; NaN is no price. Within a session, in order:

1. interest on cash and on what was borrowed; splits, then dividends (`Event`s);
2. NEXT_OPEN: orders are filled at the open, closing ones first, in the order of instruments;
3. stops and targets: at the open where it gaps through, else the stop first, else the target when
   the price goes through it (a touch is no fill); a trailing stop knows highs up to the day before;
4. at the close equity is marked, and where a side has changed an order arises: its budget is its
   fraction of that equity. It works until it is filled or the side changes again;
5. SAME_CLOSE: orders are filled at the close.

No fill without a price or with volume 0, beyond `cap` of the volume, or on the side of a price
limit at which the whole session is locked. A market fill slips, then is rounded to the tick against
who ordered, then held within the limits. Cash behind shorts is twice what they were sold for.
Sessions on which nothing can happen are passed over: that is what makes it fast.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from app.domain.kernels import account as ledger
from app.domain.kernels.account import (
    AIM,
    BLOCKED,
    BOUGHT,
    BUDGET,
    CASH,
    DEBT,
    DECLARED,
    EARNED,
    ENTITLED,
    EXPOSED,
    FLOW,
    GAIN,
    HELD,
    LAST,
    LOSS,
    PEAK,
    RECEIVABLE,
    SHARES,
    SOLD,
    SPLIT,
    SPLIT_OUT,
    STOP,
    TARGET,
    TRAIL,
    USED_AT,
    WORKING,
    Flags,
    Floats,
    Plan,
    Room,
    Sides,
    Table,
    Terms,
    World,
    close_position,
    end_trip,
    fill_all,
    set_working,
)  # fmt: skip
from app.domain.kernels.compiled import Direct, compiled_bare, plain

compiled = compiled_bare(ledger)

FIRST: Final = plain(0)
"""The session and the event that a run begins with."""


@compiled
def trade(world: World, terms: Terms, plan: Plan, room: Room) -> None:
    """Runs the account over all sessions."""
    account, book = room.account, room.book
    account[:], book[:], room.claims[:] = 0.0, 0.0, 0.0
    account[CASH] = terms.cash
    book[USED_AT] = -1.0
    _find_busy(world, plan.side, room.busy)
    t = event = FIRST
    while t < len(world.close):
        quiet = _quiet_until(world, room, t)
        if quiet > t:
            _mark(world, room, t, quiet)
            t = quiet
            continue
        event = _begin(world, terms, room, t, event)
        if account[WORKING] > 0.0 and terms.same_close == 0.0:
            fill_all(world, terms, room, t, world.open)
        if account[HELD] > 0.0 and _guarded(room.exits):
            for k in range(world.close.shape[1]):
                if book[SHARES, k] != 0.0:
                    _protect(world, terms, room, t, k)
        _mark(world, room, t, t + 1)
        _decide(world, plan, room, t)
        if account[WORKING] > 0.0 and terms.same_close != 0.0:
            held = account[HELD] > 0.0
            fill_all(world, terms, room, t, world.close)
            account[EXPOSED] -= held
            _mark(world, room, t, t + 1)
        t += 1


@compiled
def _find_busy(world: World, side: Sides, busy: Flags) -> None:
    """Marks the sessions on which a side changes, an event falls or interest is due."""
    width = side.shape[1]
    busy[0] = 1
    if width == 1:
        one = side.reshape(len(busy))
        for t in range(1, len(busy)):
            busy[t] = one[t] != one[t - 1]
    else:
        for t in range(1, len(busy)):
            changed = False
            for k in range(width):
                changed |= side[t, k] != side[t - 1, k]
            busy[t] = changed
    for bar in world.event_bar:
        busy[bar] = 1
    for t in range(len(world.interest)):
        if world.interest[t] != 0.0 or world.borrowing[t] != 0.0:
            busy[t] = 1


@compiled
def _quiet_until(world: World, room: Room, t: int) -> int:
    """The first session from t on, on which something may happen."""
    busy, n = room.busy, len(room.busy)
    if room.account[WORKING] > 0.0:
        return t
    if room.account[HELD] == 0.0 or not _guarded(room.exits):
        while t < n and busy[t] == 0:
            t += 1
        return t
    if world.close.shape[1] > 1 or room.book[SHARES, 0] < 0.0:
        return t
    return _watch(world, room, t)


@compiled
def _guarded(exits: Floats) -> bool:
    """Whether there is a stop, a target or a trailing stop."""
    return not (np.isnan(exits[0]) and np.isnan(exits[1]) and np.isnan(exits[2]))


@compiled
def _watch(world: World, room: Room, t: int) -> int:
    """`_quiet_until` for one instrument held long: nothing but looks at its stop and target."""
    busy, n, book = room.busy, len(room.busy), room.book
    low, high = world.low.reshape(n), world.high.reshape(n)
    loss, gain, peak, keep = book[LOSS, 0], book[GAIN, 0], book[PEAK, 0], 1.0 - room.exits[2]
    while t < n and busy[t] == 0:
        if low[t] <= loss or low[t] <= peak * keep or high[t] >= gain:
            break
        if high[t] > peak:  # noqa: PLR1730 - NaN is no high
            peak = high[t]
        t += 1
    book[PEAK, 0] = peak
    return t


@compiled
def _mark(world: World, room: Room, start: int, stop: int) -> None:
    """Writes equity at the closes of start..stop; an instrument without a close keeps its last."""
    account, book, equity, close = room.account, room.book, room.equity, world.close
    cash = account[CASH] + account[RECEIVABLE]
    if account[HELD] == 0.0:
        equity[start:stop] = cash
        return
    account[EXPOSED] += stop - start
    if close.shape[1] == 1:
        one, shares, last = close.reshape(len(equity)), book[SHARES, 0], book[LAST, 0]
        for t in range(start, stop):
            last = last if np.isnan(one[t]) else one[t]
            equity[t] = cash + shares * last
        book[LAST, 0] = last
        return
    for t in range(start, stop):
        value = cash
        for k in range(close.shape[1]):
            if book[SHARES, k] != 0.0:
                if close[t, k] == close[t, k]:
                    book[LAST, k] = close[t, k]
                value += book[SHARES, k] * book[LAST, k]
        equity[t] = value


@compiled
def _begin(world: World, terms: Terms, room: Room, t: int, event: int) -> int:
    """Interest and events before the open; the number of the next event."""
    account, book = room.account, room.book
    if len(world.interest):
        _accrue(world, account, book, t)
    while event < len(world.event_bar) and world.event_bar[event] == t:
        k, kind = world.event_column[event], world.event_kind[event]
        value, claim = world.event_value[event], world.event_claim[event]
        if kind == SPLIT:
            if book[SHARES, k] != 0.0:
                _split(terms, room, t, k, value)
        elif kind == ENTITLED:
            due = book[SHARES, k] * value
            if due > 0.0:
                due *= 1.0 - terms.withheld
            room.claims[claim] = due
            book[FLOW, k] += due
        elif kind == DECLARED:
            account[RECEIVABLE] += room.claims[claim]
        else:
            account[RECEIVABLE] -= room.claims[claim]
            account[CASH] += room.claims[claim]
        event += 1
    return event


@compiled
def _accrue(world: World, account: Floats, book: Table, t: int) -> None:
    """Interest of the days before t: on cash of one's own, and for what was borrowed to sell."""
    account[CASH] += world.interest[t] * max(0.0, account[CASH] - account[BLOCKED])
    if account[BLOCKED] > 0.0:
        for k in range(book.shape[1]):
            if book[SHARES, k] < 0.0:
                due = -book[SHARES, k] * book[LAST, k] * world.borrowing[t]
                account[CASH] -= due
                book[FLOW, k] -= due


@compiled
def _split(terms: Terms, room: Room, t: int, k: int, ratio: float) -> None:
    """One share becomes `ratio`; parts of a share are paid at the last close."""
    account, book = room.account, room.book
    for row in (LAST, LOSS, GAIN, PEAK):
        book[row, k] /= ratio
    for row in (BOUGHT, SOLD):
        book[row, k] *= ratio
    exact = book[SHARES, k] * ratio
    kept = exact
    if terms.step > 0.0:
        kept = np.sign(exact) * np.floor(abs(exact) / terms.step + 1e-9) * terms.step
    book[SHARES, k] = kept
    rest = exact - kept
    if abs(rest) > 1e-9 * abs(exact):
        account[CASH] += rest * book[LAST, k]
        book[FLOW, k] += rest * book[LAST, k]
        book[SOLD, k] += abs(rest)
        book[EARNED, k] += abs(rest) * book[LAST, k]
        freed = book[DEBT, k] * rest / exact
        book[DEBT, k] -= freed
        account[BLOCKED] -= freed
    if kept == 0.0:
        end_trip(room, t, k, np.sign(exact), SPLIT_OUT)


@compiled
def _decide(world: World, plan: Plan, room: Room, t: int) -> None:
    """At the close: an order where a side has changed."""
    account, book, side = room.account, room.book, plan.side
    for k in range(side.shape[1]):
        now = side[t, k]
        if now != (side[t - 1, k] if t > 0 else 0):
            aim = 0.0 if now < 0 and world.shortable[k] == 0 else float(now)
            book[AIM, k] = aim
            book[BUDGET, k] = plan.fraction[t, k] * room.equity[t]
            set_working(account, book, k, 1.0 if aim != np.sign(book[SHARES, k]) else 0.0)


@compiled
def _protect(world: World, terms: Terms, room: Room, t: int, k: int) -> None:
    """Stop, target and trailing stop of one holding within session t."""
    book = room.book
    at, high, low = world.open[t, k], world.high[t, k], world.low[t, k]
    if not at > 0.0 or world.volume[t, k] == 0.0:
        return
    d = np.sign(book[SHARES, k])
    worst, best = (low, high) if d > 0.0 else (high, low)
    loss, trail = book[LOSS, k], book[PEAK, k] * (1.0 - d * room.exits[2])
    why = STOP
    if not (loss - trail) * d >= 0.0 and not np.isnan(trail):
        loss, why = trail, TRAIL
    gain = book[GAIN, k]
    price = np.nan
    if (at - loss) * d <= 0.0:
        price = at
    elif (at - gain) * d >= 0.0:
        price, why = at, TARGET
    elif (worst - loss) * d <= 0.0:
        price = loss
    elif (best - gain) * d > 0.0:
        price, why = gain, TARGET
    if (best - book[PEAK, k]) * d > 0.0:
        book[PEAK, k] = best
    if not np.isnan(price):
        book[AIM, k] = 0.0
        set_working(room.account, book, k, 1.0)
        close_position(world, terms, room, t, k, price, why)


@compiled
def _trade_once(  # numba looks at named tuples in Python, which takes longer than to run
    world: tuple[Any, ...], terms: tuple[float, ...], plan: tuple[Any, ...], room: tuple[Any, ...]
) -> None:
    trade(World(*world), Terms(*terms), Plan(*plan), Room(*room))


trade_once = Direct(_trade_once)
"""`trade` for a caller in Python, who hands over the named tuples without their names."""
