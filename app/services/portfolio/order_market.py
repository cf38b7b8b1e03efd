"""The market as an order meets it now: its session, its newest price, its limits, its settlement.

With live prices the time is the clock's. While recorded days are replayed it is the instant of the
newest replayed price, and the present day is the replayed one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select

from app.db.models import ExchangeSession
from app.domain.market import CURRENCY_DIGITS, Kind, present_days
from app.domain.quotes import Quote
from app.domain.sessions import Session
from app.domain.trading.limits import Limits, price_limits
from app.domain.trading.listings import Listing, find_listing
from app.domain.trading.settlement import settlement_day, settlement_days
from app.env import Env
from app.errors import BadInput, Unavailable
from app.services.feed.live import list_quotes
from app.services.market.instruments import InstrumentRow, get_instrument
from app.services.market.replay import replay_day
from app.services.portfolio.booking import When

_AHEAD: Final = 12
"""Sessions that surely hold the settlement day: three at most, and the holidays of banks."""


@dataclass(frozen=True)
class OrderMarket:
    """What holds for an order of `symbol` that is placed `at`.

    `session` is the one that such an order lives in, running or the next; `when` the present for
    the ledger; `recorded` whether prices are of a time that is over.
    """

    symbol: str
    listing: Listing
    at: datetime
    when: When
    session: Session
    settles: date
    quote: Quote
    limits: Limits | None
    recorded: bool

    @property
    def is_open(self) -> bool:
        """Whether it trades now."""
        return self.session.contains(self.at)


async def open_market(env: Env, symbol: str) -> OrderMarket:
    """The market of an instrument now.

    Raises:
        NotFound: there is no such instrument.
        BadInput: it cannot be traded, is listed no more, or has no price yet.
        Unavailable: the exchange's calendar does not reach far enough.
    """
    instrument = await get_instrument(env, symbol)
    listing, listed = _tradable(instrument), instrument.symbol
    quote = (await list_quotes(env, [listed])).get(listed)
    if quote is None:
        raise BadInput("There is no price of %(symbol)s yet.", field="symbol", symbol=listed)
    now = env.clock.now()
    replayed = await replay_day(env)
    at = now if replayed is None else quote.at
    coming = await _sessions(env, instrument.mic, at)
    if not coming:
        raise Unavailable("The hours of the exchange are not known yet.")
    session = coming[0]
    base = quote.previous_close if quote.day == session.day else quote.price
    return OrderMarket(
        symbol=listed,
        listing=listing,
        at=at,
        when=When(now, _present(now, replayed)),
        session=session,
        settles=_settles(listing, session.day, [s.day for s in coming]),
        quote=quote,
        limits=None if base is None else price_limits(listing, base, session.day),
        recorded=replayed is not None,
    )


async def read_present(env: Env) -> When:
    """The present for the ledger: while days are replayed, the one that is."""
    now = env.clock.now()
    return When(now, _present(now, await replay_day(env)))


async def read_time(env: Env, symbol: str) -> datetime:
    """The instant at which orders of an instrument are: the clock's, or of its replayed price."""
    if await replay_day(env) is None:
        return env.clock.now()
    quote = (await list_quotes(env, [symbol])).get(symbol)
    return env.clock.now() if quote is None else quote.at


async def find_settlement(env: Env, listing: Listing, mic: str, day: date) -> date:
    """When a trade of that day settles.

    Raises:
        BadInput: the calendar ends before.
    """
    after = select(ExchangeSession.day).where(ExchangeSession.mic == mic, ExchangeSession.day > day)
    async with env.db.read() as db:
        days = (await db.scalars(after.order_by(ExchangeSession.day).limit(_AHEAD))).all()
    return _settles(listing, day, list(days))


def _settles(listing: Listing, day: date, days: list[date]) -> date:
    return settlement_day(listing.market, day, settlement_days(listing.market, days))


def _tradable(instrument: InstrumentRow) -> Listing:
    listing = find_listing(instrument.symbol, Kind(instrument.kind))
    if instrument.delisted_at is not None:
        message = "%(symbol)s has not been listed since %(day)s"
        day = str(instrument.delisted_at)
        raise BadInput(message, field="symbol", symbol=instrument.symbol, day=day)
    return listing


def _present(now: datetime, replayed: date | None) -> Mapping[str, date]:
    return present_days(now) if replayed is None else dict.fromkeys(CURRENCY_DIGITS, replayed)


async def _sessions(env: Env, mic: str, at: datetime) -> list[Session]:
    columns = (
        ExchangeSession.mic,
        ExchangeSession.day,
        ExchangeSession.open_at,
        ExchangeSession.close_at,
    )
    coming = select(*columns).where(ExchangeSession.mic == mic, ExchangeSession.close_at > at)
    async with env.db.read() as db:
        rows = await db.execute(coming.order_by(ExchangeSession.day).limit(_AHEAD))
        return [Session(*row) for row in rows]
