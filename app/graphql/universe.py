"""The universe part of the schema: lists of symbols, adding many at once, and removing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import strawberry

from app.domain.market import Kind
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.permissions import require_market, require_operator
from app.graphql.types import FromRow
from app.services.market.removal import Dependent as DependentRow
from app.services.market.removal import list_dependents, remove_instrument
from app.services.market.symbol_search import search_sources
from app.services.market.universe import BulkLine as BulkLineRow
from app.services.market.universe import track_list, track_many
from app.services.sources.symbol_lists import list_symbol_lists


@strawberry.enum(description="What became of a word of a list that was pasted.")
class BulkOutcome(StrEnum):
    """ADDED and TRACKED are watched now; of REPEATED only the first counts; others are nothing."""

    ADDED = "ADDED"
    TRACKED = "TRACKED"
    REPEATED = "REPEATED"
    NOT_A_SYMBOL = "NOT_A_SYMBOL"
    NOT_IN_SAMPLE = "NOT_IN_SAMPLE"


@strawberry.enum(description="What may hang on an instrument.")
class DependentKind(StrEnum):
    """By the names of `services/market/removal`."""

    BARS = "BARS"
    RATES = "RATES"
    SPLITS = "SPLITS"
    DIVIDENDS = "DIVIDENDS"
    INDICATORS = "INDICATORS"
    SIGNALS = "SIGNALS"
    SCREEN_ROWS = "SCREEN_ROWS"
    REVISIONS = "REVISIONS"
    QUARANTINE = "QUARANTINE"
    CROSS_CHECKS = "CROSS_CHECKS"
    FUNDAMENTALS = "FUNDAMENTALS"
    JOBS = "JOBS"


@described
@strawberry.type
class BulkLine:
    """A word of the list, the line it stood in (from 1), and the symbol that it was taken for."""

    line: int
    text: str
    symbol: str | None
    outcome: BulkOutcome


@described
@strawberry.type
class BulkReport:
    """How many were added, were watched already, stood there twice or were refused; each word."""

    added: int
    tracked: int
    repeated: int
    refused: int
    lines: list[BulkLine]

    @classmethod
    def of(cls, rows: Sequence[BulkLineRow]) -> BulkReport:
        """From a service's rows."""
        lines = [
            BulkLine(
                line=row.line, text=row.text, symbol=row.symbol, outcome=BulkOutcome(row.outcome)
            )
            for row in rows
        ]
        outcomes = [line.outcome for line in lines]
        added, tracked, repeated = (
            outcomes.count(outcome)
            for outcome in (BulkOutcome.ADDED, BulkOutcome.TRACKED, BulkOutcome.REPEATED)
        )
        refused = len(lines) - added - tracked - repeated
        return cls(added=added, tracked=tracked, repeated=repeated, refused=refused, lines=lines)


@described
@strawberry.type
class SymbolList(FromRow):
    """Members of an index on a day: `count` symbols, of which `tracked` are watched already."""

    key: strawberry.ID
    name: str
    as_of: date
    count: int
    tracked: int


@described
@strawberry.type
class Dependent:
    """So many rows that would go with an instrument, of days from `firstDay` to `lastDay`."""

    kind: DependentKind
    count: int
    first_day: date | None
    last_day: date | None

    @classmethod
    def of(cls, row: DependentRow) -> Dependent:
        """From a service's row."""
        return cls(
            kind=DependentKind(row.kind),
            count=row.count,
            first_day=row.first_day,
            last_day=row.last_day,
        )


@described
@strawberry.type
class SourceHit(FromRow):
    """An instrument that a source knows; `tracked` is whether it is watched already."""

    symbol: str
    name: str
    name_local: str | None
    mic: str
    kind: Kind
    tracked: bool


@described
@strawberry.type
class SourceSearch:
    """What the sources know by some words, the best first; `silent` are those without an answer."""

    hits: list[SourceHit]
    silent: list[str]


@described
@strawberry.type
class UniverseQuery:
    """Lists of symbols, search at the sources, and what hangs on an instrument."""

    @strawberry.field
    async def search_source(self, info: Info, query: str, first: int | None = 10) -> SourceSearch:
        """Instruments that could be added, by name or code, Korean names too; 50 at most."""
        env = require_market(info).env
        found = await search_sources(env, query, 10 if first is None else first)
        hits = [SourceHit.of(hit) for hit in found.hits]
        return SourceSearch(hits=hits, silent=found.silent)

    @strawberry.field
    async def symbol_lists(self, info: Info) -> list[SymbolList]:
        """The lists that ship with the release: plain facts with their date."""
        rows = await list_symbol_lists(require_market(info).env)
        return [SymbolList.of(row) for row in rows]

    @strawberry.field
    async def dependents(self, info: Info, symbol: str) -> list[Dependent]:
        """What would be removed together with an instrument."""
        rows = await list_dependents(require_market(info).env, symbol)
        return [Dependent.of(row) for row in rows]


@described
@strawberry.type
class UniverseMutation:
    """What the operator may add and remove."""

    @strawberry.mutation
    async def track_instruments(self, info: Info, symbols: list[str]) -> BulkReport:
        """Adds many at once, 600 at most; a job each asks the source what it is.

        Each entry is a line, which may name several, separated by blanks, commas or semicolons.
        """
        return BulkReport.of(await track_many(require_operator(info).env, symbols))

    @strawberry.mutation
    async def track_list(self, info: Info, key: strawberry.ID) -> BulkReport:
        """Adds the instruments of a list that ships with the release."""
        return BulkReport.of(await track_list(require_operator(info).env, key))

    @strawberry.mutation
    async def remove_instrument(
        self, info: Info, symbol: str, *, confirm: bool | None = False
    ) -> str:
        """Removes an instrument with all that hangs on it (see `dependents`), once confirmed."""
        return await remove_instrument(require_operator(info).env, symbol, confirmed=bool(confirm))
