"""Stored prices for readers: bars as traded, events, rates, sparklines, and how fresh they are.

With the sample source everything that is read without an end stops before the day that is being
replayed (`horizon`). A currency pair has closes only; they are the rates of `fx_rate`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from sqlalchemy import Row, text

from app.domain.replay import last_shown
from app.domain.sessions import LAG
from app.env import Env
from app.errors import BadInput
from app.services.market.markets import expected_days
from app.services.market.replay import replay_day
from app.services.paging import Page, check_first, cut_page, make_cursor, read_cursor
from app.services.settings import get_source

MAX_SPARKLINE: Final = 260
GRACE: Final = timedelta(minutes=10)
"""How long a bar may be missing, after it could be there, before it is called late."""

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
Item = TypeVar("Item")
_RATE: Final = Context(prec=16)


@dataclass(frozen=True)
class BarRow:
    """One session as traded; what is not known is None (a rate has a close alone)."""

    day: date
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: int | None


@dataclass(frozen=True)
class SplitRow:
    """`numerator` new shares for `denominator` old ones, from `day` on."""

    day: date
    numerator: Decimal
    denominator: Decimal


@dataclass(frozen=True)
class DividendRow:
    """Cash per share as traded, on its ex-date."""

    day: date
    amount: Decimal


@dataclass(frozen=True)
class FxRateRow:
    """`rate` units of `quote` for one unit of `base` on that day."""

    base: str
    quote: str
    day: date
    rate: Decimal
    source: str


class FreshnessState(StrEnum):
    """How the newest stored day of an instrument relates to the day that should be there.

    HALTED: it is there, without trade. PARTIAL and QUARANTINED: the source's row of that day is
    incomplete, or is not believed.
    """

    ON_TIME = "ON_TIME"
    LATE = "LATE"
    HOLIDAY = "HOLIDAY"
    HALTED = "HALTED"
    RATE_LIMITED = "RATE_LIMITED"
    PARTIAL = "PARTIAL"
    QUARANTINED = "QUARANTINED"
    HISTORIC = "HISTORIC"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Freshness:
    """`last_day` is the newest day with a price, `expected_day` None where nothing is expected.

    `detail` says what went wrong last and `cause` names it: the outcome of a collection, or the
    reason why the row of the day is held.
    """

    state: FreshnessState
    last_day: date | None
    expected_day: date | None
    detail: str | None = None
    cause: str | None = None


async def horizon(env: Env) -> date | None:
    """The last day that may be shown, None when that is simply the newest."""
    return last_shown(await replay_day(env))


async def list_bars(  # noqa: PLR0913 - a span and a page
    env: Env,
    symbol: str,
    *,
    start: date | None = None,
    end: date | None = None,
    first: int = 100,
    after: str | None = None,
) -> Page[BarRow]:
    """Bars from `start` to `end`, both included, in order of day.

    Raises:
        BadInput: the span is turned round, `first` is not from 1 to 200, a foreign cursor.
    """
    check_first(first)
    params = await _span(env, symbol, start, end)
    if after is not None:
        params["start"] = max(params["start"], _day_of(after) + timedelta(days=1))
    query = text(f"{_BARS} ORDER BY day LIMIT :rows")
    async with env.db.read() as db:
        rows = [BarRow(*row) for row in await db.execute(query, {**params, "rows": first + 1})]
    return cut_page(rows, [make_cursor(row.day.isoformat()) for row in rows], first)


async def count_bars(
    env: Env, symbol: str, *, start: date | None = None, end: date | None = None
) -> int:
    """How many bars `list_bars` has on all pages.

    Raises:
        BadInput: the span is turned round.
    """
    params = await _span(env, symbol, start, end)
    async with env.db.read() as db:
        return int(await db.scalar(text(f"SELECT count(*) FROM ({_BARS}) AS bars"), params) or 0)


async def list_splits(env: Env, symbols: Sequence[str]) -> dict[str, list[SplitRow]]:
    """The splits of each instrument in order of day; an empty list where there are none."""
    rows = await _events(env, _SPLITS, symbols)
    return _grouped(
        symbols, ((row.symbol, SplitRow(row.day, row.numerator, row.denominator)) for row in rows)
    )


async def list_dividends(env: Env, symbols: Sequence[str]) -> dict[str, list[DividendRow]]:
    """The dividends of each instrument in order of day; an empty list where there are none."""
    rows = await _events(env, _DIVIDENDS, symbols)
    return _grouped(symbols, ((row.symbol, DividendRow(row.day, row.amount)) for row in rows))


async def list_sparklines(env: Env, symbols: Sequence[str], n: int = 30) -> dict[str, list[float]]:
    """The last `n` closes of each instrument, split-adjusted, the newest last; floats, for drawing.

    Raises:
        BadInput: `n` is not from 1 to 260.
    """
    params = {"symbols": list(symbols), "n": check_first(n, MAX_SPARKLINE)}
    params["until"] = await horizon(env) or date.max
    async with env.db.read() as db:
        rows = (await db.execute(text(_SPARKLINES), params)).all()
    return _grouped(symbols, ((row.symbol, row.close) for row in rows))


async def find_fx_rate(env: Env, base: str, quote: str, on: date | None = None) -> FxRateRow | None:
    """The newest rate on or before a day, from the pair turned round where only that is stored.

    None when there is none: never a rate of 1. A turned rate has 16 significant digits.

    Raises:
        BadInput: not two different currency codes.
    """
    for field, code in (("base", base), ("quote", quote)):
        if not _CURRENCY.fullmatch(code):
            msg = "%(name)s is %(code).20r; it must be a currency code, such as USD"
            raise BadInput(msg, field=field, name=field, code=code)
    if base == quote:
        raise BadInput("base and quote are both %(code)s", field="quote", code=quote)
    params = {"base": base, "quote": quote, "on": on or await horizon(env) or date.max}
    async with env.db.read() as db:
        row = (await db.execute(text(_RATES), params)).first()
    if row is None:
        return None
    rate = row.rate if row.base == base else _RATE.divide(Decimal(1), row.rate)
    return FxRateRow(base, quote, row.day, rate, row.source)


async def freshness(env: Env, symbols: Sequence[str]) -> dict[str, Freshness]:
    """How fresh each instrument is; unknown symbols are left out."""
    if not symbols:
        return {}
    now = env.clock.now()
    source = await get_source(env)
    until = await horizon(env)
    expected = await expected_days(env, LAG + GRACE) if source == "yahoo" else {}
    params = {"symbols": list(symbols), "now": now, "until": until or date.max}
    async with env.db.read() as db:
        rows = (await db.execute(text(_FRESHNESS), params)).all()
    return {
        row.symbol: _judge(row, expected.get(row.mic), historic=source != "yahoo") for row in rows
    }


def _judge(row: Row[Any], expected: date | None, *, historic: bool) -> Freshness:
    """A pure function of one row and the day that should be there."""
    state, detail, cause = FreshnessState.ON_TIME, row.problem_detail, row.problem
    held = row.held_day is not None and (expected is None or row.held_day >= expected)
    if historic:
        state, detail, cause = FreshnessState.HISTORIC, None, None
    elif held and (row.newest is None or row.newest < row.held_day):
        partial = row.held_reason == "INCOMPLETE"
        state = FreshnessState.PARTIAL if partial else FreshnessState.QUARANTINED
        detail, cause = row.held_detail, row.held_reason
    elif expected is None or (row.newest is None and row.problem is None):
        state = FreshnessState.UNKNOWN
    elif row.newest is None or row.newest < expected:
        limited = row.problem == "RATE_LIMITED"
        state = FreshnessState.RATE_LIMITED if limited else FreshnessState.LATE
    elif row.newest != row.last_day:
        state = FreshnessState.HALTED
    elif row.closed_today:
        state = FreshnessState.HOLIDAY
    return Freshness(state, row.last_day, expected, detail, cause)


async def _span(env: Env, symbol: str, start: date | None, end: date | None) -> dict[str, Any]:
    if start is not None and end is not None and start > end:
        msg = "from is %(start)s and to is %(end)s: from must not be after to"
        raise BadInput(msg, field="from", start=start, end=end)
    until = end or await horizon(env) or date.max
    return {"symbol": symbol.strip().upper(), "start": start or date.min, "until": until}


def _day_of(cursor: str) -> date:
    (day,) = read_cursor(cursor, str)
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise BadInput("after is no cursor of these bars", field="after") from None


async def _events(env: Env, query: str, symbols: Sequence[str]) -> Sequence[Row[Any]]:
    """Events up to the day that is replayed: that day's prices are already without them."""
    params = {"symbols": list(symbols), "until": await replay_day(env) or date.max}
    async with env.db.read() as db:
        return (await db.execute(text(query), params)).all()


def _grouped(symbols: Iterable[str], pairs: Iterable[tuple[str, Item]]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = {symbol: [] for symbol in symbols}
    for symbol, item in pairs:
        groups[symbol].append(item)
    return groups


_BARS: Final = """
    SELECT day, trim_scale(open), trim_scale(high), trim_scale(low), trim_scale(close), volume
    FROM bar WHERE symbol = :symbol AND day >= :start AND day <= :until
    UNION ALL
    SELECT day, NULL, NULL, NULL, trim_scale(rate), NULL
    FROM fx_rate
    WHERE :symbol LIKE '______=X' AND base = substr(:symbol, 1, 3) AND quote = substr(:symbol, 4, 3)
    AND day >= :start AND day <= :until
"""

_SPLITS: Final = """
    SELECT symbol, day, trim_scale(numerator) AS numerator, trim_scale(denominator) AS denominator
    FROM split
    WHERE symbol = ANY(:symbols) AND day <= :until ORDER BY symbol, day
"""

_DIVIDENDS: Final = """
    SELECT symbol, day, trim_scale(amount) AS amount FROM dividend
    WHERE symbol = ANY(:symbols) AND day <= :until ORDER BY symbol, day
"""

_RATES: Final = """
    SELECT base, day, trim_scale(rate) AS rate, source FROM fx_rate
    WHERE ((base = :base AND quote = :quote) OR (base = :quote AND quote = :base)) AND day <= :on
    ORDER BY day DESC, base = :base DESC LIMIT 1
"""

_SPARKLINES: Final = """
    SELECT i.symbol, b.day, (b.close / b.factor)::float8 AS close
    FROM instrument AS i
    JOIN LATERAL (
        SELECT day, close, (
            SELECT coalesce(exp(sum(ln(numerator / denominator))), 1) FROM split
            WHERE symbol = i.symbol AND day > bar.day
        ) AS factor
        FROM bar
        WHERE symbol = i.symbol AND close IS NOT NULL AND day <= :until
        ORDER BY day DESC LIMIT :n
    ) AS b ON true
    WHERE i.symbol = ANY(:symbols) AND i.kind <> 'FX'
    UNION ALL
    SELECT i.symbol, r.day, r.rate::float8
    FROM instrument AS i
    JOIN LATERAL (
        SELECT day, rate FROM fx_rate
        WHERE base = substr(i.symbol, 1, 3) AND quote = substr(i.symbol, 4, 3) AND day <= :until
        ORDER BY day DESC LIMIT :n
    ) AS r ON true
    WHERE i.symbol = ANY(:symbols) AND i.kind = 'FX'
    ORDER BY symbol, day
"""

_FRESHNESS: Final = """
    SELECT i.symbol, i.mic, i.problem, i.problem_detail,
        CASE WHEN i.kind = 'FX' THEN (
            SELECT max(day) FROM fx_rate
            WHERE base = substr(i.symbol, 1, 3) AND quote = substr(i.symbol, 4, 3) AND day <= :until
        ) ELSE (
            SELECT max(day) FROM bar
            WHERE symbol = i.symbol AND close IS NOT NULL AND day <= :until
        ) END AS last_day,
        CASE WHEN i.kind = 'FX' THEN (
            SELECT max(day) FROM fx_rate
            WHERE base = substr(i.symbol, 1, 3) AND quote = substr(i.symbol, 4, 3) AND day <= :until
        ) ELSE (SELECT max(day) FROM bar WHERE symbol = i.symbol AND day <= :until) END AS newest,
        held.day AS held_day, held.reason AS held_reason, held.detail AS held_detail,
        i.kind <> 'FX' AND extract(isodow FROM local.day) < 6 AND NOT EXISTS (
            SELECT FROM exchange_session WHERE mic = i.mic AND day = local.day
        ) AS closed_today
    FROM instrument AS i
    JOIN exchange AS x ON x.mic = i.mic
    CROSS JOIN LATERAL (
        SELECT (CAST(:now AS timestamptz) AT TIME ZONE x.time_zone)::date AS day
    ) AS local
    LEFT JOIN LATERAL (
        SELECT day, reason, detail FROM quarantine
        WHERE symbol = i.symbol AND kind = 'BAR' AND state = 'HELD'
        ORDER BY day DESC LIMIT 1
    ) AS held ON true
    WHERE i.symbol = ANY(:symbols)
"""
