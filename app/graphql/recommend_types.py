"""Types of the schema on recommendations: what was issued, what became of it, what it is worth."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

import strawberry

from app.domain.recommend.actions import Action, Advice
from app.domain.recommend.baselines import Baseline
from app.domain.recommend.evidence import Evidence
from app.domain.recommend.features import Feature
from app.domain.recommend.markets import MarketKey
from app.domain.recommend.record import ActionRecord as ActionRow
from app.domain.recommend.record import BaselineRecord as BaselineRow
from app.domain.recommend.record import Record
from app.domain.recommend.statistics import Mean
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.enums import register_enum
from app.graphql.instrument import Instrument
from app.graphql.recommend_words import comparison_sentence, evidence_sentence, reason_sentence
from app.services.recommendations import (
    HeldRow,
    IssueRow,
    OutcomeRow,
    RecommendationRow,
    Situation,
    Sort,
    WalkRow,
)
from app.services.track_record import RecordRow

register_enum(Action)
register_enum(Advice)
register_enum(Baseline, "RecommendationBaseline")
register_enum(Evidence)
register_enum(Feature, "RecommendationFeature")
register_enum(MarketKey, "RecommendationMarket")
register_enum(Sort, "RecommendationSort")


@strawberry.enum(description="Which way a reason pushes the rank.")
class Push(StrEnum):
    """Up or down."""

    UP = "UP"
    DOWN = "DOWN"


@described
@strawberry.type
class Reason:
    """What pushed the rank up or down: the figure that was read, and by how much it pushed."""

    feature: Feature
    push: Push
    value: float
    weight: float
    sentence: str


@described
@strawberry.type
class Outcome:
    """What became of it: bought at the next close, sold at its horizon. Fractions of one.

    All are null where no prices are stored any more that would tell.
    """

    day: date
    returned: float | None
    excess: float | None
    net: float | None
    beat: bool | None
    inside: bool | None

    @classmethod
    def of(cls, row: OutcomeRow) -> Outcome:
        """From a service's row."""
        return cls(
            day=row.day,
            returned=row.returned,
            excess=row.excess,
            net=row.net,
            beat=row.beat,
            inside=row.inside,
        )


@described
@strawberry.type
class RecommendationIssue:
    """The recommendations of a market and day, and what the rule's record was worth then."""

    row: strawberry.Private[IssueRow]
    market: MarketKey
    as_of: date
    horizon: int
    model: str
    simulated: bool
    data_version: str
    base_rate: float
    cost: float = strawberry.field(description="What buying and selling takes of the value.")
    compared_with: str | None
    evidence: Evidence
    instruments: int

    @classmethod
    def of(cls, row: IssueRow) -> RecommendationIssue:
        """From a service's row."""
        return cls(
            row=row,
            market=MarketKey(row.market),
            as_of=row.day,
            horizon=row.horizon,
            model=row.model,
            simulated=row.simulated,
            data_version=str(row.data_version),
            base_rate=row.base_rate,
            cost=row.cost,
            compared_with=row.compared_with,
            evidence=Evidence(row.evidence),
            instruments=row.instruments,
        )

    @strawberry.field
    async def evidence_sentence(self, info: Info) -> str:
        """Why the evidence is what it is, in the reader's language."""
        return evidence_sentence(self.row.evidence, self.row.standing, info.context.locale)

    @strawberry.field
    async def comparison(self, info: Info) -> str:
        """What stood for the market, in the reader's language."""
        row = self.row
        locale = info.context.locale
        return comparison_sentence(row.compared_with, row.instruments, locale, few=row.few)


@described
@strawberry.type
class Recommendation:
    """What the rule said of an instrument at the close of `asOf`.

    `action` is what the rule says, `evidence` what its record was worth; `rank` (0 to 100) is a
    place among the instruments and no probability; `probability` is that of beating the market
    within `horizon` sessions, null until enough is known, and stands beside `baseRate`. `target`
    and `stop` bound what eight of ten moves stayed within, in prices of that day.
    """

    row: strawberry.Private[RecommendationRow]
    id: strawberry.ID
    as_of: date
    horizon: int
    action: Action
    evidence: Evidence
    rank: float
    technical: float
    value: float | None
    probability: float | None
    base_rate: float
    close: Decimal
    target: Decimal | None
    stop: Decimal | None
    model: str
    data_version: str

    @classmethod
    def of(cls, row: RecommendationRow) -> Recommendation:
        """From a service's row."""
        return cls(
            row=row,
            id=strawberry.ID(f"{row.issue.id}-{row.symbol}"),
            as_of=row.issue.day,
            horizon=row.issue.horizon,
            action=row.action,
            evidence=Evidence(row.issue.evidence),
            rank=row.rank,
            technical=row.technical,
            value=row.value,
            probability=row.probability,
            base_rate=row.issue.base_rate,
            close=row.close,
            target=row.target,
            stop=row.stop,
            model=row.issue.model,
            data_version=str(row.issue.data_version),
        )

    @strawberry.field
    async def instrument(self, info: Info) -> Instrument:
        """The instrument."""
        row = await info.context.loaders.instruments.load(self.row.symbol)
        assert row is not None  # noqa: S101 - the rows are of instruments that there are
        return Instrument.of(row)

    @strawberry.field
    async def issue(self) -> RecommendationIssue:
        """What it was issued with."""
        return RecommendationIssue.of(self.row.issue)

    @strawberry.field
    async def ordinal(self, info: Info) -> int:
        """Its number in its issue from the best rank, which is 1; equal ranks share theirs."""
        return (await self._situation(info)).ordinal

    @strawberry.field
    async def since(self, info: Info) -> date:
        """The first day of the unbroken run of its action: of issued or of simulated ones."""
        return (await self._situation(info)).since

    async def _situation(self, info: Info) -> Situation:
        key = (self.row.issue.id, self.row.symbol)
        found = await info.context.loaders.situations.load(key)
        assert found is not None  # noqa: S101 - what was issued stays
        return found

    @strawberry.field
    async def reasons(self, info: Info) -> list[Reason]:
        """The three that pushed the rank up the most, then the three that pushed it down."""
        locale = info.context.locale
        return [
            Reason(
                feature=feature,
                push=Push.UP if push > 0 else Push.DOWN,
                value=value,
                weight=abs(push),
                sentence=reason_sentence(feature, value, locale),
            )
            for feature, value, push in self.row.reasons
        ]

    @strawberry.field
    async def outcome(self) -> Outcome | None:
        """What became of it; null until the horizon has passed."""
        return None if self.row.outcome is None else Outcome.of(self.row.outcome)


@described
@strawberry.type
class PositionAdvice:
    """What the rule would do with a position that one holds, by its newest recommendation."""

    portfolio_id: strawberry.ID
    portfolio_name: str
    quantity: Decimal
    advice: Advice
    recommendation: Recommendation

    @classmethod
    def of(cls, row: HeldRow) -> PositionAdvice:
        """From a service's row."""
        return cls(
            portfolio_id=strawberry.ID(str(row.portfolio_id)),
            portfolio_name=row.portfolio,
            quantity=row.quantity,
            advice=row.advice,
            recommendation=Recommendation.of(row.recommendation),
        )


@described
@strawberry.type
class RecommendationWalk:
    """The first walk over a market's history: so many weeks are done of all."""

    market: MarketKey
    done: int
    total: int

    @classmethod
    def of(cls, row: WalkRow) -> RecommendationWalk:
        """From a service's row."""
        return cls(market=MarketKey(row.market), done=row.done, total=row.total)


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
