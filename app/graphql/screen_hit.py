"""A hit of a screen: an instrument with the newest figures that were screened."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import strawberry

from app.domain.screening import CROSSES, SmaCross
from app.domain.signals import STRENGTHS, SignalStrength
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.instrument import Instrument
from app.services.screening.hits import HitRow


@described
@strawberry.type
class ScreenHit:
    """Figures of `day`, an instrument's newest session, and of its newest fundamentals.

    `current` is false where the newest finished session is missing or under review; `freshness` of
    the instrument says why. Changes, margins and yields are fractions: 0.05 is 5 %. Amounts are in
    the instrument's own currency; `fundamentalDay` is the day of what the company costs and earns.
    """

    symbol: str
    day: date
    current: bool
    close: Decimal
    volume: Decimal | None
    signal: SignalStrength | None
    sma_cross: SmaCross | None
    fundamental_day: date | None
    change: float | None
    return_5: float | None
    return_20: float | None
    volume_ratio: float | None
    from_high: float | None
    from_low: float | None
    rsi_14: float | None
    macd: float | None
    macd_signal: float | None
    macd_histogram: float | None
    stochastic_k: float | None
    stochastic_d: float | None
    sma_20: float | None
    sma_50: float | None
    sma_200: float | None
    bollinger_upper: float | None
    bollinger_middle: float | None
    bollinger_lower: float | None
    to_sma_20: float | None
    to_sma_50: float | None
    to_sma_200: float | None
    band_position: float | None
    market_cap: float | None
    total_debt: float | None
    trailing_pe: float | None
    forward_pe: float | None
    price_to_book: float | None
    return_on_equity: float | None
    dividend_yield: float | None
    gross_margin: float | None
    operating_margin: float | None
    net_margin: float | None
    debt_to_equity: float | None

    @classmethod
    def of(cls, row: HitRow) -> ScreenHit:
        """From a service's row."""
        return cls(
            symbol=row.symbol,
            day=row.day,
            current=row.current,
            close=row.close,
            volume=None if row.volume is None else Decimal(row.volume),
            signal=None if row.strength is None else STRENGTHS[row.strength],
            sma_cross=None if row.sma_cross is None else CROSSES[row.sma_cross],
            fundamental_day=row.fundamental_day,
            **row.figures,
        )

    @strawberry.field
    async def instrument(self, info: Info) -> Instrument | None:
        """What was hit; null if it has been removed a moment ago."""
        row = await info.context.loaders.instruments.load(self.symbol)
        return None if row is None else Instrument.of(row)
