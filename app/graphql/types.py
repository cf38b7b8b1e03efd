"""The market's values as the schema has them, each made from what a service returns."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

import strawberry
from strawberry.utils.str_converters import to_camel_case

from app.domain.quotes import QuoteSource, QuoteState
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.enums import SourceName


class FromRow:
    """A type whose fields are those of a service's row, by name."""

    @classmethod
    def of(cls, row: Any) -> Self:
        """Takes the fields from a row."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})  # type: ignore[arg-type]


@described
@strawberry.type
class Exchange(FromRow):
    """A market by its MIC (XKRX, XNAS, XNYS, ARCX); CCY stands for the currency market."""

    mic: str
    name: str
    name_local: str | None
    time_zone: str
    currency: str | None


@described
@strawberry.type
class Session(FromRow):
    """One trading day; its hours are those of the calendar with its overrides."""

    day: date
    open_at: datetime
    close_at: datetime


@described
@strawberry.type
class Quote(FromRow):
    """The newest price: its instant, the session it belongs to, and how it relates to now.

    `change` and `changePercent` compare it with `previousClose`, the close of the session before.
    """

    symbol: str
    price: Decimal
    previous_close: Decimal | None
    change: Decimal | None
    change_percent: float | None
    at: datetime
    day: date
    source: QuoteSource
    state: QuoteState


@described
@strawberry.type
class IndicatorSnapshot:
    """The indicators of one day on split-adjusted prices; null in warm-up and flat windows."""

    day: date
    rsi14: float | None
    macd: float | None
    macd_signal: float | None
    macd_histogram: float | None
    stochastic_k: float | None
    stochastic_d: float | None
    sma20: float | None
    sma50: float | None
    sma200: float | None
    bollinger_upper: float | None
    bollinger_middle: float | None
    bollinger_lower: float | None


@described
@strawberry.type
class Fundamentals(FromRow):
    """What a company costs, earns and owes, as the source told it on `day`, at `fetchedAt`.

    One snapshot a day, never changed or filled in later. `trailingPe` is by the earnings of the
    last four quarters, `forwardPe` by those expected. Returns, margins, yield and debt to equity
    are fractions: 0.05 is 5 %. `currency` is that of `marketCap`, `statementCurrency` of
    `totalDebt`. Null: the source does not tell; it told something impossible of those in `refused`.
    """

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

    @classmethod
    def of(cls, row: Any) -> Self:
        """Takes the fields from a row; what was refused is named as the schema does."""
        found = super().of(row)
        found.refused = [to_camel_case(name) for name in found.refused]
        return found


@described
@strawberry.type
class Split(FromRow):
    """`numerator` new shares for `denominator` old ones, from this day on."""

    day: date
    numerator: Decimal
    denominator: Decimal


@described
@strawberry.type
class Dividend(FromRow):
    """Cash per share as traded, on its ex-date, in the instrument's currency."""

    day: date
    amount: Decimal


@described
@strawberry.type
class Bar(FromRow):
    """One session, prices as traded; null where nothing was traded."""

    day: date
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: Decimal | None = strawberry.field(description="Shares; more than an Int can hold.")


@described
@strawberry.type
class MarketStatus(FromRow):
    """A market now. The hours are those of the present session, else of the next one.

    They are null while the calendar has not been loaded; `nextChange` is when `open` turns.
    """

    mic: str
    name: str
    name_local: str | None
    time_zone: str
    open: bool
    session_day: date | None
    open_at: datetime | None
    close_at: datetime | None
    next_change: datetime | None


@described
@strawberry.type
class FxRate(FromRow):
    """`rate` units of `quote` for one unit of `base` on that day."""

    base: str
    quote: str
    day: date
    rate: Decimal


@described
@strawberry.type
class SourceStatus:
    """Where prices come from; a historic source replays recorded days, `replayDay` just now."""

    name: SourceName
    historic: bool
    replay_day: date | None

    @strawberry.field
    async def first_day(self, info: Info) -> date | None:
        """The first stored day of all watched instruments."""
        return (await info.context.loaders.stored_days.load(None)).first

    @strawberry.field
    async def last_day(self, info: Info) -> date | None:
        """The newest stored day of all watched instruments."""
        return (await info.context.loaders.stored_days.load(None)).last
