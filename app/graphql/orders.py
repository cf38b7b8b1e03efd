"""Paper orders in the schema: what one would cost, placing it, taking it back, and what became."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from app.domain.trading.orders import OrderState, OrderType, TimeInForce
from app.domain.trading.preview import Caution
from app.domain.trading.ticks import Side
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.instrument import Instrument
from app.graphql.permissions import require_trader
from app.graphql.sentences import fill_rule
from app.graphql.types import FromRow
from app.services.trading import orders
from app.services.trading.order_rows import OrderRow
from app.services.trading.orders import OrderRequest, PreviewedOrder


@strawberry.input(
    description="An order: `quantity` or `amount`, one of both; `price` for LIMIT and STOP."
)
class OrderInput:
    """An order to preview or to place."""

    portfolio: strawberry.ID
    symbol: str
    side: Side
    type: OrderType = OrderType.MARKET
    quantity: Decimal | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    auto_exchange: bool = strawberry.field(
        default=False,
        description="Whether a purchase buys the currency that it lacks with the portfolio's.",
    )

    def to_request(self) -> OrderRequest:
        """What it asks of the service."""
        return OrderRequest(**{n: v for n, v in vars(self).items() if n != "portfolio"})


@described
@strawberry.type
class Fill(FromRow):
    """A part of an order that was carried out at a price of the market, of that instant."""

    quantity: Decimal
    price: Decimal
    at: datetime
    source: str


@described
@strawberry.type
class OrderEvent(FromRow):
    """What an order was from `at` on."""

    state: OrderState
    filled: Decimal
    reason: str | None
    at: datetime


@described
@strawberry.type
class Order:
    """An order, by `quantity` or by `amount`. While it waits it holds back cash or shares."""

    id: strawberry.ID
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal | None
    amount: Decimal | None
    price: Decimal | None
    state: OrderState
    filled: Decimal
    triggered: bool = strawberry.field(description="Whether the stop has been met.")
    reason: str | None = strawberry.field(description="Why it ended as it did.")
    placed_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    fills: list[Fill]
    events: list[OrderEvent]

    @classmethod
    def of(cls, row: OrderRow) -> Order:
        """From a service's row."""
        facts = {n: v for n, v in vars(row).items() if n not in {"id", "portfolio_id"}}
        facts["fills"] = [Fill.of(fill) for fill in row.fills]
        facts["events"] = [OrderEvent.of(event) for event in row.events]
        return cls(id=strawberry.ID(str(row.id)), **facts)

    @strawberry.field
    async def instrument(self, info: Info) -> Instrument | None:
        """The instrument, where it is known here."""
        row = await info.context.loaders.instruments.load(self.symbol)
        return None if row is None else Instrument.of(row)

    @strawberry.field
    def fill_rule(self, info: Info) -> str:
        """When and at which price it fills, in one sentence."""
        return fill_rule(self.type, info.context.locale)


@described
@strawberry.type
class PlannedExchange(FromRow):
    """What an order would exchange: `amount` for `amountTo`, of `rate` won for a dollar.

    `spread` is the share of the rate that the broker keeps.
    """

    currency: str
    amount: Decimal
    currency_to: str
    amount_to: Decimal
    rate: Decimal
    spread: Decimal
    source: str


@described
@strawberry.type
class OrderPreview:
    """What an order would cost and leave, in the instrument's currency; `cashChange` is signed.

    `reserved` is what a purchase holds back while it waits: at the day's limit or 5 % above the
    price where it is not known yet.
    """

    symbol: str
    currency: str
    price: Decimal
    price_at: datetime = strawberry.field(description="The instant of the newest price.")
    quantity: Decimal
    notional: Decimal
    fee: Decimal
    tax: Decimal
    cash_change: Decimal
    cash_after: Decimal
    reserved: Decimal
    trade_day: date = strawberry.field(description="The session that it would be carried out in.")
    settles_on: date
    market_open: bool
    expires_at: datetime | None
    warnings: list[Caution]
    exchange: PlannedExchange | None = strawberry.field(
        description="What `autoExchange` would buy; the purchase and it are one."
    )
    fill_rule: str = strawberry.field(description="When and at which price it fills.")

    @classmethod
    def of(cls, row: PreviewedOrder, rule: str) -> OrderPreview:
        """From a service's row."""
        preview, market = row.preview, row.market
        return cls(
            symbol=market.symbol,
            currency=market.listing.currency,
            price=preview.price,
            price_at=market.quote.at,
            quantity=preview.quantity,
            notional=preview.notional,
            fee=preview.costs.fee,
            tax=preview.costs.tax,
            cash_change=preview.cash_change,
            cash_after=preview.cash_after,
            reserved=preview.reserved,
            trade_day=market.session.day,
            settles_on=preview.settles,
            market_open=market.is_open,
            expires_at=row.expires_at,
            warnings=list(preview.cautions),
            exchange=None if row.exchange is None else PlannedExchange.of(row.exchange),
            fill_rule=rule,
        )


@described
@strawberry.type
class OrderMutation:
    """Ordering with virtual money."""

    @strawberry.mutation
    async def preview_order(self, info: Info, input: OrderInput) -> OrderPreview:  # noqa: A002
        """What an order would cost and leave. Nothing is stored."""
        user_id, env = require_trader(info).user.id, info.context.env
        row = await orders.preview_order(env, user_id, input.portfolio, input.to_request())
        return OrderPreview.of(row, fill_rule(input.type, info.context.locale))

    @strawberry.mutation
    async def place_order(
        self,
        info: Info,
        input: OrderInput,  # noqa: A002 - an argument of the schema
        key: strawberry.ID,
    ) -> Order:
        """Places an order and sets aside what it may need; the same key twice places it once."""
        user_id, env = require_trader(info).user.id, info.context.env
        return Order.of(
            await orders.place_order(env, user_id, input.portfolio, input.to_request(), key)
        )

    @strawberry.mutation
    async def cancel_order(self, info: Info, id: strawberry.ID) -> Order:  # noqa: A002
        """Takes back what is left of an order, and frees what it held."""
        user_id = require_trader(info).user.id
        return Order.of(await orders.cancel_order(info.context.env, user_id, id))
