"""The recommendation part of the schema: the newest ones, the track record, and what one holds."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from app.domain.recommend.outcomes import HORIZON
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.paging import Connection, clamp, make_connection
from app.graphql.permissions import require_market, require_user
from app.graphql.recommend_types import (
    PositionAdvice,
    Recommendation,
    RecommendationIssue,
    RecommendationWalk,
)
from app.graphql.track_record_types import MarketRecord, TrackRecord
from app.services.recommend.recommendations import (
    Sort,
    count_recommendations,
    find_recommendation,
    list_held,
    list_issues,
    list_recommendations,
    list_walks,
)
from app.services.recommend.track_record import list_records

From = Annotated[date | None, strawberry.argument(name="from")]
To = Annotated[date | None, strawberry.argument(name="to")]


@described
@strawberry.type
class RecommendationQuery:
    """Recommendations: research and education, no advice."""

    @strawberry.field
    async def recommendations(  # noqa: PLR0913, PLR0917 - the contract's arguments
        self,
        info: Info,
        as_of: date | None = None,
        market: str | None = None,
        sort: Sort | None = Sort.RANK,
        first: int | None = 50,
        after: str | None = None,
    ) -> Connection[Recommendation]:
        """The newest of each market (KR, US) on or before a day, of what is watched."""
        env = require_market(info).env
        page = await list_recommendations(
            env,
            as_of=as_of,
            market=market,
            sort=sort or Sort.RANK,
            first=clamp(first, 50),
            after=after,
        )
        return make_connection(
            page, Recommendation.of, lambda: count_recommendations(env, as_of, market)
        )

    @strawberry.field
    async def recommendation(self, info: Info, symbol: str) -> Recommendation | None:
        """What the newest issue of its market says of an instrument; null when it is not in it."""
        row = await find_recommendation(require_market(info).env, symbol)
        return None if row is None else Recommendation.of(row)

    @strawberry.field
    async def recommendation_issues(
        self, info: Info, as_of: date | None = None, market: str | None = None
    ) -> list[RecommendationIssue]:
        """What the newest recommendations of each market were issued with."""
        rows = await list_issues(require_market(info).env, as_of, market)
        return [RecommendationIssue.of(row) for row in rows]

    @strawberry.field
    async def recommendation_walks(self, info: Info) -> list[RecommendationWalk]:
        """The markets whose history is being walked over for the first time."""
        rows = await list_walks(require_market(info).env)
        return [RecommendationWalk.of(row) for row in rows]

    @strawberry.field
    async def position_advice(self, info: Info, first: int | None = 50) -> list[PositionAdvice]:
        """What the rule would do with the positions of one's portfolios, worst rank first."""
        identity = require_user(info)
        rows = await list_held(info.context.env, identity.user.id, clamp(first, 50))
        return [PositionAdvice.of(row) for row in rows]

    @strawberry.field
    async def track_record(
        self, info: Info, model: str | None = None, start: From = None, end: To = None
    ) -> TrackRecord:
        """What became of all that a model issued between two days."""
        rows = await list_records(require_market(info).env, model, start, end)
        return TrackRecord(
            horizon=HORIZON,
            issued=sum(row.issued for row in rows),
            scored=sum(row.scored for row in rows),
            unpriced=sum(row.unpriced for row in rows),
            records=[MarketRecord.of(row) for row in rows],
        )
