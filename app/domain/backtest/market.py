"""The market of a backtest as arrays: dated ticks, limits, taxes and fees of `app.domain.trading`.

Instruments of one listing share a group. Settlement is counted in the sessions of the tape, which
are continued by weekdays after the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np

from app.domain.backtest.setup import Setup
from app.domain.backtest.tape import Tape
from app.domain.kernels import account as kernel
from app.domain.kernels.account import Floats, Ints
from app.domain.market import Kind
from app.domain.trading.listings import Listing, find_listing
from app.domain.trading.settlement import settlement_days
from app.domain.trading.tables import (
    KOREAN_FUND_TICKS,
    PRICE_LIMITS,
    SEC_FEES,
    SELL_TAXES,
    SETTLEMENT_CYCLES,
    SHARE_TICKS,
    TRADING_ACTIVITY_FEES,
    WITHHOLDING,
    Market,
    Steps,
    in_force,
)
from app.errors import BadInput

Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Days = np.ndarray[tuple[int], np.dtype[np.datetime64]]

Rule = TypeVar("Rule")

DAYS_A_YEAR: Final = 365.0
_NOTHING: Final[Floats] = np.empty(0)
_NEVER: Final[Ints] = np.empty(0, dtype=np.int64)
_WIDE: Final = 8  # more bounds than any table of ticks has
_LOOKED_AT: Final = tuple(
    one.name for one in fields(Setup) if one.name not in {"costs", "sizing", "exits"}
)


class Scene(NamedTuple):
    """What the bar loop needs of a market, and what the reader is told of it."""

    world: kernel.World
    terms: kernel.Terms
    currency: str
    shortable: tuple[bool, ...]
    bare: tuple[tuple[Any, ...], tuple[float, ...]]  # world and terms, as the loops are called
    exits: Floats = _NOTHING  # of the setup: stop, target, trailing stop


def find_scene(tape: Tape, setup: Setup) -> Scene:
    """The market of these instruments under this setup; made once for a tape and a setup.

    Raises:
        BadInput: instruments of two currencies, or a session before the known market rules.
    """
    latest: tuple[Setup, Scene] | None = tape.kept.get("latest")
    if latest is not None and latest[0] is setup:
        return latest[1]
    costs = (*sorted(setup.costs.commissions.items()), setup.costs.tax_unit)
    key = (costs, *(getattr(setup, name) for name in _LOOKED_AT))
    if key not in tape.kept:
        tape.kept[key] = _make_scene(tape, setup)
    scene: Scene = tape.kept[key]._replace(exits=np.array(setup.exits.numbers))
    tape.kept["latest"] = (setup, scene)
    return scene


def _make_scene(tape: Tape, setup: Setup) -> Scene:
    kinds = (Kind.ETF if symbol in tape.funds else Kind.EQUITY for symbol in tape.symbols)
    listings = [find_listing(*each) for each in zip(tape.symbols, kinds, strict=True)]
    currencies = sorted({listing.currency for listing in listings})
    if len(currencies) > 1:
        message = "The instruments are in %(currencies)s; one account holds one currency"
        raise BadInput(message, field="symbols", currencies=" and ".join(currencies))
    groups = list(dict.fromkeys(listings))
    group = np.array([groups.index(listing) for listing in listings])
    days: Days = tape.days.to_numpy()
    tables: list[Steps] = []
    dated = np.stack([_dated(listing, days, setup, tables) for listing in groups], axis=1)
    changes = np.append([True], (dated[1:] != dated[:-1]).any(axis=(1, 2)))
    period = (np.cumsum(changes) - 1).astype(np.int16)
    bounds, ticks = _tick_arrays(tables)
    lower = upper = np.empty((0, len(tape.symbols)))
    if setup.limits and any(listing.market is not Market.US for listing in groups):
        lower, upper = _limits(tape, listings, days)
    shortable = tuple(setup.shorts and listing.market is Market.US for listing in listings)
    opened, high, low, close, volume = (
        np.ascontiguousarray(tape.prices[n]) for n in ("open", "high", "low", "close", "volume")
    )
    world = kernel.World(
        *(opened, high, low, close, volume, lower, upper),
        *_event_arrays(tape),
        *(period, dated[changes], group, bounds, ticks),
        np.array(shortable, dtype=np.uint8),
        *_accruals(days, setup),
    )
    arrays: tuple[Any, ...] = tuple(world)
    for array, (name, kind) in zip(arrays, kernel.LAYOUT.items(), strict=True):
        if array.dtype != kind or not array.flags.c_contiguous:
            raise TypeError(f"{name} is not an array as the loops are compiled for")
    terms = _terms(setup, currencies[0])
    return Scene(world, terms, currencies[0], shortable, (arrays, tuple(terms)))


def _terms(setup: Setup, currency: str) -> kernel.Terms:
    commission = setup.costs.commissions[currency]
    won = currency == "KRW"
    return kernel.Terms(
        cash=float(setup.cash),
        commission=float(commission.rate),
        least=float(commission.least),
        unit=(1.0 if won else 0.01) if setup.rounded else 0.0,
        half=0.0 if won else 0.5,
        tax_unit=float(setup.costs.tax_unit) if setup.rounded else 0.0,
        slippage=setup.slippage,
        cap=np.inf if setup.volume_cap is None else setup.volume_cap,
        step=1.0 if setup.whole else 0.0,
        withheld=float(WITHHOLDING[currency]) if setup.taxed else 0.0,
        same_close=float(setup.fill == "SAME_CLOSE"),
    )


def _dated(listing: Listing, days: Days, setup: Setup, tables: list[Steps]) -> Table:
    """Sessions x 6: taxes, levy, fee per share and its most, number of the table of ticks."""
    made = np.zeros((len(days), 6))
    made[:, kernel.PER_SHARE_MOST] = np.inf
    made[:, kernel.STEPS] = -1.0
    if setup.taxed and listing.market is Market.US:
        made[:, kernel.LEVY] = _by_day(SEC_FEES, days, float)
        fees = TRADING_ACTIVITY_FEES
        made[:, kernel.PER_SHARE] = _by_day(fees, days, lambda fee: float(fee.per_share))
        made[:, kernel.PER_SHARE_MOST] = _by_day(fees, days, lambda fee: float(fee.most))
    elif setup.taxed and not listing.is_fund:
        taxes, settled = SELL_TAXES[listing.market], settles(listing.market, days)
        made[:, kernel.TAX] = _by_day(taxes, settled, lambda tax: float(tax.transaction))
        made[:, kernel.RURAL] = _by_day(taxes, settled, lambda tax: float(tax.rural))
    if setup.ticks:

        def number(steps: Steps) -> float:
            if steps not in tables:
                tables.append(steps)
            return float(tables.index(steps))

        made[:, kernel.STEPS] = _by_day(_tick_table(listing), days, number)
    return made


def _by_day(
    table: Sequence[tuple[date, Rule]], days: Days, value: Callable[[Rule], float]
) -> Floats:
    """`in_force` for days in order: the value of the rule of each."""
    in_force(table, days[0].item())
    starts = np.array([first for first, _ in table], dtype=days.dtype)
    counts = np.diff(np.searchsorted(days, starts), append=len(days))
    rules = zip(table, counts.tolist(), strict=True)
    return np.repeat([value(rule) if count else np.nan for (_, rule), count in rules], counts)


def settles(market: Market, days: Days) -> Days:
    """When trades of each session settle."""
    after = days[-1] + np.arange(1, 15)
    known = np.concatenate([days, after[np.is_busday(after)]])
    if market is Market.US:
        known = np.array(settlement_days(market, known.tolist()), dtype=days.dtype)
    places = np.searchsorted(known, days, side="right")
    cycles = _by_day(SETTLEMENT_CYCLES[market], days, float).astype(np.int64)
    ends: Days = known[places + cycles - 1]
    return ends


def _tick_table(listing: Listing) -> Sequence[tuple[date, Steps]]:
    if listing.is_fund and listing.market is not Market.US:
        return KOREAN_FUND_TICKS
    return SHARE_TICKS[listing.market]


def _tick_arrays(tables: list[Steps]) -> tuple[Table, Table]:
    bounds = np.full((max(len(tables), 1), _WIDE), np.inf)
    ticks = np.ones((max(len(tables), 1), _WIDE + 1))
    for row, steps in enumerate(tables):
        bounds[row, : len(steps.bounds)] = [float(bound) for bound in steps.bounds]
        ticks[row, : len(steps.ticks)] = [
            float(t * Decimal(int(kernel.SCALE))) for t in steps.ticks
        ]
    return bounds, ticks


def _limits(tape: Tape, listings: list[Listing], days: Days) -> tuple[Table, Table]:
    """Price limits from the close before; NaN on the first day and on days of splits."""
    close = tape.prices["close"]
    lower, upper = np.full(close.shape, np.nan), np.full(close.shape, np.nan)
    changed = np.zeros(close.shape, dtype=bool)
    for split in tape.splits:
        changed[split.bar, split.column] = True
    rows = np.arange(len(days))
    for k, listing in enumerate(listings):
        if listing.market is Market.US:
            continue
        seen = np.maximum.accumulate(np.where(np.isfinite(close[:, k]), rows, -1))[:-1]
        base = np.concatenate(([np.nan], np.where(seen >= 0, close[seen, k], np.nan)))
        base[changed[:, k]] = np.nan
        part = _by_day(PRICE_LIMITS[listing.market], days, float) * abs(float(listing.multiple))
        lower[:, k], upper[:, k] = _limit_rows(listing, days, base, part)
    return lower, upper


def _limit_rows(listing: Listing, days: Days, base: Floats, part: Floats) -> tuple[Floats, Floats]:
    """The rule of `trading.limits` on arrays: width cut to the base's tick, limits to theirs."""
    table = _tick_table(listing)
    steps = _by_day(table, days, lambda one: float([s for _, s in table].index(one)))
    rules = [rule for _, rule in table]
    width = _floor(base * part, _ticks_at(rules, steps, base))
    high, low = base + width, base - width
    ticks = _ticks_at(rules, steps, low)
    return np.maximum(_floor(low, ticks), ticks), _floor(high, _ticks_at(rules, steps, high))


def _ticks_at(rules: list[Steps], steps: Floats, prices: Floats) -> Floats:
    """The tick of each price by the rule of that number."""
    made: Floats = np.full(len(prices), np.nan)
    for number, one in enumerate(rules):
        chosen = steps == number
        bounds = np.array([float(bound) for bound in one.bounds])
        ticks = np.array([float(tick) for tick in one.ticks])
        made[chosen] = ticks[
            np.searchsorted(bounds, prices[chosen], side="right").clip(0, len(ticks) - 1)
        ]
    return made


def _floor(prices: Floats, ticks: Floats) -> Floats:
    return np.floor(prices / ticks + 1e-7) * ticks


def _event_arrays(tape: Tape) -> tuple[Ints, Ints, Ints, Ints, Floats]:
    if not tape.splits and not tape.dividends:
        return _NEVER, _NEVER, _NEVER, _NEVER, _NOTHING
    rows = [(s.bar, kernel.SPLIT, s.column, 0, s.ratio) for s in tape.splits]
    for number, one in enumerate(tape.dividends):
        rows += [
            (bar, kind, one.column, number, one.amount)
            for bar, kind in (
                (one.bar, kernel.ENTITLED),
                (one.declared, kernel.DECLARED),
                (one.paid, kernel.PAID),
            )
            if bar < len(tape.days)
        ]
    rows.sort()
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    bar, kind, column, claim = (
        np.ascontiguousarray(table[:, i].astype(np.int64)) for i in range(4)
    )
    return bar, column, kind, claim, np.ascontiguousarray(table[:, 4])


def _accruals(days: Days, setup: Setup) -> tuple[Floats, Floats]:
    """Interest for the calendar days up to each session; nothing where there is none."""
    if not setup.interest and not setup.borrowing:
        return _NOTHING, _NOTHING
    numbers: Ints = days.astype(np.int64)
    gaps: Floats = np.diff(numbers, prepend=numbers[0]) / DAYS_A_YEAR
    return setup.interest * gaps, setup.borrowing * gaps
