"""A quote: the newest price of an instrument, where it comes from and how fresh it is.

`change` and `change_percent` compare the price with the close of the session before, on the basis
of the quote's own day (after a split the earlier close is divided by the ratio). A quote travels as
JSON: Decimal and dates as strings, so that no digit is lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import orjson

from app.errors import BadInput

AHEAD_LIMIT = timedelta(minutes=2)
"""How far a tick's own time may lie in the future before it is refused."""

STALE_AFTER = timedelta(seconds=90)
"""How old a price may be in session hours, beside its exchange's delay, before it is stale."""


class QuoteSource(StrEnum):
    """Where prices come from."""

    YAHOO = "YAHOO"
    KRX = "KRX"
    FOLDER = "FOLDER"
    SAMPLE = "SAMPLE"

    @property
    def recorded(self) -> bool:
        """Whether its prices are of a time that is over: never shown beside those of now."""
        return self is QuoteSource.SAMPLE


class QuoteState(StrEnum):
    """How a price relates to now."""

    LIVE = "LIVE"  # streamed, in session hours
    DELAYED = "DELAYED"  # polled, in session hours
    CLOSED = "CLOSED"  # the last price of the last session
    STALE = "STALE"  # older than it should be: shown with its time
    REPLAY = "REPLAY"  # a recorded day, played back
    HISTORIC = "HISTORIC"  # the last recorded close of a source that is not going on


MOVING = frozenset({QuoteState.LIVE, QuoteState.DELAYED})
"""States of a price that is about to be replaced by the next one."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The newest price of `symbol`; `at` is its instant in UTC, `day` the session it belongs to."""

    symbol: str
    price: Decimal
    previous_close: Decimal | None
    at: datetime
    day: date
    source: QuoteSource
    state: QuoteState

    @property
    def change(self) -> Decimal | None:
        """Price less the close before, in the instrument's currency."""
        return None if self.previous_close is None else plain(self.price - self.previous_close)

    @property
    def change_percent(self) -> float | None:
        """The change in percent of the close before: 1.0 is one percent."""
        if not self.previous_close:
            return None
        return float((self.price / self.previous_close - 1) * 100)

    def to_json(self) -> bytes:
        """One JSON object."""
        return orjson.dumps(_to_dict(self))

    @classmethod
    def from_json(cls, data: bytes | str) -> Quote:
        """Reads what `to_json` wrote.

        Raises:
            BadInput: it is not a quote.
        """
        return _from_dict(_load(data))


def quotes_to_json(quotes: Iterable[Quote]) -> bytes:
    """A JSON list: one message of the bus."""
    return orjson.dumps([_to_dict(quote) for quote in quotes])


def quotes_from_json(data: bytes | str) -> list[Quote]:
    """Reads what `quotes_to_json` wrote.

    Raises:
        BadInput: it is not a list of quotes.
    """
    rows = _load(data)
    if not isinstance(rows, list):
        raise BadInput("A quote message must be a list of quotes.", field="quotes")
    return [_from_dict(row) for row in rows]


def is_newer(tick: Quote, held: Quote | None) -> bool:
    """Whether a tick may take the place of what is held.

    An older tick may not, and neither may a repeated one. A replay goes by the order of its steps:
    its ticks of a day share one instant, and after the last day it begins again at the first.
    """
    if held is None or _apart(held, tick) or tick.state is QuoteState.REPLAY:
        return True
    return tick.at > held.at or (tick.at == held.at and tick != held)


def _apart(held: Quote, tick: Quote) -> bool:
    return held.source.recorded is not tick.source.recorded


def check_price(price: Decimal | None, at: datetime, now: datetime) -> str | None:
    """Why a tick cannot be right, in English; None when it can.

    A price is positive and finite; its time is at most `AHEAD_LIMIT` in the future.
    """
    if price is None or not price.is_finite() or price <= 0:
        return f"the price is {price}; it must be a positive number"
    if at > now + AHEAD_LIMIT:
        return f"its time {at.isoformat()} lies in the future"
    return None


def moving_state(at: datetime, now: datetime, *, streamed: bool) -> QuoteState:
    """What a price of a market in session is when it arrives.

    LIVE when it was streamed and its own time is at most `STALE_AFTER` ago, otherwise DELAYED: some
    exchanges let their prices be streamed late, and a late price is never called live.
    """
    return QuoteState.LIVE if streamed and now - at <= STALE_AFTER else QuoteState.DELAYED


def plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent: 71200, 545.18."""
    return Decimal(f"{value.normalize():f}")


def _to_dict(quote: Quote) -> dict[str, Any]:
    previous = quote.previous_close
    return {
        "symbol": quote.symbol,
        "price": str(quote.price),
        "previous_close": None if previous is None else str(previous),
        "at": quote.at.astimezone(UTC),
        "day": quote.day,
        "source": quote.source.value,
        "state": quote.state.value,
    }


def _from_dict(row: Any) -> Quote:
    try:
        previous = row["previous_close"]
        return Quote(
            symbol=row["symbol"],
            price=Decimal(row["price"]),
            previous_close=None if previous is None else Decimal(previous),
            at=datetime.fromisoformat(row["at"]),
            day=date.fromisoformat(row["day"]),
            source=QuoteSource(row["source"]),
            state=QuoteState(row["state"]),
        )
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise BadInput("This is not a quote: %(row).200r", field="quotes", row=row) from error


def _load(data: bytes | str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        msg = "A quote message must be JSON: %(why)s"
        raise BadInput(msg, field="quotes", why=error) from error
