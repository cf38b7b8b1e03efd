"""Correlation and lead-lag in the schema."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

import strawberry

from app.domain.correlation.lead_lag import LeadLag as LeadLagRow
from app.domain.correlation.matrix import CorrelationMethod
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.instrument import From, Instrument, To
from app.graphql.paging import clamp
from app.graphql.permissions import require_market
from app.graphql.scalars import Matrix, Series
from app.services.signals.correlations import (
    WINDOW,
    CorrelationPair,
    get_correlation,
    get_pair,
    list_lead_lags,
)

_PLACES: Final = 6


@described
@strawberry.type
class PairCorrelation:
    """How two instruments move together, on the days of one market."""

    pearson: float | None
    spearman: float | None
    observations: int
    base: str  # the market whose sessions the days are, as a MIC
    window: int
    series: Series  # time, one, two (log returns of the close), rolling (null before the window)

    @classmethod
    def of(cls, row: CorrelationPair) -> PairCorrelation:
        """From a service's row."""
        one, two = row.returns.values.T
        columns: dict[str, list[Any]] = {
            "time": [day.isoformat() for day in row.returns.days],
            "one": _rounded(one),
            "two": _rounded(two),
            "rolling": _rounded(row.rolling),
        }
        return cls(
            pearson=_known(row.pearson),
            spearman=_known(row.spearman),
            observations=len(row.returns),
            base=row.base,
            window=row.window,
            series=Series(columns),
        )


@described
@strawberry.type
class LeadLag:
    """What the past of a cause tells of an effect beyond the effect's own: it precedes, no more.

    The first half of the days proposes, the later half confirms.
    """

    lags: int
    observations: int
    f: float | None
    p: float | None  # of the F test alone, which is too small on prices
    q: float  # corrected for all pairs together, against rotations of the same prices
    strength: float  # partial correlation of normal scores, first half
    later_p: float | None
    later_strength: float | None
    found: bool  # q at most 5 %, and the later half has the same sign at 5 %
    row: strawberry.Private[LeadLagRow]

    @classmethod
    def of(cls, row: LeadLagRow) -> LeadLag:
        """From the domain's row."""
        return cls(
            lags=row.lags,
            observations=row.rows,
            f=_known(row.f),
            p=_known(row.p),
            q=row.q,
            strength=row.strength,
            later_p=_known(row.later_p),
            later_strength=_known(row.later_strength),
            found=row.found,
            row=row,
        )

    @strawberry.field
    async def cause(self, info: Info) -> Instrument:
        """What precedes."""
        return await _load(info, self.row.cause)

    @strawberry.field
    async def effect(self, info: Info) -> Instrument:
        """What follows."""
        return await _load(info, self.row.effect)


@described
@strawberry.type
class CorrelationQuery:
    """What moves together, and what moves first."""

    @strawberry.field
    async def correlation(
        self,
        info: Info,
        symbols: list[str],
        start: From = None,
        end: To = None,
        method: CorrelationMethod = CorrelationMethod.PEARSON,
    ) -> Matrix:
        """Coefficients of daily returns of 2 to 500 instruments, on the days that all have.

        Beside rows, columns and values: `span`, the first and the last day; `observations`, how
        many; `base`, the market whose sessions they are. Closes of other markets are the newest
        known at that market's close. A value is null for an instrument that does not move.
        """
        found = await get_correlation(require_market(info).env, symbols, start, end, method)
        days = found.returns.days
        names = list(found.returns.symbols)
        return Matrix(
            {
                "rows": names,
                "columns": names,
                "values": [_rounded(row) for row in found.values],
                "span": [days[0].isoformat(), days[-1].isoformat()],
                "observations": [len(days)],
                "base": [found.base],
            }
        )

    @strawberry.field
    async def pair_correlation(  # noqa: PLR0913, PLR0917 - what a pair is looked at by
        self,
        info: Info,
        one: str,
        two: str,
        start: From = None,
        end: To = None,
        window: int = WINDOW,
    ) -> PairCorrelation:
        """Two instruments day by day, and their coefficient over the last `window` days of each."""
        env = require_market(info).env
        return PairCorrelation.of(
            await get_pair(env, one, two, start=start, end=end, window=window)
        )

    @strawberry.field
    async def lead_lag(  # noqa: PLR0913, PLR0917 - the instruments, the window and how many
        self,
        info: Info,
        symbols: list[str],
        start: From = None,
        end: To = None,
        max_lag: int = 5,
        first: int = 50,
    ) -> list[LeadLag]:
        """What statistically precedes what among 2 to 30 instruments, the surest pairs first.

        All ordered pairs are tested, `first` are told (200 at most); none is a cause in itself. An
        instrument whose returns do not come back to a mean is in no pair.
        """
        env = require_market(info).env
        many = clamp(first, 50)
        rows = await list_lead_lags(env, symbols, start=start, end=end, max_lag=max_lag, first=many)
        return [LeadLag.of(row) for row in rows]


def _rounded(values: Iterable[Any]) -> list[float | None]:
    return [None if math.isnan(value) else round(float(value), _PLACES) for value in values]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


async def _load(info: Info, symbol: str) -> Instrument:
    row = await info.context.loaders.instruments.load(symbol)
    assert row is not None  # noqa: S101 - it was read a moment ago
    return Instrument.of(row)
