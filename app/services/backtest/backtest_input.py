"""What somebody wants to have tested, checked against what is stored, before a job is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlalchemy import text

from app.domain.backtest.grid import EXITS, Grid, Plan
from app.domain.backtest.parameters import StrategyInfo, Value
from app.domain.backtest.request import Mode, Request, check_choice
from app.domain.backtest.setup import Setup
from app.domain.trading.listings import find_listing
from app.env import Env
from app.errors import BadInput
from app.services.market.instruments import check_symbol, find_instruments
from app.services.market.prices import horizon
from app.services.owned import check_name

MOST_SYMBOLS: Final = 500
MOST_CELLS: Final = 1_000_000
MOST_SLOW_CELLS: Final = 20_000
COMPILED_PART: Final = 150_000_000  # cells x sessions: about a second
SLOW_PART: Final = 4_000_000  # cells x sessions x instruments: some seconds


@dataclass(frozen=True)
class Wanted:
    """What was asked for; days that are not given are the first and the last stored ones."""

    strategy: str
    symbols: tuple[str, ...]
    values: Mapping[str, Value] = field(default_factory=dict)
    first_day: date | None = None
    last_day: date | None = None
    setup: Setup = field(default_factory=Setup)
    axes: Grid = field(default_factory=dict)
    plan: Plan | None = None
    benchmark: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Checked:
    """A request that can be run, its strategy's name, into how many jobs its cells are cut."""

    request: Request
    title: str
    name: str | None
    parts: int
    part_size: int


async def check_wanted(env: Env, info: StrategyInfo, wanted: Wanted) -> Checked:
    """The request, complete.

    Raises:
        BadInput: something that cannot be run, with its field.
    """
    name = check_name(wanted.name) if wanted.name and wanted.name.strip() else None
    check_choice(info, wanted.values, wanted.axes)
    symbols = await _check_symbols(env, wanted.symbols)
    benchmark = await _check_benchmark(env, wanted.benchmark)
    first, last, sessions = await _find_span(env, symbols, wanted)
    request = Request(
        wanted.strategy,
        symbols,
        first,
        last,
        wanted.values,
        wanted.setup,
        wanted.axes,
        wanted.plan,
        benchmark,
    )
    _check_plan(request, sessions)
    parts, size = _cut(request, sessions, compiled=info.compiled and len(symbols) == 1)
    return Checked(request, info.name, name, parts, size)


async def _check_symbols(env: Env, given: tuple[str, ...]) -> tuple[str, ...]:
    symbols = tuple(sorted({check_symbol(symbol) for symbol in given}))
    if not 1 <= len(symbols) <= MOST_SYMBOLS:
        message = "symbols has %(value)d entries; it must be from 1 to %(bound)d"
        raise BadInput(message, field="symbols", value=len(symbols), bound=MOST_SYMBOLS)
    known = await find_instruments(env, symbols)
    for symbol in symbols:
        if symbol not in known or known[symbol].kind in {"FX", "INDEX"}:
            message = "symbols has %(value).40r, which is no share or fund that is watched here"
            raise BadInput(message, field="symbols", value=symbol)
    currencies = sorted({find_listing(symbol).currency for symbol in symbols})
    if len(currencies) > 1:
        message = "The instruments are in %(currencies)s; one account holds one currency"
        raise BadInput(message, field="symbols", currencies=", ".join(currencies))
    return symbols


async def _check_benchmark(env: Env, given: str | None) -> str | None:
    if not given or not given.strip():
        return None
    symbol = check_symbol(given)
    if symbol not in await find_instruments(env, [symbol]):
        message = "benchmark is %(value).40r, which is no instrument that is watched here"
        raise BadInput(message, field="benchmark", value=symbol)
    return symbol


async def _find_span(env: Env, symbols: tuple[str, ...], wanted: Wanted) -> tuple[date, date, int]:
    """First and last day, and how many sessions lie between them."""
    newest = await horizon(env) or date.max
    until = min(wanted.last_day or newest, newest)
    first = wanted.first_day or date.min
    if first > until:
        message = "from is %(start)s and to is %(end)s: from must not be after to"
        raise BadInput(message, field="from", start=first, end=until)
    params = {"symbols": list(symbols), "first": first, "until": until}
    async with env.db.read() as db:
        counted = {row.symbol: row for row in await db.execute(text(_SPAN), params)}
    for symbol in symbols:
        if symbol not in counted or counted[symbol].bars < 2:
            raise await _no_prices(env, symbol)
    rows = counted.values()
    last = max(row.last_day for row in rows)
    begin = min(row.first_day for row in rows)
    return begin, min(last, until), max(row.bars for row in rows)


async def _no_prices(env: Env, symbol: str) -> BadInput:
    """Says which prices there are of one that has not two of them on the days asked for."""
    params = {"symbols": [symbol], "first": date.min, "until": date.max}
    async with env.db.read() as db:
        row = (await db.execute(text(_SPAN), params)).one_or_none()
    if row is None:
        return BadInput("%(symbol)s has no prices yet", field="symbols", symbol=symbol)
    message = (
        "%(symbol)s has prices from %(start)s to %(end)s: a test needs two of its sessions at least"
    )
    span = {"start": row.first_day, "end": row.last_day}
    return BadInput(message, field="symbols", symbol=symbol, **span)


def _check_plan(request: Request, sessions: int) -> None:
    plan = request.plan
    if plan is None:
        return
    for name, value, low in (
        ("train", plan.train, 2), ("test", plan.test, 2), ("embargo", plan.embargo, 0),
    ):  # fmt: skip
        if value < low:
            message = "%(name)s is %(value)s; it must be at least %(low)s"
            raise BadInput(message, field=name, name=name, value=value, low=low)
    needed = plan.train + plan.embargo + plan.test
    if sessions < needed:
        message = "There are %(sessions)s sessions; a fold of this plan needs %(needed)s"
        raise BadInput(message, field="walkForward", sessions=sessions, needed=needed)
    for name in EXITS:
        if name in request.axes:
            message = "%(name)s cannot be chosen anew while a position is open: give it one value"
            raise BadInput(message, field=name, name=name)


def _cut(request: Request, sessions: int, *, compiled: bool) -> tuple[int, int]:
    """How many parts the cells of a sweep make, and how many cells a part has."""
    most = MOST_CELLS if compiled else MOST_SLOW_CELLS
    if request.cells > most:
        message = "The grid has %(count)s cells; %(most)s are possible"
        raise BadInput(message, field="sweep", count=request.cells, most=most)
    if request.mode is not Mode.SWEEP:
        return 0, 0
    work = COMPILED_PART if compiled else SLOW_PART // len(request.symbols)
    size = max(1, work // sessions)
    return -(-request.cells // size), size


_SPAN: Final = """
    SELECT symbol, count(*) AS bars, min(day) AS first_day, max(day) AS last_day FROM bar
    WHERE symbol = ANY(:symbols) AND day >= :first AND day <= :until AND close IS NOT NULL
    GROUP BY symbol
"""
