"""A market for paper orders in tests: Apple at 100 dollars and Samsung at 70,000 won, in session.

`await place(env, alice, book, "BUY 10 AAPL LIMIT 99 GTC")`; an amount is written `$500` or `₩500`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from app.domain.quotes import Quote, QuoteSource, QuoteState
from app.domain.trading.orders import OrderType, TimeInForce
from app.domain.trading.ticks import Side
from app.env import Env
from app.services.market.replay import advance, load_day
from app.services.people.users import UserRow
from app.services.portfolio.portfolios import PortfolioRow
from app.services.trading.order_rows import OrderRow
from app.services.trading.orders import OrderRequest, place_order
from tests.clocks import at
from tests.factories import make_bars, make_instrument, make_sessions, weekdays
from tests.graphql.asking import choose_source
from tests.holdings import publish

MONDAY = date(2026, 3, 2)
OPEN_US = datetime(2026, 3, 4, 15, tzinfo=UTC)
"""A Wednesday at ten in New York."""
OPEN_KR = datetime(2026, 3, 4, 1, tzinfo=UTC)

_KEYS = count(1)


async def open_markets(env: Env, instant: datetime = OPEN_US) -> Env:
    """Both markets with their sessions and a quote of the minute before `instant`, at which it is."""
    days = weekdays(MONDAY, 30)
    await make_instrument(env, "AAPL")
    await make_instrument(env, "005930.KS")
    await make_sessions(env, "XNAS", days)
    await make_sessions(env, "XKRX", days, opens=0, closes=6)
    early = instant.replace(minute=instant.minute - 1 if instant.minute else 0)
    await tell(env, "AAPL", "100", early)
    await tell(env, "005930.KS", "70000", early)
    return at(env, instant)


async def make_recorded(env: Env) -> None:
    """Apple recorded for three days, of which the second, the first that is replayed, has opened."""
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", [100, 110, 120], start=MONDAY)
    await make_sessions(env, "XNAS", weekdays(MONDAY, 30))
    await choose_source(env, "sample")
    cursor = await advance(env)
    assert cursor is not None
    await publish(env.bus, *(await load_day(env, cursor.day, ["AAPL"]))[cursor.step])


async def tell(env: Env, symbol: str, price: str, when: datetime) -> Quote:
    """The newest price, published as the feed does it; the close before was 100 or 70,000."""
    quote = make_quote(symbol, price, when)
    await publish(env.bus, quote)
    return quote


def make_quote(symbol: str, price: str, when: datetime) -> Quote:
    """A live price of that instant."""
    before = Decimal(70_000 if symbol.endswith(".KS") else 100)
    source, state = QuoteSource.YAHOO, QuoteState.LIVE
    return Quote(symbol, Decimal(price), before, when, when.date(), source, state)


def read_order(words: str) -> OrderRequest:
    """`BUY 10 AAPL`, `SELL 1 AAPL STOP 95`, `BUY $500 AAPL`, `BUY 3 AAPL LIMIT 99.5 GTC`."""
    side, size, symbol, *rest = words.split()
    lifetime = TimeInForce(rest.pop()) if rest and rest[-1] in {"DAY", "GTC"} else TimeInForce.DAY
    kind = OrderType(rest[0]) if rest else OrderType.MARKET
    price = Decimal(rest[1]) if len(rest) > 1 else None
    by_amount = size[0] in "$₩"
    figure = Decimal(size.lstrip("$₩"))
    return OrderRequest(
        symbol,
        Side(side),
        kind,
        quantity=None if by_amount else figure,
        amount=figure if by_amount else None,
        price=price,
        time_in_force=lifetime,
    )


async def place(
    env: Env, user: UserRow, book: PortfolioRow, words: str, key: str | None = None
) -> OrderRow:
    """Places what the words say, with a new key unless one is given."""
    number = key or f"order-{next(_KEYS)}"
    return await place_order(env, user.id, str(book.id), read_order(words), number)
