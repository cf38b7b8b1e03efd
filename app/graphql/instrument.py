"""The instrument of the schema: its row, and all that is asked for with it."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Final

import strawberry

from app.domain.bars import Interval, PriceBasis
from app.domain.indicator_columns import IndicatorKind
from app.domain.market import Kind
from app.errors import BadInput
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.enums import FreshnessState, QuarantineState
from app.graphql.paging import Connection, clamp, make_connection
from app.graphql.reasons import said_beside, why_daily_only, why_not_fresh, why_not_live
from app.graphql.scalars import Series
from app.graphql.signal_types import Signal
from app.graphql.trust_types import (
    PriceEvent,
    Quarantine,
    RecentRevision,
    Revision,
    StoredData,
)
from app.graphql.types import (
    Bar,
    Dividend,
    Exchange,
    Fundamentals,
    IndicatorSnapshot,
    Quote,
    Session,
    Split,
)
from app.services.collect import data_health
from app.services.collect.stored_data import count_events, get_stored, list_events
from app.services.market.candles import get_series
from app.services.market.instruments import InstrumentRow
from app.services.market.prices import MAX_SPARKLINE, count_bars, list_bars
from app.services.signals.readings import Reading, list_strong
from app.services.sources.source_order import list_providers

From = Annotated[date | None, strawberry.argument(name="from", description="The first day.")]
To = Annotated[date | None, strawberry.argument(name="to", description="The last day.")]
_NUMBERED: Final = re.compile(r"_(?=[0-9])")
"""What `sma20` of the schema has not of `sma_20`, its column."""


@described
@strawberry.type
class Freshness:
    """Whether the newest stored day is the one that should be there.

    `detail` is what went wrong last, as the source or the network said it, in English; `reason` is
    the same in words, in the reader's language, and `said` what `detail` adds to it. `checkedAt` is
    when the source was asked last.
    """

    state: FreshnessState
    last_day: date | None
    expected_day: date | None
    detail: str | None
    reason: str | None = None
    said: str | None = None
    checked_at: datetime | None = None


@described
@strawberry.type
class Instrument:
    """What can be watched: a stock, a fund, an index or a currency pair."""

    row: strawberry.Private[InstrumentRow]
    symbol: str
    name: str
    name_local: str | None
    currency: str
    kind: Kind
    sector: str | None
    industry: str | None
    tracked: bool = strawberry.field(description="Whether it is on the watchlist and collected.")
    delisted_at: date | None = strawberry.field(
        description="Its last stored day, once the source has not known it for two weeks."
    )

    @classmethod
    def of(cls, row: InstrumentRow) -> Instrument:
        """From a service's row."""
        return cls(
            row=row,
            symbol=row.symbol,
            name=row.name,
            name_local=row.name_local,
            currency=row.currency,
            kind=Kind(row.kind),
            sector=row.sector,
            industry=row.industry,
            tracked=row.tracked,
            delisted_at=row.delisted_at,
        )

    @strawberry.field
    async def exchange(self, info: Info) -> Exchange:
        """The market it trades on."""
        return Exchange.of(await info.context.loaders.exchanges.load(self.row.mic))

    @strawberry.field
    async def first_seen(self, info: Info) -> date | None:
        """The first stored day; null while nothing is stored."""
        seen = await info.context.loaders.seen.load(self.symbol)
        return seen.first_day if seen else None

    @strawberry.field
    async def last_seen(self, info: Info) -> date | None:
        """The last stored day; null while nothing is stored."""
        seen = await info.context.loaders.seen.load(self.symbol)
        return seen.last_day if seen else None

    @strawberry.field
    async def quote(self, info: Info) -> Quote | None:
        """The newest price; null while nothing has been collected."""
        row = await info.context.loaders.quotes.load(self.symbol)
        return None if row is None else Quote.of(row)

    @strawberry.field
    async def freshness(self, info: Info) -> Freshness:
        """How its newest stored day relates to the day that should be there."""
        found = await info.context.loaders.freshness.load(self.symbol)
        if found is None:
            return Freshness(
                state=FreshnessState.UNKNOWN, last_day=None, expected_day=None, detail=None
            )
        detail = found.detail
        return Freshness(
            state=FreshnessState(found.state),
            last_day=found.last_day,
            expected_day=found.expected_day,
            detail=detail,
            reason=detail and why_not_fresh(found.cause, detail, info.context.locale),
            said=said_beside(found.cause, detail),
            checked_at=self.row.checked_at,
        )

    @strawberry.field
    async def bars(
        self,
        info: Info,
        start: From = None,
        end: To = None,
        first: int | None = 100,
        after: str | None = None,
    ) -> Connection[Bar]:
        """Sessions as traded, in order of day; for charts take `series`."""
        env, span = info.context.env, {"start": start, "end": end}
        page = await list_bars(env, self.symbol, first=clamp(first, 100), after=after, **span)
        return make_connection(page, Bar.of, lambda: count_bars(env, self.symbol, **span))

    @strawberry.field
    async def series(  # noqa: PLR0913, PLR0917 - what a chart may ask for
        self,
        info: Info,
        start: From = None,
        end: To = None,
        last: int | None = None,
        interval: Interval | None = Interval.DAY,
        basis: PriceBasis | None = PriceBasis.SPLIT_ADJUSTED,
        indicators: list[IndicatorKind] | None = None,
        studies: list[int] | None = None,
    ) -> Series:
        """Columns for a chart: time, open, high, low, close, volume, then indicators and studies.

        `last` keeps the newest bars. `indicators` adds their stored columns, such as `rsi_14`;
        `studies` adds averages of the close over so many bars: 60 adds `sma_60`. Bars of minutes
        are those of the last session (MINUTE_5) or the last five (MINUTE_15), with `time` in UNIX
        seconds, and none where the source has none (`intradayReason`).
        """
        columns = [column for kind in indicators or () for column in kind.columns]
        series = await get_series(
            info.context.env,
            self.symbol,
            start=start,
            end=end,
            last=last,
            interval=interval or Interval.DAY,
            basis=basis or PriceBasis.SPLIT_ADJUSTED,
            indicators=columns,
            studies=[f"sma_{window}" for window in studies or ()],
        )
        return Series(series)

    @strawberry.field
    async def sparkline(self, info: Info, points: int | None = 30) -> Series:
        """The newest closes, split-adjusted, as one column `close`."""
        count = 30 if points is None else points
        if not 1 <= count <= MAX_SPARKLINE:
            message = "points is %(value)d; it must be from 1 to %(bound)d"
            raise BadInput(message, field="points", value=count, bound=MAX_SPARKLINE)
        closes = await info.context.loaders.sparklines.load((self.symbol, count))
        return Series({"close": closes or []})

    @strawberry.field
    async def intraday_reason(self, info: Info) -> str | None:
        """Why there are no bars within days, null where there are."""
        reach = await info.context.loaders.reaches.load(self.row.mic)
        return None if reach.intraday else why_daily_only(reach.names, info.context.locale)

    @strawberry.field
    async def live_reason(self, info: Info) -> str | None:
        """Why the quote does not move during a session, null where it does, or is replayed."""
        reach = await info.context.loaders.reaches.load(self.row.mic)
        return None if reach.live else why_not_live(reach.names, info.context.locale)

    @strawberry.field
    async def indicators(self, info: Info, on: date | None = None) -> IndicatorSnapshot | None:
        """The indicators of the newest session, or of the newest on or before a day."""
        reading = await info.context.loaders.readings.load((self.symbol, on))
        return None if reading is None else _snapshot(reading)

    @strawberry.field
    async def fundamentals(self, info: Info, on: date | None = None) -> Fundamentals | None:
        """The newest snapshot, or the newest on or before a day; null where there is none."""
        row = await info.context.loaders.fundamentals.load((self.symbol, on))
        return None if row is None else Fundamentals.of(row)

    @strawberry.field
    async def signal(self, info: Info, on: date | None = None) -> Signal | None:
        """The votes on those indicators; null when one of them is unknown."""
        reading = await info.context.loaders.readings.load((self.symbol, on))
        if reading is None or reading.signal is None:
            return None
        return Signal.of(reading.day, reading.signal, self.currency, info.context.locale)

    @strawberry.field
    async def strong_signals(self, info: Info) -> Series:
        """Days on which its signal became STRONG_BUY (2) or STRONG_SELL (-2): time and level."""
        found = await list_strong(info.context.env, self.symbol)
        return Series({"time": [str(day) for day, _ in found], "level": [n for _, n in found]})

    @strawberry.field
    async def splits(self, info: Info) -> list[Split]:
        """All splits, in order of day."""
        rows = await info.context.loaders.splits.load(self.symbol)
        return [Split.of(row) for row in rows or ()]

    @strawberry.field
    async def dividends(self, info: Info) -> list[Dividend]:
        """All dividends, in order of ex-date."""
        rows = await info.context.loaders.dividends.load(self.symbol)
        return [Dividend.of(row) for row in rows or ()]

    @strawberry.field
    async def events(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> Connection[PriceEvent]:
        """Splits and dividends with their factors, the newest first."""
        env = info.context.env
        page = await list_events(env, self.symbol, clamp(first, 50), after)
        return make_connection(page, PriceEvent.of, lambda: count_events(env, self.symbol))

    @strawberry.field
    async def stored(self, info: Info) -> StoredData:
        """From when to when prices are stored, whose they are, and which version changed them."""
        return StoredData.of(await get_stored(info.context.env, self.symbol))

    @strawberry.field
    async def providers(self, info: Info) -> list[str]:
        """Whose prices it can have, in the order of its exchange (`useSource` changes it)."""
        return await list_providers(info.context.env, self.row.mic, self.symbol)

    @strawberry.field
    async def revisions(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> Connection[Revision]:
        """Its stored rows that changed later, the newest change first."""
        env = info.context.env
        page = await data_health.list_revisions(env, self.symbol, clamp(first, 50), after)
        return make_connection(
            page, Revision.of, lambda: data_health.count_revisions(env, self.symbol)
        )

    @strawberry.field
    async def recent_revision(self, info: Info) -> RecentRevision | None:
        """What has changed of its stored rows in the last 30 days; null where nothing has."""
        row = await info.context.loaders.recent_revisions.load(self.symbol)
        return None if row is None else RecentRevision.of(row)

    @strawberry.field
    async def quarantine(
        self,
        info: Info,
        state: QuarantineState | None = QuarantineState.HELD,
        first: int | None = 50,
        after: str | None = None,
    ) -> Connection[Quarantine]:
        """Its rows that were not believed, the newest finding first; null means every state."""
        env, key = info.context.env, (state and state.value, self.symbol)
        page = await data_health.list_quarantine(env, *key, clamp(first, 50), after)
        return make_connection(page, Quarantine.of, lambda: data_health.count_quarantine(env, *key))

    @strawberry.field
    async def sessions(self, info: Info, first: int | None = 10) -> list[Session]:
        """The sessions of its market from the present or next one on."""
        rows = await info.context.loaders.sessions.load((self.row.mic, clamp(first, 10)))
        return [Session.of(row) for row in rows]


def _snapshot(reading: Reading) -> IndicatorSnapshot:
    values = {_NUMBERED.sub("", name): value for name, value in reading.indicators.items()}
    return IndicatorSnapshot(day=reading.day, **values)
