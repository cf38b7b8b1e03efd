"""Backtests in the schema: one's own ones, how far they are, and what came of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import strawberry

from app.domain.backtest.request import Mode
from app.env import Env
from app.errors import BadInput
from app.graphql.backtest_results import BacktestResult
from app.graphql.backtest_types import (
    BacktestSettings,
    StrategyType,
)
from app.graphql.backtest_words import (
    error_sentence,
    stage_word,
    strategy_words,
)
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.enums import register_enum
from app.graphql.paging import Connection, clamp, make_connection
from app.graphql.permissions import require_market, require_user
from app.services.backtest import backtests
from app.services.backtest.backtest_repeats import list_repetitions
from app.services.backtest.backtests import BacktestRow
from app.services.backtest.strategies import expect_runs, list_strategies
from app.services.paging import check_first

MOST_COMPARED: Final = 6


class JobState(StrEnum):
    """How far work is that a worker does: PENDING waits for its turn."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


register_enum(JobState)


def _id(number: int | None) -> strawberry.ID | None:
    return None if number is None else strawberry.ID(str(number))


@described
@strawberry.type
class BacktestRepetition:
    """A run of the same backtest after a later collection."""

    id: strawberry.ID
    last_day: date
    state: JobState
    result: BacktestResult | None

    @classmethod
    def of(cls, env: Env, row: BacktestRow) -> BacktestRepetition:
        """From a service's row."""
        result = None if row.figures is None else BacktestResult.of(env, row)
        state = JobState(row.state)
        return cls(id=strawberry.ID(str(row.id)), last_day=row.last_day, state=state, result=result)


@described
@strawberry.type
class Backtest:
    """A backtest: what was asked for, how far it is, what came of it.

    `dataVersion` is that of the prices that it is pinned to. `progress` goes from 0 to 1. One that
    `repeats` runs again after each collection; each repetition is one of its own with `repeatOf`.
    `portfolioId` is that of the portfolio whose shadow twin it is.
    """

    row: strawberry.Private[BacktestRow]
    id: strawberry.ID
    name: str | None
    mode: Mode
    strategy: str
    symbols: list[str]
    first_day: date
    last_day: date
    state: JobState
    progress: float
    seconds_left: int | None
    trials: int
    data_version: str
    source: str
    repeats: bool
    repeat_of: strawberry.ID | None
    portfolio_id: strawberry.ID | None
    created_at: datetime
    started_at: datetime | None
    done_at: datetime | None

    @classmethod
    def of(cls, row: BacktestRow, now: datetime) -> Backtest:
        """From a service's row."""
        same = ("name", "strategy", "symbols", "first_day", "last_day", "progress", "trials")
        more = ("source", "repeats", "created_at", "started_at", "done_at")
        return cls(
            row=row,
            id=strawberry.ID(str(row.id)),
            mode=Mode(row.mode),
            state=JobState(row.state),
            seconds_left=row.seconds_left(now),
            data_version=str(row.data_version),
            repeat_of=_id(row.repeat_of),
            portfolio_id=_id(row.portfolio_id),
            **{name: getattr(row, name) for name in (*same, *more)},
        )

    @strawberry.field
    def strategy_name(self, info: Info) -> str:
        """The strategy in the reader's language."""
        return strategy_words(self.strategy, self.row.title, "", info.context.locale)[0]

    @strawberry.field
    def stage(self, info: Info) -> str | None:
        """What is being done now."""
        return stage_word(self.row.stage, info.context.locale)

    @strawberry.field
    def input(self, info: Info) -> BacktestSettings:
        """What was asked for."""
        return BacktestSettings.of(self.row.request, info.context.locale)

    @strawberry.field
    def result(self, info: Info) -> BacktestResult | None:
        """What came of it; there before the search for look-ahead has ended."""
        if self.row.figures is None:
            return None
        return BacktestResult.of(info.context.env, self.row)

    @strawberry.field
    async def repetitions(self, info: Info, first: int | None = 30) -> list[BacktestRepetition]:
        """Its runs after later collections, the newest first."""
        env, count = info.context.env, check_first(clamp(first, 30))
        rows = await list_repetitions(env, self.row.user_id, self.row.id, count)
        return [BacktestRepetition.of(env, row) for row in rows]

    @strawberry.field
    def error(self, info: Info) -> str | None:
        """Why it failed."""
        error = self.row.error
        return None if error is None else error_sentence(error, info.context.locale)


@described
@strawberry.type
class BacktestQuery:
    """Strategies, and one's own backtests."""

    @strawberry.field
    async def strategies(self, info: Info, first: int | None = 25) -> list[StrategyType]:
        """What can be tested: the built-in strategies, then the operator's own."""
        context, count = require_market(info), check_first(clamp(first, 25))
        known = await list_strategies(context.env)
        await expect_runs(context.env)
        return [StrategyType.of(one, context.locale) for one in known[:count]]

    @strawberry.field
    async def backtest(self, info: Info, id: strawberry.ID) -> Backtest | None:  # noqa: A002
        """One of one's own."""
        env, user_id = info.context.env, require_user(info).user.id
        return Backtest.of(await backtests.get_backtest(env, user_id, id), env.clock.now())

    @strawberry.field
    async def backtests(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> Connection[Backtest]:
        """One's own, the newest first."""
        env, user_id = info.context.env, require_user(info).user.id
        page = await backtests.list_backtests(env, user_id, first=clamp(first, 50), after=after)
        now = env.clock.now()
        count = lambda: backtests.count_backtests(env, user_id)  # noqa: E731
        return make_connection(page, lambda row: Backtest.of(row, now), count)

    @strawberry.field
    async def compare_backtests(self, info: Info, ids: list[strawberry.ID]) -> list[Backtest]:
        """Up to six of one's own, in the order given."""
        env, user_id = info.context.env, require_user(info).user.id
        chosen = list(dict.fromkeys(ids))
        if not 1 <= len(chosen) <= MOST_COMPARED:
            message = "ids has %(value)d entries; it must be from 1 to %(bound)d"
            raise BadInput(message, field="ids", value=len(chosen), bound=MOST_COMPARED)
        now = env.clock.now()
        rows = [await backtests.get_backtest(env, user_id, one) for one in chosen]
        return [Backtest.of(row, now) for row in rows]


@described
@strawberry.type
class BacktestSubscription:
    """One's own backtests while they run."""

    @strawberry.subscription
    async def backtest(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - an argument of the schema
    ) -> AsyncGenerator[Backtest]:
        """The backtest now, and whenever it has come further, until it has ended."""
        env, user_id = info.context.env, require_user(info).user.id
        async with aclosing(backtests.follow_backtest(env, user_id, id)) as changes:
            async for row in changes:
                yield Backtest.of(row, env.clock.now())
