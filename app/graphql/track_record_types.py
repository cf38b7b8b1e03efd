"""Types of the schema on the track record: what all that was issued was worth, and plain rules."""

from __future__ import annotations

from datetime import date

import strawberry

from app.domain.recommend.actions import Action
from app.domain.recommend.baselines import Baseline
from app.domain.recommend.markets import MarketKey
from app.domain.recommend.record import ActionRecord as ActionRow
from app.domain.recommend.record import BaselineRecord as BaselineRow
from app.domain.recommend.record import Record
from app.domain.recommend.statistics import Mean
from app.graphql.describing import described
from app.graphql.enums import register_enum
from app.services.recommend.track_record import RecordRow

register_enum(Baseline, "RecommendationBaseline")


@described
@strawberry.type
class Estimate:
    """A mean with its 95 % interval, clustered by day; one day alone has none."""

    value: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, mean: Mean) -> Estimate:
        """From the domain."""
        return cls(value=mean.value, low=mean.low, high=mean.high)

    @classmethod
    def maybe(cls, mean: Mean | None) -> Estimate | None:
        """The same, of what there may not be."""
        return None if mean is None else cls.of(mean)


@described
@strawberry.type
class ActionRecord:
    """An action: how often it beat the market, by how much in the mean, and after costs."""

    action: Action
    count: int
    beat: Estimate
    excess: Estimate
    net: Estimate

    @classmethod
    def of(cls, row: ActionRow) -> ActionRecord:
        """From the domain."""
        beat, excess, net = (Estimate.of(mean) for mean in (row.beat, row.excess, row.net))
        return cls(action=row.action, count=row.count, beat=beat, excess=excess, net=net)


@described
@strawberry.type
class BaselineRecord:
    """What a plain rule would have bought of the same instruments on the same days.

    `lead` is by how much more the purchases of the model brought after costs, over the days on
    which both bought; null where there is none.
    """

    baseline: Baseline
    count: int
    beat: Estimate
    net: Estimate
    bought: Estimate
    lead: Estimate | None

    @classmethod
    def of(cls, row: BaselineRow) -> BaselineRecord:
        """From the domain."""
        beat, net, bought = (Estimate.of(mean) for mean in (row.beat, row.net, row.bought))
        lead = Estimate.maybe(row.lead)
        return cls(
            baseline=row.baseline, count=row.count, beat=beat, net=net, bought=bought, lead=lead
        )


@described
@strawberry.type
class CalibrationPoint:
    """A tenth of the forecasts: the mean probability, how often it came true, and how many."""

    forecast: float
    seen: float
    count: int


@described
@strawberry.type
class RecordFigures:
    """What became of all that was scored, over `windows` that do not overlap.

    `baseRate` is how many of all beat their market. The returns are of the horizon: of purchases
    after costs, of all instruments in equal parts, and of the benchmark that is held.
    """

    windows: int
    base_rate: Estimate
    actions: list[ActionRecord]
    coverage: Estimate | None
    brier_skill: float | None
    calibration_error: float | None
    bought: Estimate | None
    equal_weight: Estimate
    held: Estimate | None
    baselines: list[BaselineRecord]

    @classmethod
    def of(cls, record: Record) -> RecordFigures:
        """From the domain."""
        return cls(
            windows=record.windows,
            base_rate=Estimate.of(record.base),
            actions=[ActionRecord.of(one) for one in record.actions],
            coverage=Estimate.maybe(record.coverage),
            brier_skill=record.skill,
            calibration_error=record.error,
            bought=Estimate.maybe(record.bought),
            equal_weight=Estimate.of(record.equal_weight),
            held=Estimate.maybe(record.held),
            baselines=[BaselineRecord.of(one) for one in record.baselines],
        )


@described
@strawberry.type
class MarketRecord:
    """The record of a market: of what was issued, or of what was simulated over the history.

    Of `issued` rows `scored` have an outcome, `unpriced` are over without prices that would tell.
    """

    market: MarketKey
    simulated: bool
    first_day: date
    last_day: date
    issued: int
    scored: int
    unpriced: int
    enough: bool = strawberry.field(description="Whether twelve windows of the horizon have ended.")
    figures: RecordFigures | None
    calibration: list[CalibrationPoint]

    @classmethod
    def of(cls, row: RecordRow) -> MarketRecord:
        """From a service's row."""
        return cls(
            market=MarketKey(row.market),
            simulated=row.simulated,
            first_day=row.first_day,
            last_day=row.last_day,
            issued=row.issued,
            scored=row.scored,
            unpriced=row.unpriced,
            enough=row.enough,
            figures=None if row.record is None else RecordFigures.of(row.record),
            calibration=[
                CalibrationPoint(forecast=p.forecast, seen=p.seen, count=p.count) for p in row.curve
            ],
        )


@described
@strawberry.type
class TrackRecord:
    """All that was issued, none left out: how many rows, how many are over, and each market."""

    horizon: int
    issued: int
    scored: int
    unpriced: int
    records: list[MarketRecord]
