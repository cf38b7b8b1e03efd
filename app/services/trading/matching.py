"""Matching: what the market does to the orders that wait.

- `fill_orders`: new quotes, each against the orders that were placed before its own instant.
- `fill_at_closes`: the bar of a session that is over, for whom no live quote has come. An order
  that waited before the open meets the whole bar; one that was placed later knows its close only.
- `expire_orders`: orders of the day whose session is over, once its bar has been seen.

Each order is carried out by itself (`carrying_out`); doing any of it twice, or two workers doing it
at once, fills once.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, select, text

from app.db.engine import EVERYONE
from app.db.models import Instrument, Order, Portfolio
from app.domain.market import Kind
from app.domain.quotes import Quote, QuoteSource, QuoteState, plain
from app.domain.replay import split_close
from app.domain.trading.fills import Conditions, Price, PriceBar
from app.domain.trading.limits import price_limits
from app.domain.trading.listings import find_listing
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.errors import BadInput, Conflict, Unavailable
from app.services.feed.live import list_published
from app.services.portfolio.booking import When
from app.services.portfolio.order_market import find_settlement, read_present
from app.services.trading.carrying_out import WAITING, Traded, carry_out, expire, hold_waiting

MATCHED: Final = "sise:matched"
"""Hash of the bus: of each symbol the day and the instant of the last quote that met its orders."""

VOLUME_PART: Final = Decimal("0.1")
"""What one order may take of the volume of a bar, as in backtests."""

GRACE: Final = timedelta(minutes=30)
"""From the close until the prices of a session have come in, the delayed ones too."""

LONGEST_WAIT: Final = timedelta(hours=6)
"""How long an order of the day waits for its session's bar."""

LOG: Final = logging.getLogger(__name__)


async def match_orders(env: Env) -> int:
    """One look at the market for all orders that wait; how many fills it made.

    Raises:
        Unavailable: the database does not answer. Without the bus the closes still count.
    """
    symbols = await _list_symbols(env)
    if not symbols:
        return 0
    filled = 0
    with suppress(Unavailable):
        filled = await fill_orders(env, (await list_published(env, symbols)).values())
    filled += await fill_at_closes(env)
    await expire_orders(env)
    return filled


async def fill_orders(env: Env, quotes: Iterable[Quote]) -> int:
    """What quotes do to the orders that wait for them; how many were filled, in part or whole."""
    newest = {q.symbol: q for q in quotes if q.state is not QuoteState.HISTORIC}
    waiting = await _list_waiting(env, list(newest))
    seen = await env.bus.kept(MATCHED, sorted({row.symbol for row in waiting}))
    when, filled = await read_present(env), 0
    for row in waiting:
        quote = newest[row.symbol]
        recorded = quote.source.recorded
        if quote.at > row.placed_at and recorded is (row.portfolio_kind == PortfolioKind.PRACTICE):
            first = _is_first(seen.get(row.symbol), quote, row.placed_at)
            event = Price(quote.at, quote.price, first=first)
            filled += await _try(
                env, row, _of_quote(env, row, quote, event), when, expires=recorded
            )
    met = {row.symbol: newest[row.symbol] for row in waiting}
    await env.bus.keep(MATCHED, {s: f"{q.day} {q.at.isoformat()}".encode() for s, q in met.items()})
    return filled


async def fill_at_closes(env: Env) -> int:
    """What the bars of sessions that are over do to the orders that waited in them."""
    async with env.db.read(uid=EVERYONE) as db:
        rows = (await db.execute(text(_BARS), {"now": env.clock.now()})).all()
    rows = [row for row in rows if not QuoteSource(row.source.upper()).recorded]
    when, filled = await read_present(env), 0
    for row in rows:
        filled += await _try(env, row, _of_bar(env, row), when)
    return filled


async def expire_orders(env: Env) -> int:
    """Ends the orders of the day whose session is over; how many."""
    now = env.clock.now()
    values = {"over": now - GRACE, "long_over": now - LONGEST_WAIT}
    async with env.db.read(uid=EVERYONE) as db:
        ids = (await db.scalars(text(_OVER), values)).all()
    when, ended = await read_present(env), 0
    for order_id in ids:
        with suppress(Conflict):  # archived meanwhile
            async with env.db.write(uid=EVERYONE) as db:
                order = await hold_waiting(db, order_id)
                if order is not None:
                    await expire(db, order, when)
                    ended += 1
    return ended


async def _try(
    env: Env, row: Row[Any], made: Awaitable[Traded], when: When, *, expires: bool = False
) -> bool:
    """Carries out one order; what is wrong with it stops no other."""
    try:
        return await carry_out(env, row.id, await made, when, expires=expires)
    except (BadInput, Conflict) as error:
        LOG.warning("order not matched", extra={"order": row.id, "reason": str(error)})
        return False


async def _of_quote(env: Env, row: Row[Any], quote: Quote, event: Price) -> Traded:
    listing = find_listing(row.symbol, Kind(row.kind))
    base = quote.previous_close
    limits = None if base is None else price_limits(listing, base, quote.day)
    return Traded(
        listing=listing,
        day=quote.day,
        settles=await find_settlement(env, listing, row.mic, quote.day),
        event=event,
        conditions=Conditions(quote.day, limits),
        source=quote.source.value,
        seen_from=quote.at,
        at=quote.at,
    )


async def _of_bar(env: Env, row: Row[Any]) -> Traded:
    listing, day = find_listing(row.symbol, Kind(row.kind)), row.day
    base = None if row.before is None else split_close(row.before, row.ratio or Decimal(1))
    limits = None if base is None else price_limits(listing, plain(base), day)
    whole = row.placed_at < row.open_at
    traded = Traded(
        listing=listing,
        day=day,
        settles=await find_settlement(env, listing, row.mic, day),
        event=Price(row.close_at, plain(row.close)),
        conditions=Conditions(day, limits, volume_part=VOLUME_PART, halted=not row.volume),
        source=row.source.upper(),
        seen_from=row.close_at,
        at=row.close_at,
    )
    if not whole:
        return traded
    bar = PriceBar(
        opens_at=row.open_at,
        open=None if row.open is None else plain(row.open),
        high=plain(row.high),
        low=plain(row.low),
        close=plain(row.close),
        volume=Decimal(row.volume or 0),
    )
    return replace(traded, event=bar, seen_from=row.open_at)


def _is_first(seen: bytes | None, quote: Quote, placed_at: datetime) -> bool:
    """Whether no earlier quote of its session has met the order."""
    if seen is None:
        return True
    day, _, instant = seen.decode().partition(" ")
    return date.fromisoformat(day) != quote.day or datetime.fromisoformat(instant) <= placed_at


async def _list_symbols(env: Env) -> list[str]:
    query = select(Order.symbol).where(Order.state.in_(WAITING)).distinct().order_by(Order.symbol)
    async with env.db.read(uid=EVERYONE) as db:
        return list(await db.scalars(query))


async def _list_waiting(env: Env, symbols: list[str]) -> list[Row[Any]]:
    """The orders that wait for these symbols, the oldest first."""
    query = (
        select(
            Order.id,
            Order.symbol,
            Order.placed_at,
            Portfolio.kind.label("portfolio_kind"),
            Instrument.kind,
            Instrument.mic,
        )
        .join(Portfolio, Portfolio.id == Order.portfolio_id)
        .join(Instrument, Instrument.symbol == Order.symbol)
        .where(Order.symbol.in_(symbols), Order.state.in_(WAITING))
        .where(Portfolio.archived_at.is_(None))
        .order_by(Order.id)
    )
    async with env.db.read(uid=EVERYONE) as db:
        return [*await db.execute(query)]


_BARS: Final = """
    SELECT o.id, o.symbol, o.placed_at, i.kind, i.mic, e.day, e.open_at, e.close_at,
           b.open, b.high, b.low, b.close, b.volume, b.source, p.close AS before,
           (SELECT s.numerator / s.denominator FROM split AS s
            WHERE s.symbol = o.symbol AND s.day = e.day) AS ratio
    FROM "order" AS o
    JOIN portfolio AS f ON f.id = o.portfolio_id AND f.kind = 'SIMULATED'
                       AND f.archived_at IS NULL
    JOIN instrument AS i ON i.symbol = o.symbol
    JOIN exchange_session AS e ON e.mic = i.mic AND e.close_at > o.placed_at
                              AND e.close_at <= least(:now, coalesce(o.expires_at, :now))
    JOIN bar AS b ON b.symbol = o.symbol AND b.day = e.day
                 AND b.close IS NOT NULL AND b.high IS NOT NULL AND b.low IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT close FROM bar WHERE symbol = o.symbol AND day < e.day AND close IS NOT NULL
        ORDER BY day DESC LIMIT 1
    ) AS p ON true
    WHERE o.state IN ('NEW', 'PARTIALLY_FILLED')
    AND NOT EXISTS (  -- prices from before a split that the order has gone through
        SELECT FROM split AS s
        JOIN txn AS t ON t.portfolio_id = o.portfolio_id
                     AND t.idem_key = format(':split:%s:%s', o.id, s.day)
        WHERE s.symbol = o.symbol AND s.day > e.day
    )
    ORDER BY o.id, e.day
"""

_OVER: Final = """
    SELECT o.id FROM "order" AS o
    JOIN portfolio AS f ON f.id = o.portfolio_id AND f.kind = 'SIMULATED'
                       AND f.archived_at IS NULL
    JOIN instrument AS i ON i.symbol = o.symbol
    LEFT JOIN exchange_session AS e ON e.mic = i.mic AND e.close_at = o.expires_at
    LEFT JOIN bar AS b ON b.symbol = o.symbol AND b.day = e.day
    WHERE o.state IN ('NEW', 'PARTIALLY_FILLED') AND o.expires_at < :over
    AND (b.day IS NOT NULL OR o.expires_at < :long_over)
    ORDER BY o.id
"""
