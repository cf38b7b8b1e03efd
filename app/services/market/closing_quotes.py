"""The quote that an instrument has by its last stored close, when no live price is known.

With the sample source it is the last close before the replayed day, marked HISTORIC. Otherwise it
is CLOSED, at the session's close; whether that is too old (STALE) is judged by the market's hours.
The instant of a rate, or of a day without known hours, is the day's midnight in UTC: nothing finer
is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, text

from app.domain.quotes import Quote, QuoteSource, QuoteState, plain
from app.domain.replay import split_close
from app.env import Env
from app.services.market.replay import replay_day


@dataclass(frozen=True)
class ClosingQuote:
    """A quote by the last stored close, and the market it belongs to."""

    quote: Quote
    mic: str


async def list_closing_quotes(env: Env, symbols: Iterable[str]) -> dict[str, ClosingQuote]:
    """By symbol; instruments that are unknown or have no close yet are left out.

    Raises:
        Unavailable: the database does not answer.
    """
    wanted = sorted(set(symbols))
    if not wanted:
        return {}
    until = await replay_day(env) or date.max
    params = {"symbols": wanted, "until": until}
    async with env.db.read() as db:
        rows = [*await db.execute(text(_BARS), params), *await db.execute(text(_RATES), params)]
    return {row.symbol: ClosingQuote(_quote(row), row.mic) for row in rows}


def _quote(row: Row[Any]) -> Quote:
    source = QuoteSource(row.source.upper())
    before = None
    if row.before is not None:
        before = plain(split_close(row.before, _ratio(row.numerators, row.denominators)))
    return Quote(
        symbol=row.symbol,
        price=plain(row.close),
        previous_close=before,
        at=row.close_at or datetime.combine(row.day, time(), UTC),
        day=row.day,
        source=source,
        state=QuoteState.HISTORIC if source.recorded else QuoteState.CLOSED,
    )


def _ratio(numerators: list[Decimal] | None, denominators: list[Decimal] | None) -> Decimal:
    """New shares for an old one over all splits between two closes."""
    ratio = Decimal(1)
    for numerator, denominator in zip(numerators or (), denominators or (), strict=True):
        ratio *= numerator / denominator
    return ratio


_BARS: Final = """
    SELECT i.symbol, i.mic, b.day, b.close, b.source, p.close AS before, e.close_at,
           s.numerators, s.denominators
    FROM instrument AS i
    JOIN LATERAL (
        SELECT day, close, source FROM bar
        WHERE symbol = i.symbol AND close IS NOT NULL AND day < :until
        ORDER BY day DESC LIMIT 1
    ) AS b ON true
    LEFT JOIN LATERAL (
        SELECT day, close FROM bar
        WHERE symbol = i.symbol AND close IS NOT NULL AND day < b.day
        ORDER BY day DESC LIMIT 1
    ) AS p ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(numerator ORDER BY day) AS numerators,
               array_agg(denominator ORDER BY day) AS denominators
        FROM split WHERE symbol = i.symbol AND day > p.day AND day <= b.day
    ) AS s ON true
    LEFT JOIN exchange_session AS e ON e.mic = i.mic AND e.day = b.day
    WHERE i.symbol = ANY(:symbols) AND i.kind <> 'FX'
"""

_RATES: Final = """
    SELECT i.symbol, i.mic, b.day, b.rate AS close, b.source, p.rate AS before,
           NULL::timestamptz AS close_at,
           NULL::numeric[] AS numerators, NULL::numeric[] AS denominators
    FROM instrument AS i
    JOIN LATERAL (
        SELECT day, rate, source FROM fx_rate
        WHERE base = substr(i.symbol, 1, 3) AND quote = substr(i.symbol, 4, 3) AND day < :until
        ORDER BY day DESC LIMIT 1
    ) AS b ON true
    LEFT JOIN LATERAL (
        SELECT rate FROM fx_rate
        WHERE base = substr(i.symbol, 1, 3) AND quote = substr(i.symbol, 4, 3) AND day < b.day
        ORDER BY day DESC LIMIT 1
    ) AS p ON true
    WHERE i.symbol = ANY(:symbols) AND i.kind = 'FX'
"""
