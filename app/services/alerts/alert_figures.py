"""The figures that alert rules watch, by what each kind of rule looks at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from app.db.engine import EVERYONE
from app.db.models import EquityDaily
from app.domain.alerts.crossing import Seen
from app.domain.alerts.rules import (
    BELOW,
    CHANGES,
    EXTREMES,
    INDICATORS,
    LIVE,
    AlertKind,
)
from app.domain.quotes import Quote, QuoteState
from app.env import Env
from app.services.feed.live import list_quotes
from app.services.market.prices import FreshnessState, freshness, horizon
from app.services.signals.readings import Reading, list_readings

TROUBLE: Final = frozenset(
    {
        FreshnessState.LATE,
        FreshnessState.RATE_LIMITED,
        FreshnessState.PARTIAL,
        FreshnessState.QUARANTINED,
        FreshnessState.UNKNOWN,
    }
)
"""States of freshness that a rule is to tell of."""


@dataclass(frozen=True)
class Extremes:
    """The highest and lowest price of the newest so many sessions, as prices of today."""

    highs: dict[int, Decimal]
    lows: dict[int, Decimal]

    def level_of(self, kind: AlertKind, sessions: int) -> Decimal | None:
        """The level of a rule, None without bars."""
        return (self.lows if kind in BELOW else self.highs).get(sessions)


def see_quote(kind: str, quote: Quote) -> Seen | None:
    """What a quote says to a rule of LIVE kinds; None for nothing."""
    ordered = quote.state is not QuoteState.REPLAY
    if kind in CHANGES:
        change = quote.change_percent
        return None if change is None else Seen(quote.at, change, ordered=ordered)
    return Seen(quote.at, float(quote.price), ordered=ordered)


def see_reading(
    row: Row[Any], reading: Reading, at: datetime, *, ordered: bool = True
) -> Seen | None:
    """What the indicators of a session say to a rule; None for nothing."""
    if row.kind in INDICATORS:
        value = reading.indicators.get(row.measure)
        return None if value is None else Seen(at, value, ordered=ordered)
    if row.kind == AlertKind.SIGNAL_CHANGE and reading.signal is not None:
        return Seen(at, word=reading.signal.strength, ordered=ordered)
    return None


def see_replayed(row: Row[Any], reading: Reading) -> Seen | None:
    """The same of a session that is replayed: it counts as it comes."""
    return see_reading(row, reading, _midnight(reading.day), ordered=False)


async def see_now(env: Env, row: Row[Any]) -> Seen | None:
    """The newest figure that a rule would see; None when it is not known."""
    if row.kind in LIVE:
        if row.level is None and row.kind in EXTREMES:
            return None
        quotes = await list_quotes(env, [row.symbol])
        return see_quote(row.kind, quotes[row.symbol]) if row.symbol in quotes else None
    if row.kind == AlertKind.DRAWDOWN:
        return (await list_drawdowns(env, [row.portfolio_id])).get(row.portfolio_id)
    if row.kind == AlertKind.FRESHNESS:
        return (await list_troubles(env, [row.symbol])).get(row.symbol)
    readings = await list_readings(env, [row.symbol])
    if row.symbol not in readings:
        return None
    reading = readings[row.symbol]
    closed = await find_close(env, row.symbol)
    return see_reading(row, reading, closed.at if closed else _midnight(reading.day))


async def list_troubles(env: Env, symbols: Iterable[str]) -> dict[str, Seen]:
    """Whether something is wrong with the newest prices of each instrument, as 1 or 0."""
    now = env.clock.now()
    found = await freshness(env, sorted(set(symbols)))
    return {symbol: Seen(now, float(it.state in TROUBLE)) for symbol, it in found.items()}


async def list_drawdowns(env: Env, portfolios: Iterable[int]) -> dict[int, Seen]:
    """How far each portfolio lies below its highest value, in percent, on its newest day."""
    newest = (
        select(EquityDaily.portfolio_id, EquityDaily.day, EquityDaily.drawdown)
        .ext(distinct_on(EquityDaily.portfolio_id))
        .where(EquityDaily.portfolio_id.in_(set(portfolios)), EquityDaily.drawdown.is_not(None))
        .order_by(EquityDaily.portfolio_id, EquityDaily.day.desc())
    )
    async with env.db.read(uid=EVERYONE) as db:
        rows = (await db.execute(newest)).all()
    return {r.portfolio_id: Seen(_midnight(r.day), abs(r.drawdown) * 100) for r in rows}


async def list_extremes(env: Env, symbol: str, sizes: Iterable[int]) -> Extremes:
    """The extremes of the newest so many sessions, for each of these numbers."""
    wanted = sorted(set(sizes))
    params = {"symbol": symbol, "rows": max(wanted, default=0), "until": await horizon(env)}
    async with env.db.read() as db:
        rows = (await db.execute(text(_BARS), params)).all()
    known = [size for size in wanted if rows]
    return Extremes(
        {size: max(row.high for row in rows[:size]) for size in known},
        {size: min(row.low for row in rows[:size]) for size in known},
    )


@dataclass(frozen=True)
class Close:
    """The newest session of an instrument: its prices, its hours, and the close before it.

    `day_at` is the opening, `at` the close; both midnight where no session is known. `before` is
    a price of the session's own day: an earlier close is divided by a split of the day.
    """

    day_at: datetime
    at: datetime
    high: Decimal
    low: Decimal
    close: Decimal
    before: Decimal | None

    @property
    def change(self) -> float | None:
        """In percent of the close before."""
        return None if not self.before else float((self.close / self.before - 1) * 100)


async def find_close(env: Env, symbol: str) -> Close | None:
    """The newest session of an instrument that may be shown and has a price."""
    params = {"symbol": symbol, "until": await horizon(env)}
    async with env.db.read() as db:
        row = (await db.execute(text(_CLOSE), params)).one_or_none()
    if row is None:
        return None
    midnight = _midnight(row.day)
    opened, closed = row.open_at or midnight, row.close_at or midnight
    high, low = row.high or row.close, row.low or row.close
    return Close(opened, closed, high, low, row.close, row.before)


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), UTC)


_BARS: Final = """
    SELECT day, high / ratio AS high, low / ratio AS low FROM (
        SELECT b.day, coalesce(b.high, b.close) AS high, coalesce(b.low, b.close) AS low,
            coalesce((
                SELECT exp(sum(ln(s.numerator / s.denominator))) FROM split AS s
                WHERE s.symbol = b.symbol AND s.day > b.day
            ), 1) AS ratio
        FROM bar AS b
        WHERE b.symbol = :symbol AND b.close IS NOT NULL
            AND b.day <= coalesce(CAST(:until AS date), 'infinity')
        ORDER BY b.day DESC LIMIT :rows
    ) AS newest ORDER BY day DESC
"""

_CLOSE: Final = """
    SELECT b.day, b.high, b.low, b.close, e.open_at, e.close_at,
        p.close / coalesce(s.numerator / s.denominator, 1) AS before
    FROM bar AS b
    JOIN instrument AS i ON i.symbol = b.symbol
    LEFT JOIN exchange_session AS e ON e.mic = i.mic AND e.day = b.day
    LEFT JOIN split AS s ON s.symbol = b.symbol AND s.day = b.day
    LEFT JOIN LATERAL (
        SELECT close FROM bar WHERE symbol = b.symbol AND day < b.day AND close IS NOT NULL
        ORDER BY day DESC LIMIT 1
    ) AS p ON true
    WHERE b.symbol = :symbol AND b.close IS NOT NULL
        AND b.day <= coalesce(CAST(:until AS date), 'infinity')
    ORDER BY b.day DESC LIMIT 1
"""
