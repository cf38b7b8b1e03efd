"""A portfolio's transactions in our own format, read and written in pieces.

Between the pieces no transaction of the database is open: who downloads slowly holds nothing. The
ledger is append-only, so that the pieces are of one state, that of the beginning.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from sqlalchemy import func, select, tuple_

from app.db.models import Txn
from app.domain.records.writing import ExportFormat, make_writer
from app.domain.transactions import Entry
from app.env import Env
from app.errors import BadInput, TooCostly
from app.services.portfolio.entries import read_entry, select_entries
from app.services.portfolio.portfolios import get_portfolio

PIECE: Final = 1000
MOST_IN_MEMORY: Final = 20_000


def find_format(suffix: str) -> ExportFormat:
    """The format of a file's name.

    Raises:
        BadInput: it is none.
    """
    if suffix.upper() not in ExportFormat.__members__:
        message = "format is %(value).20r; it may be csv or json"
        raise BadInput(message, field="format", value=suffix)
    return ExportFormat(suffix.upper())


async def export_records(
    env: Env, user_id: int, portfolio_id: str, format_: ExportFormat
) -> AsyncIterator[str]:
    """The file in pieces, by day and then as the transactions were stored.

    Raises:
        NotFound: the portfolio is not there or not the user's (before the first piece).
    """
    own = await get_portfolio(env, user_id, portfolio_id)
    async with env.db.read(uid=user_id) as db:
        newest = await db.scalar(select(func.max(Txn.id)).where(Txn.portfolio_id == own.id)) or 0
    return _write(env, user_id, own.id, newest, format_)


async def export_text(env: Env, user_id: int, portfolio_id: str, format_: ExportFormat) -> str:
    """The file as one text.

    Raises:
        NotFound: the portfolio is not there or not the user's.
        TooCostly: it is too large to be one.
    """
    own = await get_portfolio(env, user_id, portfolio_id)
    count = select(func.count()).where(Txn.portfolio_id == own.id)
    async with env.db.read(uid=user_id) as db:
        found = await db.scalar(count) or 0
    if found > MOST_IN_MEMORY:
        message = (
            "The portfolio has %(value)d transactions; more than %(bound)d come as a file alone:"
            " /portfolios/%(id)d/export.csv"
        )
        raise TooCostly(message, value=found, bound=MOST_IN_MEMORY, id=own.id)
    pieces = await export_records(env, user_id, portfolio_id, format_)
    return "".join([piece async for piece in pieces])


async def _write(
    env: Env, user_id: int, portfolio_id: int, newest: int, format_: ExportFormat
) -> AsyncIterator[str]:
    writer = make_writer(format_)
    yield writer.head()
    last: Entry | None = None
    while True:
        entries = await _read_piece(env, user_id, portfolio_id, newest, last)
        if not entries:
            break
        yield writer.piece(entries)
        last = entries[-1]
    yield writer.tail()


async def _read_piece(
    env: Env, user_id: int, portfolio_id: int, newest: int, last: Entry | None
) -> list[Entry]:
    query = select_entries().where(Txn.portfolio_id == portfolio_id, Txn.id <= newest)
    if last is not None:
        query = query.where(tuple_(Txn.day, Txn.id) > tuple_(last.day, last.id))
    async with env.db.read(uid=user_id) as db:
        rows = await db.execute(query.order_by(Txn.day, Txn.id).limit(PIECE))
        return [read_entry(row) for row in rows]
