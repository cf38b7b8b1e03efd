"""Watchlists in the schema: one's own lists, and what may be done with them."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from app.domain.watchlist import PastedWord as PastedWordRow
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.instrument import Instrument
from app.graphql.permissions import require_trader, require_user
from app.services.screening import watchlists
from app.services.screening.watchlists import WatchlistRow


@strawberry.enum(description="What became of a word that was pasted into a watchlist.")
class PasteOutcome(StrEnum):
    """Of ADDED, LISTED and REPEATED the list has the symbol now; the others are not on it."""

    ADDED = "ADDED"
    LISTED = "LISTED"
    REPEATED = "REPEATED"
    NOT_A_SYMBOL = "NOT_A_SYMBOL"
    UNKNOWN = "UNKNOWN"


@described
@strawberry.type
class Watchlist:
    """A list of instruments in its owner's order; an instrument removed later stays a symbol."""

    id: strawberry.ID
    name: str
    symbols: list[str]

    @classmethod
    def of(cls, row: WatchlistRow) -> Watchlist:
        """From a service's row."""
        return cls(id=strawberry.ID(str(row.id)), name=row.name, symbols=list(row.symbols))

    @strawberry.field
    async def instruments(self, info: Info) -> list[Instrument]:
        """Its instruments in order; 200 at most."""
        found = await info.context.loaders.instruments.load_many(self.symbols)
        return [Instrument.of(row) for row in found if row is not None]


@described
@strawberry.type
class PastedWord:
    """A word that was pasted, the line it stood in (from 1), and the symbol it was taken for."""

    line: int
    text: str
    symbol: str | None
    outcome: PasteOutcome

    @classmethod
    def of(cls, row: PastedWordRow) -> PastedWord:
        """From a service's row."""
        outcome = PasteOutcome(row.outcome)
        return cls(line=row.line, text=row.text, symbol=row.symbol, outcome=outcome)


@described
@strawberry.type
class PasteReport:
    """The list as it is now, and what became of each word."""

    watchlist: Watchlist
    words: list[PastedWord]


@described
@strawberry.type
class WatchlistQuery:
    """One's own watchlists."""

    @strawberry.field
    async def watchlists(self, info: Info) -> list[Watchlist]:
        """All of them, the oldest first; 50 at most."""
        user_id = require_user(info).user.id
        rows = await watchlists.list_watchlists(info.context.env, user_id)
        return [Watchlist.of(row) for row in rows]

    @strawberry.field
    async def watchlist(self, info: Info, id: strawberry.ID) -> Watchlist:  # noqa: A002
        """One of them."""
        user_id = require_user(info).user.id
        return Watchlist.of(await watchlists.get_watchlist(info.context.env, user_id, id))


@described
@strawberry.type
class WatchlistMutation:
    """Making, naming and deleting watchlists, and what stands on them in which order."""

    @strawberry.mutation
    async def save_watchlist(
        self,
        info: Info,
        name: str,
        symbols: list[str],
        id: strawberry.ID | None = None,  # noqa: A002 - an argument of the schema
    ) -> Watchlist:
        """Makes a list of instruments that are followed here, or replaces one by its id."""
        env, user_id = info.context.env, require_trader(info).user.id
        return Watchlist.of(await watchlists.save_watchlist(env, user_id, id, name, symbols))

    @strawberry.mutation
    async def rename_watchlist(self, info: Info, id: strawberry.ID, name: str) -> Watchlist:  # noqa: A002
        """Gives a list another name."""
        env, user_id = info.context.env, require_trader(info).user.id
        return Watchlist.of(await watchlists.rename_watchlist(env, user_id, id, name))

    @strawberry.mutation
    async def delete_watchlist(self, info: Info, id: strawberry.ID) -> bool:  # noqa: A002
        """Forgets a list; what stood on it is followed as ever."""
        await watchlists.delete_watchlist(info.context.env, require_trader(info).user.id, id)
        return True

    @strawberry.mutation
    async def add_to_watchlist(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - an argument of the schema
        symbols: list[str],
    ) -> PasteReport:
        """Puts instruments at the end of a list; other words are told and change nothing.

        Each entry is a line, which may name several, separated by blanks, commas or semicolons.
        """
        env, user_id = info.context.env, require_trader(info).user.id
        row, words = await watchlists.add_pasted(env, user_id, id, symbols)
        return PasteReport(watchlist=Watchlist.of(row), words=[PastedWord.of(w) for w in words])

    @strawberry.mutation
    async def take_from_watchlist(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - an argument of the schema
        symbol: str,
    ) -> Watchlist:
        """Takes a symbol out of a list."""
        env, user_id = info.context.env, require_trader(info).user.id
        return Watchlist.of(await watchlists.take_from(env, user_id, id, symbol))

    @strawberry.mutation
    async def move_in_watchlist(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - an argument of the schema
        symbol: str,
        position: int,
    ) -> Watchlist:
        """Moves a symbol to a position of its list, counted from 0."""
        env, user_id = info.context.env, require_trader(info).user.id
        return Watchlist.of(await watchlists.move_within(env, user_id, id, symbol, position))
