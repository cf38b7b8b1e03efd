"""The schema: equal to its SDL in the repository, and with a word on everything in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLObjectType, build_schema
from graphql.utilities import BreakingChange, find_schema_changes

from app.graphql.schema import schema

SDL = Path(__file__).resolve().parent.parent.parent / "schema.graphql"
TYPES = schema.graphql_schema.type_map
CONTRACT = """
  scalar Decimal scalar Date scalar DateTime scalar Series
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Instrument { symbol: String! name: String! nameLocal: String exchange: Exchange!
    currency: String! kind: InstrumentKind! sector: String industry: String quote: Quote
    freshness: Freshness!
    bars(from: Date, to: Date, first: Int = 100, after: String): BarConnection!
    series(from: Date, to: Date, interval: Interval = DAY, basis: PriceBasis = SPLIT_ADJUSTED,
      indicators: [IndicatorKind!]): Series!
    indicators(on: Date): IndicatorSnapshot  signal(on: Date): Signal
    splits: [Split!]!  dividends: [Dividend!]!  sessions(first: Int = 10): [Session!]! }
  type Quote { symbol: String! price: Decimal! previousClose: Decimal change: Decimal
    changePercent: Float at: DateTime! day: Date! source: QuoteSource! state: QuoteState! }
  enum QuoteState { LIVE DELAYED CLOSED STALE REPLAY HISTORIC }
  type Freshness { state: FreshnessState! lastDay: Date expectedDay: Date detail: String }
  enum FreshnessState { ON_TIME LATE HOLIDAY HALTED RATE_LIMITED PARTIAL QUARANTINED HISTORIC
    UNKNOWN }
  type IndicatorSnapshot { day: Date! rsi14: Float macd: Float macdSignal: Float
    macdHistogram: Float stochasticK: Float stochasticD: Float sma20: Float sma50: Float
    sma200: Float bollingerUpper: Float bollingerMiddle: Float bollingerLower: Float }
  type Signal { day: Date! strength: SignalStrength! votes: [Vote!]! }
  enum SignalStrength { STRONG_BUY BUY HOLD SELL STRONG_SELL }
  type Query { instrument(symbol: String!): Instrument
    instruments(symbols: [String!], search: String, first: Int = 50, after: String):
      InstrumentConnection!
    quotes(symbols: [String!]!): [Quote!]!  markets: [MarketStatus!]!
    collections(first: Int = 50): [Collection!]!
    fxRate(base: String!, quote: String!, on: Date): FxRate }
  type Mutation { trackInstrument(symbol: String!): Instrument!
    collect(symbols: [String!]): [Collection!]! }
  type Subscription { quotes(symbols: [String!]!): [Quote!]!
    quoteFrames(symbols: [String!]!): Series! }
  type BarConnection { edges: [BarEdge!]! pageInfo: PageInfo! totalCount: Int! }
  type InstrumentConnection { edges: [InstrumentEdge!]! pageInfo: PageInfo! totalCount: Int! }
  type BarEdge { cursor: String! node: Bar! }  type InstrumentEdge { cursor: String! node: Instrument! }
  type Bar { day: Date! }  type Exchange { mic: String! }  type Vote { sentence: String! }
  type Split { day: Date! }  type Dividend { day: Date! }  type Session { day: Date! }
  type MarketStatus { mic: String! }  type Collection { symbol: String! }  type FxRate { rate: Decimal! }
  enum InstrumentKind { EQUITY ETF INDEX FX }  enum Interval { DAY }
  enum PriceBasis { AS_TRADED SPLIT_ADJUSTED TOTAL_RETURN }  enum IndicatorKind { RSI }
  enum QuoteSource { YAHOO }
"""


def test_the_sdl_in_the_repository_is_that_of_the_schema():
    """To write it: `python -m app.graphql.schema > schema.graphql`."""
    assert schema.as_str() + "\n" == SDL.read_text(encoding="utf-8")


def test_nothing_that_clients_rely_on_is_gone_or_changed():
    changes = find_schema_changes(build_schema(CONTRACT), schema.graphql_schema)
    assert not [c.description for c in changes if isinstance(c, BreakingChange)]


@pytest.mark.parametrize(
    "kind",
    [t for t in TYPES.values() if isinstance(t, (GraphQLObjectType, GraphQLEnumType))],
    ids=str,
)
def test_every_type_says_what_it_is(kind):
    assert kind.description


def test_every_field_with_a_resolver_says_what_it_gives():
    resolved = [
        f"{kind.name}.{name}"
        for kind in TYPES.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if (field.args or kind.name in {"Query", "Mutation", "Subscription"})
        and not field.description
    ]
    assert resolved == []


def test_every_list_of_rows_is_paged_or_bounded_by_its_argument():
    """A list without `first` is one of few (markets, votes, events, currencies), as long as its
    argument, or one's own: at most 50 portfolios, and what is held in one."""
    lists = {
        f"{kind.name}.{name}"
        for kind in TYPES.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if str(field.type).startswith("[") and "first" not in field.args
    }
    edges = {name for name in lists if name.endswith(".edges")}
    assert lists - edges == {
        "Query.recommendationIssues",  # one a market
        "Query.recommendationWalks",
        "Recommendation.reasons",  # six
        "TrackRecord.records",  # two a market
        "RecordFigures.actions",
        "RecordFigures.baselines",  # three
        "MarketRecord.calibration",  # ten
        "Query.quotes",
        "Query.markets",
        "Mutation.collect",
        "Subscription.quotes",
        "Fundamentals.refused",
        "Instrument.providers",
        "Instrument.splits",
        "Instrument.dividends",
        "Signal.votes",
        "Signal.worth",  # two horizons
        "DataHealth.states",
        "BulkReport.lines",
        "Mutation.saveSessionOverride",
        "Query.dependents",
        "Query.symbolLists",
        "SourceSearch.hits",
        "SourceSearch.silent",
        "Query.sessions",
        "SignInOptions.providers",
        "Query.linkedProviders",
        "Query.apiTokens",
        "Query.portfolios",
        "Portfolio.cash",
        "Portfolio.audit",
        "PortfolioValue.positions",
        "PortfolioValue.cash",
        "PortfolioValue.missing",
        "Transaction.tags",
        "Order.fills",
        "Order.events",
        "OrderPreview.warnings",
        "ApiToken.scopes",
        "Mutation.confirmSecondFactor",
        "Mutation.renewRecoveryCodes",
        "ImportReport.columns",  # of one file: at most 100
        "ImportReport.unusedColumns",
        "ImportColumn.names",
        "ImportReport.unknownSymbols",  # cut at 200, as the next three
        "ImportReport.positions",
        "ImportReport.problems",
        "ImportReport.balances",
        "Query.screenFields",
        "Query.signalWorth",  # ten a market
        "ScreenField.words",
        "Query.savedScreens",  # at most 50
        "SavedScreen.filter",  # at most 50 terms
        "ScreenGroup.any",
        "ScreenTerm.words",
        "Query.recordPresets",  # at most 50, of 200 words
        "Why.terms",  # at most five
        "Why.rates",  # one a foreign currency
        "CashBalance.settling",  # of the coming days
        "CashBalance.paying",
        "RecordPreset.columns",
        "RecordPreset.kinds",
        "RecordColumn.names",
        "Query.compareBacktests",  # at most six
        "Backtest.symbols",  # at most 500
        "StrategyInfo.parameters",
        "StrategyParameter.choices",
        "BacktestSettings.parameters",
        "BacktestSettings.sweep",
        "BacktestResult.parameters",
        "BacktestResult.warnings",
        "BacktestResult.benchmarks",  # at most three
        "BacktestResult.drawdowns",  # ten
        "LookAheadCertificate.leaks",  # one an input
        "SweepResult.axes",
        "SweepAxis.values",  # at most 1,000
        "Query.alertRules",  # at most 500
        "Query.watchlists",  # at most 50
        "Watchlist.symbols",  # at most 200
        "Watchlist.instruments",
        "PasteReport.words",  # at most 600
        "Query.alertChannels",  # at most 20
    }
