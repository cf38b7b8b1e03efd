"""Watchlists: one's own lists of instruments, each in the order that one has given it.

Only instruments that are followed here are put on a list. One that is removed later stays on it,
as a symbol without prices, until its owner takes it out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Watchlist
from app.domain.symbol_list import read_list
from app.domain.watchlist import ADDED, PastedWord, check_size, judge_words, move, take_out
from app.env import Env
from app.errors import BadInput, Conflict
from app.services.market.instruments import find_instruments
from app.services.owned import check_name, get_owned

MOST_LISTS: Final = 50  # of one person

Change = Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class WatchlistRow:
    """A watchlist as the layers above see one."""

    id: int
    name: str
    symbols: tuple[str, ...]

    @classmethod
    def of(cls, row: Watchlist) -> WatchlistRow:
        """From the table."""
        return cls(row.id, row.name, tuple(row.symbols))


async def list_watchlists(env: Env, user_id: int) -> list[WatchlistRow]:
    """The user's lists, the oldest first."""
    query = select(Watchlist).where(Watchlist.user_id == user_id).order_by(Watchlist.id)
    async with env.db.read(uid=user_id) as db:
        return [WatchlistRow.of(row) for row in await db.scalars(query)]


async def get_watchlist(env: Env, user_id: int, list_id: str) -> WatchlistRow:
    """One of the user's lists.

    Raises:
        NotFound: it is not there or not the user's.
    """
    async with env.db.write(uid=user_id) as db:
        return WatchlistRow.of(await get_owned(db, Watchlist, list_id, user_id))


async def save_watchlist(
    env: Env, user_id: int, list_id: str | None, name: str, symbols: Sequence[str]
) -> WatchlistRow:
    """Makes a list, or gives one of that id another name and other symbols.

    Raises:
        BadInput: a name that cannot be, a symbol that is not followed here, or too many.
        Conflict: there is a list of that name, or there are too many lists.
        NotFound: there is none of that id, or it is not the user's.
    """
    plain, wanted = check_name(name), check_size([symbol.strip().upper() for symbol in symbols])
    known = await find_instruments(env, wanted)
    for symbol in wanted:
        if symbol not in known:
            message = "symbols has %(value).40r, which is not followed here"
            raise BadInput(message, field="symbols", value=symbol)
    try:
        async with env.db.write(uid=user_id) as db:
            row = await _find_or_open(db, env, user_id, list_id)
            row.name, row.symbols = plain, wanted
            await db.flush()
            return WatchlistRow.of(row)
    except IntegrityError as error:
        raise Conflict("There is a watchlist %(name)s already.", name=plain) from error


async def rename_watchlist(env: Env, user_id: int, list_id: str, name: str) -> WatchlistRow:
    """Gives a list another name.

    Raises:
        BadInput, Conflict, NotFound: as `save_watchlist`.
    """
    row = await get_watchlist(env, user_id, list_id)
    return await save_watchlist(env, user_id, list_id, name, row.symbols)


async def delete_watchlist(env: Env, user_id: int, list_id: str) -> None:
    """Forgets a list.

    Raises:
        NotFound: it is not there or not the user's.
    """
    async with env.db.write(uid=user_id) as db:
        await db.delete(await get_owned(db, Watchlist, list_id, user_id))


async def add_pasted(
    env: Env, user_id: int, list_id: str, lines: Sequence[str]
) -> tuple[WatchlistRow, list[PastedWord]]:
    """Puts what the lines name at the end of a list, and tells what became of each word.

    Raises:
        BadInput: more than 600 words, or none, or the list would have more than 200 symbols;
            nothing was added.
        NotFound: there is no such list, or it is not the user's.
    """
    words = read_list(lines)
    known = await find_instruments(env, [word.symbol for word in words if word.symbol])
    told: list[PastedWord] = []

    def add(symbols: list[str]) -> list[str]:
        told.extend(judge_words(words, symbols, known))
        return check_size([*symbols, *(w.symbol for w in told if w.symbol and w.outcome == ADDED)])

    return await _change(env, user_id, list_id, add), told


async def take_from(env: Env, user_id: int, list_id: str, symbol: str) -> WatchlistRow:
    """Takes a symbol out of a list.

    Raises:
        NotFound: the symbol is not on it, there is no such list, or it is not the user's.
    """
    return await _change(env, user_id, list_id, lambda symbols: take_out(symbols, symbol))


async def move_within(
    env: Env, user_id: int, list_id: str, symbol: str, position: int
) -> WatchlistRow:
    """Moves a symbol to a position of its list, counted from 0.

    Raises:
        BadInput: there is no such position.
        NotFound: as `take_from`.
    """
    return await _change(env, user_id, list_id, lambda symbols: move(symbols, symbol, position))


async def _change(env: Env, user_id: int, list_id: str, change: Change) -> WatchlistRow:
    """The list is held meanwhile: of two changes at once neither is lost."""
    async with env.db.write(uid=user_id) as db:
        row = await get_owned(db, Watchlist, list_id, user_id)
        row.symbols = change(list(row.symbols))
        return WatchlistRow.of(row)


async def _find_or_open(db: AsyncSession, env: Env, user_id: int, list_id: str | None) -> Watchlist:
    """The list of that id; without one a list that has no name or symbols yet, if there is room."""
    if list_id is not None:
        return await get_owned(db, Watchlist, list_id, user_id)
    count = select(func.count()).select_from(Watchlist).where(Watchlist.user_id == user_id)
    if (await db.scalar(count) or 0) >= MOST_LISTS:
        message = "There are %(bound)d watchlists already; delete one first."
        raise Conflict(message, bound=MOST_LISTS)
    row = Watchlist(user_id=user_id, created_at=env.clock.now())
    db.add(row)
    return row
