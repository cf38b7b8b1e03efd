"""Fundamentals of companies: one dated snapshot a day, appended and never changed or back-filled.

A snapshot is of the day on which the source was asked, by the exchange's own date. A second answer
of that day is dropped: what was known then stays what was known. A day on which nobody asked has
none, and the one before it holds on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from sqlalchemy import Update, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.adapters.prices import BadPayload, Failure
from app.db.models import Exchange, Fundamental, Instrument
from app.domain.fundamentals import Fundamentals
from app.env import Env
from app.services.collect.storing import (
    STORED,
    SUPERSEDED,
    UNCHANGED,
    CollectionOutcome,
    tell_failure,
)
from app.services.market.instruments import get_instrument
from app.services.market.prices import horizon
from app.services.screening.rows import write_rows
from app.services.settings import hold_source
from app.services.sources.source_order import Order, find_order


@dataclass(frozen=True)
class FundamentalRow:
    """One snapshot; the figures are those of `domain/fundamentals.Fundamentals`."""

    symbol: str
    day: date
    source: str
    fetched_at: datetime
    currency: str
    statement_currency: str | None
    market_cap: Decimal | None
    total_debt: Decimal | None
    trailing_pe: float | None
    forward_pe: float | None
    price_to_book: float | None
    return_on_equity: float | None
    dividend_yield: float | None
    gross_margin: float | None
    operating_margin: float | None
    net_margin: float | None
    debt_to_equity: float | None
    refused: list[str]


@runtime_checkable
class Appraiser(Protocol):
    """A source that knows fundamentals."""

    async def fundamentals(self, symbol: str) -> Fundamentals | Failure:
        """What the company costs, earns and owes."""
        ...


async def appraise(env: Env, symbol: str) -> CollectionOutcome | None:
    """Asks the first source that knows them for a company's fundamentals and appends today's.

    None when no source of its order does. UNCHANGED: there is a snapshot of today already.

    Raises:
        NotFound: there is no such instrument.
        Unavailable: the database does not answer, or no mode has been chosen.
    """
    instrument = await get_instrument(env, symbol)
    order = await find_order(env, instrument.mic, instrument.symbol)
    source = next((s for s in order.sources if isinstance(s, Appraiser)), None)
    if source is None:
        return None
    answer = await source.fundamentals(instrument.symbol)
    if isinstance(answer, Fundamentals) and answer.currency != instrument.currency:
        said = f"The figures are in {answer.currency}, not in {instrument.currency}."
        answer = BadPayload(said)
    if isinstance(answer, Fundamentals):
        outcome = await _append(env, order, instrument.symbol, source.name, answer)
        return CollectionOutcome(instrument.symbol, outcome)
    failed = tell_failure(instrument.symbol, answer)
    if failed.outcome not in {"RATE_LIMITED", "SOURCE_DOWN"}:  # it answered: tomorrow again
        async with env.db.write() as db:
            await db.execute(_asked(instrument.symbol, env.clock.now()))
    return failed


async def list_fundamentals(
    env: Env, symbols: Sequence[str], on: date | None = None
) -> dict[str, FundamentalRow]:
    """The newest snapshot on or before `on`, by symbol; without it the newest that may be shown.

    Raises:
        Unavailable: the database does not answer.
    """
    until = on or await horizon(env) or date.max
    params = {"symbols": list(symbols), "until": until}
    async with env.db.read() as db:
        rows = await db.execute(text(_NEWEST), params)
        return {row.symbol: FundamentalRow(**row._asdict()) for row in rows}


async def _append(env: Env, order: Order, symbol: str, source: str, found: Fundamentals) -> str:
    """Writes the snapshot of today; the outcome."""
    now = env.clock.now()
    async with env.db.write() as db:
        if await hold_source(db) != order.mode:
            return SUPERSEDED
        zone = await db.scalar(
            select(Exchange.time_zone)
            .join(Instrument, Instrument.mic == Exchange.mic)
            .where(Instrument.symbol == symbol)
            .with_for_update(of=Instrument, key_share=True)
        )
        if zone is None:  # removed meanwhile
            return SUPERSEDED
        values = asdict(found) | {"refused": list(found.refused)}
        day = now.astimezone(ZoneInfo(zone)).date()
        row = insert(Fundamental).values(
            symbol=symbol, day=day, source=source, fetched_at=now, **values
        )
        new = await db.scalar(row.on_conflict_do_nothing().returning(Fundamental.day))
        await db.execute(_asked(symbol, now))
        await write_rows(db, [symbol], None)
    return UNCHANGED if new is None else STORED


def _asked(symbol: str, now: datetime) -> Update:
    return update(Instrument).where(Instrument.symbol == symbol).values(appraised_at=now)


_NEWEST: Final = f"""
    SELECT f.{", f.".join(FundamentalRow.__dataclass_fields__)}
    FROM unnest(CAST(:symbols AS text[])) AS s (symbol)
    JOIN LATERAL (
        SELECT * FROM fundamental WHERE symbol = s.symbol AND day <= :until
        ORDER BY day DESC LIMIT 1
    ) AS f ON true
"""
