"""Types of the schema on recommendations: what was issued, and what became of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

import strawberry

from app.domain.recommend.actions import Action, Advice
from app.domain.recommend.evidence import Evidence
from app.domain.recommend.features import Feature
from app.domain.recommend.markets import MarketKey
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.enums import register_enum
from app.graphql.instrument import Instrument
from app.graphql.recommend_words import comparison_sentence, evidence_sentence, reason_sentence
from app.services.recommend.recommendations import (
    HeldRow,
    IssueRow,
    OutcomeRow,
    RecommendationRow,
    Situation,
    Sort,
    WalkRow,
)

register_enum(Action)
register_enum(Advice)
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
    """The first walk over a market's history: weeks that are issued, of about so many.

    It begins with reading the prices, and lasts until what is over has been scored.
    """

    market: MarketKey
    done: int
    total: int

    @classmethod
    def of(cls, row: WalkRow) -> RecommendationWalk:
        """From a service's row."""
        return cls(market=MarketKey(row.market), done=row.done, total=row.total)
