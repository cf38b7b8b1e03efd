"""Settlement days of the markets, and trades that are written in without theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select

from app.db.models import ExchangeSession
from app.domain.trading.settlement import settle_trade, settlement_days
from app.domain.trading.tables import Market
from app.domain.transactions import Entry, TransactionKind
from app.env import Env

_CALENDARS: Final = {
    Market.KOSPI: "XKRX",
    Market.KOSDAQ: "XKRX",
    Market.KONEX: "XKRX",
    Market.US: "XNYS",
}
_LONGEST: Final = timedelta(days=30)
_TRADES: Final = frozenset({TransactionKind.BUY, TransactionKind.SELL})


async def read_settlement_days(
    env: Env, start: date = date.min, end: date = date.max
) -> Mapping[Market, Sequence[date]]:
    """Each market's settlement days from `start` to `end`, in order."""
    query = select(ExchangeSession.mic, ExchangeSession.day).where(
        ExchangeSession.mic.in_(set(_CALENDARS.values())),
        ExchangeSession.day.between(start, end),
    )
    sessions: dict[str, list[date]] = {}
    async with env.db.read() as db:
        for row in await db.execute(query.order_by(ExchangeSession.day)):
            sessions.setdefault(row.mic, []).append(row.day)
    return {m: settlement_days(m, sessions.get(mic, ())) for m, mic in _CALENDARS.items()}


async def settle(env: Env, entry: Entry) -> Entry:
    """A trade that settles when its market says; another entry as it is."""
    if entry.kind not in _TRADES:
        return entry
    start = max(entry.day, date.min + _LONGEST) - _LONGEST
    end = min(entry.day, date.max - _LONGEST) + _LONGEST
    return settle_trade(entry, await read_settlement_days(env, start, end))
