"""Paper orders: what one would cost, placing it, and taking it back.

An order that waits holds back what it may need: money for a purchase, shares for a sale. The
reservation and the order are one transaction of the database, so that two orders cannot spend the
same won. SIMULATED portfolios order at live or delayed prices, those of practice at recorded ones.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Account, Order, Portfolio
from app.domain.money import AMOUNT_BOUND, check_money, check_price, check_quantity
from app.domain.postings import AccountKind, share_of
from app.domain.quotes import Quote, plain
from app.domain.trading import lots
from app.domain.trading.costs import find_profile
from app.domain.trading.orders import (
    OrderState,
    OrderType,
    TimeInForce,
    accept_price,
    check_transition,
)
from app.domain.trading.preview import Caution, Preview, Terms
from app.domain.trading.preview import preview_order as preview_terms
from app.domain.trading.ticks import Side
from app.domain.transactions import Entry, PortfolioKind
from app.env import Env
from app.errors import BadInput, Conflict
from app.services.owned import missing, read_id
from app.services.portfolio.booking import When, check_key, entry_item, post, reservation_item
from app.services.portfolio.entries import hash_request
from app.services.portfolio.order_market import OrderMarket, open_market, read_present, read_time
from app.services.portfolio.portfolios import find_own
from app.services.trading.order_exchange import plan_exchange, read_rate
from app.services.trading.order_rows import OrderRow, find_own_order, read_order
from app.services.trading.order_terms import release_item, reserve_amount

_Placed = tuple[bytes, OrderRow]


@dataclass(frozen=True)
class OrderRequest:
    """What somebody orders: a quantity or an amount of money, never both.

    A purchase at the market by amount stays one: how many shares it buys is decided by the price
    that it meets. Every other amount is turned into shares when the order is placed. With
    `auto_exchange` a purchase buys the currency that it lacks.
    """

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    auto_exchange: bool = False

    @property
    def keeps_amount(self) -> bool:
        """Whether the number of shares stays open."""
        return self.amount is not None and self.side is Side.BUY and self.type is OrderType.MARKET


@dataclass(frozen=True)
class PreviewedOrder:
    """What an order would cost and leave, the market that it would meet, and its exchange."""

    request: OrderRequest
    preview: Preview
    market: OrderMarket
    exchange: Entry | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When it would end by itself."""
        lives_on = self.request.time_in_force is TimeInForce.GTC
        return None if lives_on else self.market.session.close_at


async def preview_order(
    env: Env, user_id: int, portfolio_id: str, wanted: OrderRequest
) -> PreviewedOrder:
    """What the order would cost and leave. Nothing is stored.

    Raises:
        NotFound: the portfolio is not there or not the user's, or there is no such instrument.
        BadInput: a figure that cannot be, or an instrument that cannot be traded.
        Conflict: the portfolio takes no orders.
    """
    _check_request(wanted)
    market, rate = await open_market(env, wanted.symbol), await _rate(env, wanted)
    async with env.db.read(uid=user_id) as db:
        portfolio = await find_own(db, portfolio_id, user_id)
        return await _preview(db, portfolio, wanted, market, rate)


async def place_order(
    env: Env, user_id: int, portfolio_id: str, wanted: OrderRequest, key: str
) -> OrderRow:
    """Accepts an order and sets aside what it may need; the same key places it once.

    Raises:
        NotFound: the portfolio is not there or not the user's, or there is no such instrument.
        BadInput: a figure that cannot be, an instrument that cannot be traded, or too little cash
            or too few shares.
        Conflict: the key was used for another order, or the portfolio takes no orders.
    """
    _check_request(wanted)
    number = read_id(portfolio_id)
    hashed = _hash(number, wanted)
    if stored := await _find_placed(env, user_id, number, check_key(key)):
        return _same(stored, hashed, key)
    market, rate = await open_market(env, wanted.symbol), await _rate(env, wanted)
    async with env.db.write(uid=user_id) as db:
        portfolio = await hold_portfolio(db, number, user_id)
        if stored := await _stored(db, number, key):  # another request was faster
            return _same(stored, hashed, key)
        previewed = await _preview(db, portfolio, wanted, market, rate)
        preview = previewed.preview
        commodity, held = _reserved(wanted, preview, market)
        reserved_key = f":reserve:{hash_request(number, key)}"
        day = market.session.day
        items = [reservation_item(number, reserved_key, commodity, held, day)]
        if previewed.exchange is not None:
            exchange_key = f":exchange:{hash_request(number, key)}"
            items.insert(0, entry_item(number, exchange_key, previewed.exchange, market.when))
        posted = await post(db.scalar, number, user_id, items, market.when)
        values = {
            "portfolio_id": number,
            "client_key": key,
            "req_hash": hashed,
            "symbol": market.symbol,
            "side": wanted.side,
            "type": wanted.type,
            "time_in_force": wanted.time_in_force,
            "quantity": None if wanted.keeps_amount else preview.quantity,
            "amount": wanted.amount if wanted.keeps_amount else None,
            "price": None if wanted.type is OrderType.MARKET else preview.price,
            "reservation_id": posted.ids[-1],
            "placed_at": market.at,
            "expires_at": previewed.expires_at,
        }
        order = (await db.scalars(insert(Order).values(values).returning(Order))).one()
        return await read_order(db, order)


async def cancel_order(env: Env, user_id: int, order_id: str) -> OrderRow:
    """Takes back what is left of an order, and frees what it held; twice is as once.

    Raises:
        NotFound: it is not there or not the user's.
        Conflict: it has ended otherwise.
    """
    when = await read_present(env)
    async with env.db.write(uid=user_id) as db:
        order = await find_own_order(db, order_id, user_id, hold=True)
        if order.state != OrderState.CANCELED:
            at = await read_time(env, order.symbol)
            await end_order(db, order, OrderState.CANCELED, when, at, user_id=user_id)
        return await read_order(db, order)


async def end_order(  # noqa: PLR0913 - which, how, when and why
    db: AsyncSession,
    order: Order,
    state: OrderState,
    when: When,
    at: datetime,
    *,
    user_id: int | None = None,
    reason: str | None = None,
) -> None:
    """Ends an order that its caller holds, and frees what it has set aside.

    Raises:
        Conflict: it has ended already, or the portfolio is archived.
    """
    check_transition(OrderState(order.state), state)
    if order.reservation_id is not None:
        items = [release_item(order)]
        await post(db.scalar, order.portfolio_id, user_id, items, when)
    values = {"state": state, "reason": reason, "ended_at": at, "reservation_id": None}
    await db.execute(update(Order).where(Order.id == order.id).values(values))
    await db.refresh(order)


async def _rate(env: Env, wanted: OrderRequest) -> Quote | None:
    """The exchange rate for an order that may need one."""
    asked = wanted.auto_exchange and wanted.side is Side.BUY
    return await read_rate(env) if asked else None


async def _preview(
    db: AsyncSession,
    portfolio: Portfolio,
    wanted: OrderRequest,
    market: OrderMarket,
    rate: Quote | None,
) -> PreviewedOrder:
    _check_kind(PortfolioKind(portfolio.kind), market)
    listing, day = market.listing, market.session.day
    price = accept_price(
        listing, wanted.side, wanted.type, wanted.price, day=day, limits=market.limits
    )
    cash, held = await _means(db, portfolio.id, market)
    met = price or market.quote.price
    if wanted.amount is not None:
        check_money(wanted.amount, listing.currency)
        quantity = lots.quantity_for_amount(listing, wanted.amount, met)
    else:
        quantity = wanted.quantity or Decimal(0)
        lots.check_quantity(listing, wanted.side, quantity, held=held)
    terms = Terms(
        listing=listing,
        side=wanted.side,
        type=wanted.type,
        quantity=quantity,
        price=met,
        trade_day=day,
        settles=market.settles,
        profile=find_profile(portfolio.cost_profile),
    )
    preview = preview_terms(
        terms, cash=cash, held=held, limits=market.limits, asked_price=wanted.price
    )
    if wanted.keeps_amount:
        preview = _bounded_by_amount(preview, wanted, terms, cash)
    if rate is None:
        return PreviewedOrder(wanted, preview, market)
    preview, exchange = await plan_exchange(db, portfolio, preview, market, rate)
    return PreviewedOrder(wanted, preview, market, exchange)


def _bounded_by_amount(
    preview: Preview, wanted: OrderRequest, terms: Terms, cash: Decimal
) -> Preview:
    """The preview of a purchase for an amount: it holds back that and its commission, no more."""
    amount = wanted.amount or Decimal(0)
    reserved = reserve_amount(amount, terms)
    cautions: list[Caution] = [c for c in preview.cautions if c is not Caution.NOT_ENOUGH_CASH]
    if reserved > cash:
        cautions.append(Caution.NOT_ENOUGH_CASH)
    return replace(preview, reserved=reserved, cautions=tuple(cautions))


def _reserved(wanted: OrderRequest, preview: Preview, market: OrderMarket) -> tuple[str, Decimal]:
    """What an order sets aside, and how much."""
    if wanted.side is Side.SELL:
        return share_of(market.symbol), preview.quantity
    return market.listing.currency, preview.reserved


def _check_request(wanted: OrderRequest) -> None:
    """Refuses figures that no order may have, before anything is asked.

    Raises:
        BadInput: which one, and its bound.
    """
    if (wanted.quantity is None) is (wanted.amount is None):
        raise BadInput("An order has a quantity or an amount, one of both", field="quantity")
    if wanted.quantity is not None:
        check_quantity(wanted.quantity)
    if wanted.price is not None:
        check_price(wanted.price)
    if wanted.amount is not None:
        _check_amount(wanted.amount)


def _check_amount(amount: Decimal) -> None:
    check_money(amount, "USD")
    if amount < 0:
        message = "%(name)s is %(value)s; it must be above 0 and below %(bound)s"
        figures = {"value": str(amount)[:40], "bound": f"{AMOUNT_BOUND:f}"}
        raise BadInput(message, field="amount", name="amount", **figures)


def _check_kind(kind: PortfolioKind, market: OrderMarket) -> None:
    if kind is PortfolioKind.TRACKED:
        message = "This portfolio records a real account. Orders need one of virtual money."
        raise Conflict(message)
    if market.recorded and kind is not PortfolioKind.PRACTICE:
        message = "Prices are recorded ones now. Order in a portfolio of practice."
        raise Conflict(message)
    if not market.recorded and kind is PortfolioKind.PRACTICE:
        message = "A portfolio of practice orders at recorded prices only. Use a simulated one."
        raise Conflict(message)


async def _means(
    db: AsyncSession, portfolio_id: int, market: OrderMarket
) -> tuple[Decimal, Decimal]:
    """The money that an order may cost, and the shares that are free to be sold."""
    shares = share_of(market.symbol)
    query = select(Account.kind, Account.commodity, Account.balance).where(
        Account.portfolio_id == portfolio_id,
        Account.commodity.in_((market.listing.currency, shares)),
        Account.kind.in_((AccountKind.CASH, AccountKind.UNSETTLED, AccountKind.POSITION)),
    )
    rows = (await db.execute(query)).all()
    held = sum((row.balance for row in rows if row.commodity == shares), Decimal(0))
    cash = sum((row.balance for row in rows if row.commodity != shares), Decimal(0))
    return plain(cash), plain(held)


async def hold_portfolio(db: AsyncSession, portfolio_id: int, user_id: int) -> Portfolio:
    """The user's portfolio, in which nobody else places an order until this transaction ends."""
    whose = (Portfolio.id == portfolio_id, Portfolio.user_id == user_id)
    query = select(Portfolio).where(*whose).with_for_update(key_share=True)
    found = await db.scalar(query)
    if found is None:
        raise missing()
    return found


async def _find_placed(env: Env, user_id: int, portfolio_id: int, key: str) -> _Placed | None:
    async with env.db.read(uid=user_id) as db:
        await find_own(db, str(portfolio_id), user_id)
        return await _stored(db, portfolio_id, key)


async def _stored(db: AsyncSession, portfolio_id: int, key: str) -> _Placed | None:
    query = select(Order).where(Order.portfolio_id == portfolio_id, Order.client_key == key)
    order = await db.scalar(query)
    return None if order is None else (order.req_hash, await read_order(db, order))


def _same(placed: _Placed, hashed: bytes, key: str) -> OrderRow:
    if placed[0] != hashed:
        message = "The key %(key).40r was used for another request. Choose a new one."
        raise Conflict(message, key=key)
    return placed[1]


def _hash(portfolio_id: int, wanted: OrderRequest) -> bytes:
    *terms, auto_exchange = astuple(replace(wanted, symbol=wanted.symbol.strip().upper()))
    wishes = ["auto_exchange"] if auto_exchange else []  # as orders before there was one
    return bytes.fromhex(hash_request(portfolio_id, *terms, *wishes))
