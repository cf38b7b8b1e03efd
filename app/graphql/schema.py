"""The schema: the parts of every area put together.

`python -m app.graphql.schema > schema.graphql` writes its SDL into the repository.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Final

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.graphql.account import AccountMutation, AccountQuery, LinkMutation
from app.graphql.administration import AdministrationMutation, AdministrationQuery
from app.graphql.alert_channels import AlertChannelMutation, AlertChannelQuery
from app.graphql.alerts import AlertMutation, AlertQuery, AlertSubscription
from app.graphql.backtest_changes import BacktestMutation
from app.graphql.backtests import BacktestQuery, BacktestSubscription
from app.graphql.calendar import CalendarMutation, CalendarQuery
from app.graphql.correlations import CorrelationQuery
from app.graphql.describing import described
from app.graphql.execution import EXTENSIONS, EventExecutor, Schema
from app.graphql.market import MarketMutation, MarketQuery, MarketSubscription
from app.graphql.orders import OrderMutation
from app.graphql.portfolio import PortfolioQuery, PortfolioSubscription
from app.graphql.portfolio_changes import PortfolioMutation
from app.graphql.proposals import ProposalMutation
from app.graphql.recommendations import RecommendationQuery
from app.graphql.records import RecordMutation, RecordQuery
from app.graphql.scalars import SCALARS
from app.graphql.screening import ScreenMutation, ScreenQuery
from app.graphql.trust import TrustMutation, TrustQuery
from app.graphql.universe import UniverseMutation, UniverseQuery
from app.graphql.users import SignInMutation, TokenMutation, UserQuery
from app.graphql.watchlists import WatchlistMutation, WatchlistQuery


@described
@strawberry.type
class Query(
    RecommendationQuery,
    MarketQuery,
    TrustQuery,
    CalendarQuery,
    UniverseQuery,
    UserQuery,
    PortfolioQuery,
    AccountQuery,
    AdministrationQuery,
    RecordQuery,
    BacktestQuery,
    AlertQuery,
    WatchlistQuery,
    AlertChannelQuery,
    ScreenQuery,
    CorrelationQuery,
):
    """Everything that can be asked."""


@described
@strawberry.type
class Mutation(
    MarketMutation,
    TrustMutation,
    CalendarMutation,
    UniverseMutation,
    SignInMutation,
    TokenMutation,
    AccountMutation,
    LinkMutation,
    PortfolioMutation,
    AdministrationMutation,
    RecordMutation,
    ProposalMutation,
    OrderMutation,
    BacktestMutation,
    AlertMutation,
    WatchlistMutation,
    AlertChannelMutation,
    ScreenMutation,
):
    """Everything that can be changed."""


@described
@strawberry.type
class Subscription(
    MarketSubscription, PortfolioSubscription, BacktestSubscription, AlertSubscription
):
    """Everything that can be followed, over the WebSocket."""


schema: Final = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=EXTENSIONS,
    execution_context_class=EventExecutor,
    config=StrawberryConfig(disable_field_suggestions=True, scalar_map=SCALARS),
)


@cache
def print_sdl() -> str:
    """The schema in its own language, as `schema.graphql` has it; printed when first asked for."""
    return schema.as_str() + "\n"


if __name__ == "__main__":
    sys.stdout.write(print_sdl())
