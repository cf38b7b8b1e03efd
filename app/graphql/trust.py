"""The part of the schema on trust: quarantine, revisions, comparisons, the state of all data."""

from __future__ import annotations

from datetime import datetime

import strawberry

from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.enums import FreshnessState, QuarantineState, SourceUseOutcome
from app.graphql.instrument import Instrument
from app.graphql.paging import Connection, clamp, make_connection
from app.graphql.permissions import require_market, require_operator
from app.graphql.trust_types import CrossCheck, Quarantine, Revision
from app.services.collect import data_health, quarantine
from app.services.collect.back_up import use_source
from app.services.collect.data_health import DataHealth as DataHealthRow
from app.services.collect.revisions import data_version
from app.services.market.instruments import find_instruments
from app.services.market.prices import FreshnessState as StoredState
from app.services.paging import Page
from app.services.schedule.job_progress import get_progress


@described
@strawberry.type
class StateCount:
    """How many watched instruments are in a state of freshness."""

    state: FreshnessState
    count: int


@described
@strawberry.type
class CollectionProgress:
    """The collections that run now, and those that ended since the first of them was due.

    `waiting` have not been tried yet; `retrying` have, and will be again, first at `nextTryAt`.
    `measuring`: what signals were worth is being computed for the first time.
    """

    total: int
    done: int
    failed: int
    running: int
    waiting: int
    retrying: int
    next_try_at: datetime | None
    measuring: bool


@described
@strawberry.type
class DataHealth:
    """The state of all stored data: freshness of what is watched, rows held, rows changed."""

    row: strawberry.Private[DataHealthRow]
    states: list[StateCount] = strawberry.field(description="The worst first; none of zero.")
    quarantined: int = strawberry.field(description="Rows that wait for a decision.")
    revised: int = strawberry.field(description="Stored rows changed within the last 30 days.")

    @classmethod
    def of(cls, row: DataHealthRow) -> DataHealth:
        """From a service's row."""
        states = [StateCount(state=FreshnessState(s), count=n) for s, n in row.states.items()]
        return cls(row=row, states=states, quarantined=row.quarantined, revised=row.revised)

    @strawberry.field
    async def instruments(
        self,
        info: Info,
        state: FreshnessState | None = None,
        first: int | None = 50,
        after: str | None = None,
    ) -> Connection[Instrument]:
        """Watched instruments in that state, or in any: the worst first."""
        wanted = None if state is None else StoredState(state.value)
        page = self.row.list_symbols(wanted, clamp(first, 50), after)
        rows = await find_instruments(info.context.env, page.rows)
        shown = [(s, c) for s, c in zip(page.rows, page.cursors, strict=True) if s in rows]
        for symbol in page.rows:
            info.context.loaders.freshness.prime(symbol, self.row.freshness[symbol])
        found = Page([rows[s] for s, _ in shown], [c for _, c in shown], page.has_next)
        return make_connection(found, Instrument.of, lambda: self._count(wanted))

    async def _count(self, state: StoredState | None) -> int:
        counts = self.row.states
        return sum(counts.values()) if state is None else counts.get(state, 0)


@described
@strawberry.type
class TrustQuery:
    """How far the stored prices can be trusted."""

    @strawberry.field
    async def data_version(self, info: Info) -> str:
        """The number of the newest change of stored prices: what has seen it can be repeated."""
        return str(await data_version(require_market(info).env))

    @strawberry.field
    async def data_health(self, info: Info) -> DataHealth:
        """Freshness of all watched instruments, with what is held and what has changed."""
        return DataHealth.of(await data_health.get_data_health(require_market(info).env))

    @strawberry.field
    async def quarantine(
        self,
        info: Info,
        state: QuarantineState | None = QuarantineState.HELD,
        symbol: str | None = None,
        first: int | None = 50,
        after: str | None = None,
    ) -> Connection[Quarantine]:
        """Rows that were not believed, the newest finding first; null as `state` means all."""
        env, key = require_market(info).env, (state and state.value, symbol)
        page = await data_health.list_quarantine(env, *key, clamp(first, 50), after)
        return make_connection(page, Quarantine.of, lambda: data_health.count_quarantine(env, *key))

    @strawberry.field
    async def revisions(
        self,
        info: Info,
        symbol: str | None = None,
        first: int | None = 50,
        after: str | None = None,
    ) -> Connection[Revision]:
        """Stored rows that changed later, the newest change first."""
        env = require_market(info).env
        page = await data_health.list_revisions(env, symbol, clamp(first, 50), after)
        return make_connection(page, Revision.of, lambda: data_health.count_revisions(env, symbol))

    @strawberry.field
    async def cross_checks(
        self,
        info: Info,
        symbol: str | None = None,
        first: int | None = 50,
        after: str | None = None,
    ) -> Connection[CrossCheck]:
        """Comparisons with other sources, those with the most differing days first."""
        env = require_market(info).env
        page = await data_health.list_cross_checks(env, symbol, clamp(first, 50), after)
        return make_connection(
            page, CrossCheck.of, lambda: data_health.count_cross_checks(env, symbol)
        )

    @strawberry.field
    async def collection_progress(self, info: Info) -> CollectionProgress:
        """How far the running collections are; all zero while none is open."""
        row = await get_progress(require_market(info).env)
        return CollectionProgress(**vars(row))


@described
@strawberry.type
class SourceUse:
    """What came of taking an instrument's prices from a source: `bars` rows are new or changed.

    STORED or UNCHANGED: all its rows are of that source now. HELD: they contradict what is stored,
    which stays; SUPERSEDED: somebody else changed it meanwhile.
    """

    symbol: str
    outcome: SourceUseOutcome
    bars: int
    detail: str | None


@described
@strawberry.type
class TrustMutation:
    """What the operator may decide about held rows."""

    @strawberry.mutation
    async def release_quarantined(self, info: Info, id: strawberry.ID) -> Quarantine:  # noqa: A002
        """Stores a held row as it was given; the held rows after it are examined anew."""
        env = require_operator(info).env
        return Quarantine.of(await quarantine.release(env, data_health.read_id(id)))

    @strawberry.mutation
    async def drop_quarantined(self, info: Info, id: strawberry.ID) -> Quarantine:  # noqa: A002
        """Decides that a held row is never stored."""
        env = require_operator(info).env
        return Quarantine.of(await quarantine.drop(env, data_health.read_id(id)))

    @strawberry.mutation
    async def use_source(self, info: Info, symbol: str, provider: str) -> SourceUse:
        """Replaces all prices of an instrument by those of another of its `providers`."""
        found = await use_source(require_operator(info).env, symbol, provider)
        return SourceUse(
            symbol=found.symbol,
            outcome=SourceUseOutcome(found.outcome),
            bars=found.bars,
            detail=found.detail,
        )
