"""What came of a backtest, in the schema: figures at once, the rest when it is asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import strawberry

from app.env import Env
from app.graphql.backtest_heatmap import SweepMetric, make_heatmap
from app.graphql.backtest_shadow import Shadow
from app.graphql.backtest_types import (
    BenchmarkResult,
    DrawdownSpan,
    LookAheadCertificate,
    OverfittingResult,
    ParameterValue,
    SweepAxis,
    Trade,
    WalkForwardResult,
    camel_columns,
    list_values,
    money,
)
from app.graphql.backtest_words import fill_sentence, list_warnings
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.paging import Connection, clamp, connect_rows
from app.graphql.scalars import Matrix, Series
from app.services.backtest.backtest_store import find_report, read_cells
from app.services.backtest.backtests import BacktestRow
from app.services.paging import check_first

_MONTHS: Final = tuple(range(1, 13))


@dataclass
class Stored:
    """The report of a backtest, read once however many fields ask for it."""

    env: Env
    row: BacktestRow
    reading: asyncio.Future[dict[str, Any] | None] | None = field(default=None)

    async def report(self) -> dict[str, Any]:
        """All of it; empty where it is gone."""
        if self.reading is None:
            found = find_report(self.env, self.row.user_id, self.row.id)
            self.reading = asyncio.ensure_future(found)
        return await self.reading or {}


@described
@strawberry.type
class SweepResult:
    """The cells of a sweep; `leftOut` are those whose values do not go together.

    `best` and `neighbours` (at most one place away on every axis) are columns: parameters and
    figures. A peak alone among its neighbours is chance.
    """

    stored: strawberry.Private[Stored]
    told: strawberry.Private[dict[str, Any]]
    cells: int
    left_out: int
    median_sharpe: float | None
    axes: list[SweepAxis]
    best: Series
    neighbours: Series

    @strawberry.field
    async def heatmap(
        self, x: str, y: str, metric: SweepMetric = SweepMetric.SHARPE_RATIO
    ) -> Matrix:
        """A figure over two axes, the others as in the best cell; at most 60 values of each."""
        cells = await read_cells(self.stored.env, self.stored.row.user_id, self.stored.row.id)
        if cells is None:
            return Matrix({"rows": [], "columns": [], "values": []})
        return make_heatmap(cells, self.told["axes"], self.told["best"], (x, y), metric)

    @strawberry.field
    async def top(self, first: int | None = 20) -> Series:
        """The cells with the highest Sharpe ratios, as columns."""
        count = check_first(clamp(first, 20))
        cells = await read_cells(self.stored.env, self.stored.row.user_id, self.stored.row.id)
        if cells is None:
            return Series({})
        best = cells.sort("sharpe_ratio", descending=True, nulls_last=True).head(count)
        return camel_columns(best.to_dict(as_series=False))


@described
@strawberry.type
class BacktestResult:
    """What came of a backtest: each ratio a year of 252 sessions, over every session's return.

    Sharpe without a risk-free rate; Sortino over all returns; `cagr` by sessions, `cagrCalendar` by
    days; the drawdown's first peak is the starting capital; positions are not sold at the end.
    """

    stored: strawberry.Private[Stored]
    currency: str
    first_day: date
    last_day: date
    sessions: int
    final_equity: Decimal
    roi: float
    cagr: float | None
    cagr_calendar: float | None
    volatility: float | None
    sharpe_ratio: float | None
    sortino_ratio: float | None
    calmar_ratio: float | None
    max_drawdown: float
    win_rate: float | None
    profit_factor: float | None
    exposure: float | None
    turnover: float | None
    fees: Decimal
    taxes: Decimal
    trades: int

    @classmethod
    def of(cls, env: Env, row: BacktestRow) -> BacktestResult:
        """From a row with figures."""
        facts = dict(row.figures or {})
        for name in ("fills", "refused_shorts"):
            facts.pop(name)
        for name in ("first_day", "last_day"):
            facts[name] = date.fromisoformat(facts[name])
        for name in ("final_equity", "fees", "taxes"):
            facts[name] = money(facts[name], facts["currency"])
        return cls(stored=Stored(env, row), **facts)

    @strawberry.field
    def fill_rule(self, info: Info) -> str:
        """The rule by which orders were filled."""
        return fill_sentence(self.stored.row.request.setup.fill, info.context.locale)

    @strawberry.field
    async def warnings(self, info: Info) -> list[str]:
        """What has to be known before this is believed, the gravest first."""
        report = await self.stored.report()
        return list_warnings(report, info.context.locale) if report else []

    @strawberry.field
    async def parameters(self, info: Info) -> list[ParameterValue]:
        """The values of the run: of a sweep the best ones, of a walk-forward the last choice."""
        report = await self.stored.report()
        return list_values(report.get("values", {}), info.context.locale)

    @strawberry.field
    async def equity(self) -> Series:
        """Columns: time, equity, drawdown, buyAndHold, equalWeight, and benchmark if asked for."""
        return camel_columns((await self.stored.report()).get("columns", {}))

    @strawberry.field
    async def drawdown(self) -> Series:
        """Columns: time, and equity below its highest so far."""
        columns = (await self.stored.report()).get("columns", {})
        return Series({name: columns[name] for name in ("time", "drawdown") if name in columns})

    @strawberry.field
    async def drawdowns(self) -> list[DrawdownSpan]:
        """The ten deepest drawdowns, the deepest first."""
        return [DrawdownSpan.of(one) for one in (await self.stored.report()).get("drawdowns", [])]

    @strawberry.field
    async def monthly_returns(self) -> Matrix:
        """Compounded returns: a row a year, a column a month; null outside of the test."""
        told = (await self.stored.report()).get("monthly", {"year": [], "month": [], "return": []})
        rows = zip(told["year"], told["month"], told["return"], strict=True)
        found = {(year, month): value for year, month, value in rows}
        years = sorted({year for year, _ in found})
        values = [[found.get((year, month)) for month in _MONTHS] for year in years]
        return Matrix({"rows": years, "columns": list(_MONTHS), "values": values})

    @strawberry.field
    async def round_trips(
        self, first: int | None = 100, after: str | None = None
    ) -> Connection[Trade]:
        """Closed trades in order."""
        rows = _rows((await self.stored.report()).get("trips", {}))
        currency = self.currency
        return connect_rows(rows, clamp(first, 100), after, lambda row: Trade.of(row, currency))

    @strawberry.field
    async def fills(self) -> Series:
        """Every fill, as columns; a quantity below zero was sold, `price` is as traded."""
        return camel_columns((await self.stored.report()).get("fills", {}))

    @strawberry.field
    async def benchmark(self) -> BenchmarkResult | None:
        """The series that was asked for, else buy and hold."""
        listed = await self._benchmarks()
        return listed[-1] if self.stored.row.request.benchmark else next(iter(listed), None)

    @strawberry.field
    async def benchmarks(self) -> list[BenchmarkResult]:
        """Buy and hold, equal weights, and the series that was asked for."""
        return await self._benchmarks()

    @strawberry.field
    async def each(self) -> Series | None:
        """Each instrument by itself, with the same values and all of the cash, as columns.

        They are: symbol, sessions, finalEquity, roi, sharpeRatio, maxDrawdown, roundTrips, costs,
        exposure. Null for one instrument, and for strategies that compare instruments.
        """
        told = (await self.stored.report()).get("each")
        return None if told is None else camel_columns(told)

    @strawberry.field
    async def look_ahead(self) -> LookAheadCertificate:
        """Whether the strategy looked ahead."""
        return LookAheadCertificate.of((await self.stored.report()).get("certificate"))

    @strawberry.field
    async def overfitting(self) -> OverfittingResult | None:
        """What is left of the Sharpe ratio when it is known how many were tried."""
        told = (await self.stored.report()).get("overfitting")
        return None if told is None else OverfittingResult(**told)

    @strawberry.field
    async def sweep(self, info: Info) -> SweepResult | None:
        """The cells of a sweep."""
        told = (await self.stored.report()).get("sweep")
        if told is None:
            return None
        locale = info.context.locale
        return SweepResult(
            stored=self.stored,
            told=told,
            cells=told["cells"],
            left_out=told["left_out"],
            median_sharpe=told["median"],
            axes=[SweepAxis.of(name, values, locale) for name, values in told["axes"].items()],
            best=camel_columns({name: [value] for name, value in told["best"].items()}),
            neighbours=camel_columns(told["neighbours"]),
        )

    @strawberry.field
    async def walk_forward(self, info: Info) -> WalkForwardResult | None:
        """The folds of a walk-forward."""
        told = (await self.stored.report()).get("walk_forward")
        return None if told is None else WalkForwardResult.of(told, info.context.locale)

    @strawberry.field
    async def shadow(self) -> Shadow | None:
        """The portfolio that this is the twin of, trade by trade beside it."""
        told = (await self.stored.report()).get("shadow")
        return None if told is None else Shadow.of(told)

    async def _benchmarks(self) -> list[BenchmarkResult]:
        told = (await self.stored.report()).get("benchmarks", {})
        own = self.stored.row.request.benchmark or ""
        return [
            BenchmarkResult.of(own if name == "benchmark" else name.upper(), one, self.currency)
            for name, one in told.items()
        ]


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
