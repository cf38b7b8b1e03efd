"""The ledger of a portfolio: recording and reversing transactions, and reading them.

A transaction is never changed. Recording twice with one key records once; a wrong one is reversed
by a second one, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, func, select

from app.db.models import Portfolio, Txn
from app.domain.entry_checks import check_entry
from app.domain.transactions import Entry, TransactionKind
from app.env import Env
from app.errors import BadInput
from app.services.owned import missing, read_id
from app.services.paging import Page, check_first, cut_page
from app.services.portfolio.booking import check_key, entry_item, now_of, post, reversal_item
from app.services.portfolio.entries import read_entries, read_entry, select_entries
from app.services.portfolio.portfolios import find_own
from app.services.portfolio.transaction_order import (
    TransactionSort,
    cursor_of,
    read_place,
    sort_columns,
)

MOST_AT_ONCE: Final = 20_000


async def record_transaction(  # noqa: PLR0913 - what, where, whose and how it is told
    env: Env,
    user_id: int,
    portfolio_id: str,
    entry: Entry,
    key: str,
    *,
    today: Mapping[str, date] | None = None,
) -> Entry:
    """Stores an entry; with a key that was used for the same one, answers that.

    `today` is another present day where a portfolio lives in replayed history.

    Raises:
        BadInput: the entry cannot be, or it is not covered by cash or shares.
        NotFound: the portfolio is not there or not the user's.
        Conflict: the key was used for something else; the portfolio is archived.
    """
    [stored] = await record_transactions(env, user_id, portfolio_id, {key: entry}, today=today)
    return stored


async def record_transactions(
    env: Env,
    user_id: int,
    portfolio_id: str,
    entries: Mapping[str, Entry],
    *,
    today: Mapping[str, date] | None = None,
) -> list[Entry]:
    """Stores entries by their keys, all or none, in the order given.

    Raises:
        BadInput: one cannot be or is not covered, or there are too many.
        NotFound: the portfolio is not there or not the user's.
        Conflict: a key was used for something else; the portfolio is archived.
    """
    if not 1 <= len(entries) <= MOST_AT_ONCE:
        message = "transactions has %(value)d entries; 1 to %(bound)d are allowed"
        raise BadInput(message, field="transactions", value=len(entries), bound=MOST_AT_ONCE)
    number, when = read_id(portfolio_id), now_of(env, today)
    items = [
        entry_item(number, check_key(key), check_entry(entry), when)
        for key, entry in entries.items()
    ]
    posted = await post(env.db.call, number, user_id, items, when)
    pairs = zip(entries.values(), posted.ids, strict=True)
    return [replace(entry, id=stored) for entry, stored in pairs]  # equal by hash, where a replay


async def reverse_transaction(
    env: Env, user_id: int, txn_id: str, key: str, *, today: Mapping[str, date] | None = None
) -> Entry:
    """Undoes a transaction by a second one, which is answered.

    Raises:
        NotFound: it is not there or not the user's, or it is a reversal itself.
        Conflict: it has been reversed already, or the key was used for something else.
        BadInput: what it brought has been spent since.
    """
    number = read_id(txn_id)
    query = select_entries().add_columns(Txn.portfolio_id).join(Portfolio)
    async with env.db.read(uid=user_id) as db:
        found = await db.execute(query.where(Txn.id == number, Portfolio.user_id == user_id))
        row = found.one_or_none()
    if row is None:
        raise missing()
    portfolio = row.portfolio_id
    items = [reversal_item(portfolio, check_key(key), number)]
    posted = await post(env.db.call, portfolio, user_id, items, now_of(env, today))
    return replace(read_entry(row), id=posted.ids[0], reverses=number, note="", tags=())


async def list_transactions(  # noqa: PLR0913 - paging, filters and the order
    env: Env,
    user_id: int,
    portfolio_id: str,
    *,
    first: int = 50,
    after: str | None = None,
    symbol: str | None = None,
    kind: TransactionKind | None = None,
    sort: TransactionSort = TransactionSort.DAY,
    ascending: bool = False,
) -> Page[Entry]:
    """A page of transactions, the newest day first unless sorted otherwise.

    Raises:
        NotFound: the portfolio is not there or not the user's.
        BadInput: a page size or a cursor that cannot be.
    """
    check_first(first)
    columns = sort_columns(sort)
    async with env.db.read(uid=user_id) as db:
        portfolio = await find_own(db, portfolio_id, user_id)
        query = select_entries().where(*_matching(portfolio.id, symbol, kind))
        if after is not None:
            place = read_place(sort, after)
            query = query.where(columns > place if ascending else columns < place)
        order = [column.asc() if ascending else column.desc() for column in columns.clauses]
        rows = await db.execute(query.order_by(*order).limit(first + 1))
        entries = [read_entry(row) for row in rows]
    return cut_page(entries, [cursor_of(sort, entry) for entry in entries], first)


async def count_transactions(
    env: Env,
    user_id: int,
    portfolio_id: str,
    *,
    symbol: str | None = None,
    kind: TransactionKind | None = None,
) -> int:
    """How many `list_transactions` has on all pages.

    Raises:
        NotFound: the portfolio is not there or not the user's.
    """
    async with env.db.read(uid=user_id) as db:
        portfolio = await find_own(db, portfolio_id, user_id)
        conditions = _matching(portfolio.id, symbol, kind)
        count = select(func.count()).select_from(Txn).where(*conditions)
        return await db.scalar(count.where(Txn.kind.in_(TransactionKind))) or 0


async def find_reversals(env: Env, user_id: int, txn_ids: Sequence[int]) -> dict[int, int]:
    """By transaction, the one that has reversed it; those that stand are left out."""
    query = select(Txn.reverses, Txn.id).join(Portfolio).where(Portfolio.user_id == user_id)
    async with env.db.read(uid=user_id) as db:
        rows = await db.execute(query.where(Txn.reverses.in_(txn_ids)))
        return {row.reverses: row.id for row in rows}


async def list_entries(env: Env, user_id: int, portfolio_id: str, *, after: int = 0) -> list[Entry]:
    """All transactions of a portfolio, or those stored `after` one, by day and as they were stored.

    Raises:
        NotFound: the portfolio is not there or not the user's.
    """
    async with env.db.read(uid=user_id) as db:
        portfolio = await find_own(db, portfolio_id, user_id)
        query = select_entries().where(Txn.portfolio_id == portfolio.id, Txn.id > after)
        return await read_entries(await db.execute(query.order_by(Txn.day, Txn.id)))


def _matching(
    portfolio_id: int, symbol: str | None, kind: TransactionKind | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Txn.portfolio_id == portfolio_id]
    if symbol is not None:
        conditions.append((Txn.symbol == symbol) | (Txn.symbol_to == symbol))
    if kind is not None:
        conditions.append(Txn.kind == kind)
    return conditions
