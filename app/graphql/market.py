"""The market part of the schema: what may be asked, changed and subscribed to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import date, datetime

import strawberry

from app.domain.market import Kind
from app.errors import BadInput
from app.graphql.context import Context, Info
from app.graphql.describing import described
from app.graphql.enums import CollectionState, SourceName
from app.graphql.instrument import Instrument
from app.graphql.paging import Connection, clamp, make_connection
from app.graphql.permissions import require_market, require_operator
from app.graphql.reasons import said_beside, why_failed
from app.graphql.scalars import Series
from app.graphql.types import FxRate, MarketStatus, Quote, SourceStatus
from app.services.collect.collections import CollectionRow, list_collections, request_collection
from app.services.collect.source_status import get_source_status
from app.services.collect.source_switch import switch_source
from app.services.market.instruments import (
    check_symbol,
    count_instruments,
    find_instrument,
    list_instruments,
    track_instrument,
)
from app.services.market.markets import list_market_status
from app.services.market.prices import find_fx_rate
from app.services.paging import MAX_ROWS
from app.services.schedule.job_progress import list_failing


@described
@strawberry.type
class Collection:
    """One instrument's prices on their way from the source, as its job tells it."""

    id: strawberry.ID
    symbol: str
    state: CollectionState
    requested_at: datetime
    started_at: datetime | None
    done_at: datetime | None
    attempts: int
    bars: int | None = strawberry.field(description="Bars that were new or changed.")
    outcome: str | None
    error: str | None

    @classmethod
    def of(cls, row: CollectionRow) -> Collection:
        """From a service's row."""
        return cls(
            id=strawberry.ID(str(row.id)),
            symbol=row.symbol,
            state=CollectionState(row.state),
            requested_at=row.requested_at,
            started_at=row.started_at,
            done_at=row.done_at,
            attempts=row.attempts,
            bars=row.bars,
            outcome=row.outcome,
            error=row.error,
        )

    @strawberry.field
    async def next_try_at(self) -> datetime | None:
        """When it will be tried again; null unless it has failed and has a try left."""
        waits = self.state is CollectionState.PENDING and self.attempts > 0
        return self.requested_at if waits else None

    @strawberry.field
    async def reason(self, info: Info) -> str | None:
        """What went wrong last, in words, in the reader's language; `error` is what was said."""
        return why_failed(self.outcome, self.error, info.context.locale) if self.error else None

    @strawberry.field
    async def said(self) -> str | None:
        """What was said beyond `reason`, in English; null where it says everything."""
        return said_beside(self.outcome, self.error)

    @strawberry.field
    async def instrument(self, info: Info) -> Instrument | None:
        """The instrument, while it is watched."""
        row = await info.context.loaders.instruments.load(self.symbol)
        return None if row is None else Instrument.of(row)


@described
@strawberry.type
class MarketQuery:
    """Instruments, prices, markets and their collection."""

    @strawberry.field
    async def instrument(self, info: Info, symbol: str) -> Instrument | None:
        """The instrument of a symbol in any case, null when it is not known here."""
        context = require_market(info)
        row = await find_instrument(context.env, symbol)
        return None if row is None else Instrument.of(row)

    @strawberry.field
    async def instruments(  # noqa: PLR0913, PLR0917 - arguments of the schema
        self,
        info: Info,
        symbols: list[str] | None = None,
        search: str | None = None,
        kinds: list[Kind] | None = None,
        first: int | None = 50,
        after: str | None = None,
    ) -> Connection[Instrument]:
        """Watched instruments in their order: all, those of `symbols` or `kinds`, those that match.

        `search` begins a symbol or stands in a name, in either language.
        """
        env = require_market(info).env
        wanted = None if symbols is None else check_symbols(symbols)
        page = await list_instruments(
            env, symbols=wanted, search=search, kinds=kinds, first=clamp(first, 50), after=after
        )
        count = lambda: count_instruments(env, symbols=wanted, search=search, kinds=kinds)  # noqa: E731
        return make_connection(page, Instrument.of, count)

    @strawberry.field
    async def quotes(self, info: Info, symbols: list[str]) -> list[Quote]:
        """The newest prices in the order asked for; symbols without one are left out."""
        hub = require_market(info).hub
        found = await hub.quotes(check_symbols(symbols))
        return [Quote.of(quote) for quote in found.values()]

    @strawberry.field
    async def markets(self, info: Info) -> list[MarketStatus]:
        """Every market: whether it is open, its hours with overrides, and the next change."""
        rows = await list_market_status(require_market(info).env)
        return [MarketStatus.of(row) for row in rows]

    @strawberry.field
    async def collections(
        self,
        info: Info,
        first: int | None = 50,
        failing: bool | None = False,  # noqa: FBT001, FBT002 - an argument of the schema
    ) -> list[Collection]:
        """The newest collections first.

        `failing`: of each instrument the newest one alone, if it failed or is to be tried again.
        """
        env = require_market(info).env
        list_ = list_failing if failing else list_collections
        rows = await list_(env, clamp(first, 50))
        return [Collection.of(row) for row in rows]

    @strawberry.field
    async def fx_rate(
        self, info: Info, base: str, quote: str, on: date | None = None
    ) -> FxRate | None:
        """The newest rate, or the newest on or before a day; null when none is stored."""
        row = await find_fx_rate(require_market(info).env, base, quote, on)
        return None if row is None else FxRate.of(row)

    @strawberry.field
    async def source(self, info: Info) -> SourceStatus:
        """Where prices come from, and which days are recorded."""
        return await _source(require_market(info))


@described
@strawberry.type
class MarketMutation:
    """What the operator may change in the market part."""

    @strawberry.mutation
    async def track_instrument(self, info: Info, symbol: str) -> Instrument:
        """Adds an instrument that the source knows; its history is collected by a job."""
        context = require_operator(info)
        return Instrument.of(await track_instrument(context.env, symbol))

    @strawberry.mutation
    async def collect(self, info: Info, symbols: list[str] | None = None) -> list[Collection]:
        """Has prices collected now, of all watched instruments without `symbols`."""
        env = require_operator(info).env
        wanted = None if symbols is None else check_symbols(symbols)
        return [Collection.of(row) for row in await request_collection(env, wanted)]

    @strawberry.mutation
    async def switch_source(self, info: Info, name: SourceName) -> SourceStatus:
        """Takes prices from another source from now on; those of the sample are dropped."""
        context = require_operator(info)
        await switch_source(context.env, name.value.lower())
        return await _source(context)


@described
@strawberry.type
class MarketSubscription:
    """Prices as they change."""

    @strawberry.subscription
    async def quotes(self, info: Info, symbols: list[str]) -> AsyncGenerator[list[Quote]]:
        """First all quotes, then those that changed, at most four times a second."""
        hub = require_market(info).hub
        async with aclosing(hub.subscribe(check_symbols(symbols))) as changes:
            async for quotes in changes:
                yield [Quote.of(quote) for quote in quotes.values()]

    @strawberry.subscription
    async def quote_frames(self, info: Info, symbols: list[str]) -> AsyncGenerator[Series]:
        """The same as columns: symbol, price, change, changePercent, at, day, state."""
        hub = require_market(info).hub
        async with aclosing(hub.frames(check_symbols(symbols))) as frames:
            async for frame in frames:
                yield Series(frame)


def check_symbols(symbols: Sequence[str]) -> list[str]:
    """Symbols in upper case, each once.

    Raises:
        BadInput: more than 200, or one that cannot be a symbol.
    """
    if len(symbols) > MAX_ROWS:
        message = "symbols has %(value)d entries; %(bound)d are allowed"
        raise BadInput(message, field="symbols", value=len(symbols), bound=MAX_ROWS)
    return list(dict.fromkeys(check_symbol(symbol) for symbol in symbols))


async def _source(context: Context) -> SourceStatus:
    row = await get_source_status(context.env)
    return SourceStatus(
        name=SourceName(row.name.upper()),
        historic=row.historic,
        replay_day=row.replay_day,
    )
