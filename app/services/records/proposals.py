"""Proposals of splits and dividends for the record of a real account: its owner decides on each.

Nothing is booked by itself there: a broker's statement is the truth. What was decided stays so,
also when an accepted one is reversed later.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.db.models import DismissedAction, Txn
from app.domain.entry_checks import check_entry
from app.domain.portfolio.corporate_actions import Key
from app.domain.portfolio.proposals import propose
from app.domain.transactions import Entry, PortfolioKind, TransactionKind
from app.env import Env
from app.errors import Conflict
from app.services.portfolio.booking import entry_item, now_of, post
from app.services.portfolio.portfolio_books import BookShelf, OpenBook
from app.services.portfolio.portfolios import PortfolioRow
from app.services.trading.corporate_actions import read_actions, read_events_version

ACCEPTED: Final = ":accepted:"


async def list_proposals(env: Env, user_id: int, opened: OpenBook) -> list[Entry]:
    """What the sources tell that an open book lacks, the oldest first.

    None for portfolios of virtual money, in which it is booked, nor for archived ones. It is worked
    out anew when the book, the sources' events, the day or a decision has changed.
    """
    own = opened.portfolio
    if own.kind is not PortfolioKind.TRACKED or own.archived_at is not None:
        return []
    when, decided = now_of(env), await _read_decided(env, user_id, own.id)
    known = (await read_events_version(env, own.id), *when.today.values(), len(decided))
    if known not in opened.proposals:
        actions = await read_actions(env, own.id, when)
        found = await asyncio.to_thread(propose, opened.entries, actions, decided)
        opened.proposals.clear()
        opened.proposals[known] = found
    return opened.proposals[known]


async def accept_proposal(env: Env, user_id: int, portfolio_id: str, key: Key) -> Entry:
    """Records what is proposed; twice is as once.

    Raises:
        NotFound: the portfolio is not there or not the user's.
        Conflict: nothing of the kind is proposed.
    """
    own, entry = await _find(env, user_id, portfolio_id, key)
    when = now_of(env)
    item = entry_item(own.id, _accepted(key), check_entry(entry), when)
    posted = await post(env.db.call, own.id, user_id, [item], when)
    return replace(entry, id=posted.ids[0])


async def dismiss_proposal(env: Env, user_id: int, portfolio_id: str, key: Key) -> None:
    """Has it never proposed again.

    Raises:
        NotFound: the portfolio is not there or not the user's.
        Conflict: nothing of the kind is proposed.
    """
    own, _ = await _find(env, user_id, portfolio_id, key)
    kind, symbol, day = key
    facts = {"kind": kind, "symbol": symbol, "day": day, "at": env.clock.now()}
    async with env.db.write(uid=user_id) as db:
        made = insert(DismissedAction).values(portfolio_id=own.id, **facts)
        await db.execute(made.on_conflict_do_nothing())


async def _find(env: Env, user_id: int, portfolio_id: str, key: Key) -> tuple[PortfolioRow, Entry]:
    opened = await BookShelf().open(env, user_id, portfolio_id)
    own, proposed = opened.portfolio, await list_proposals(env, user_id, opened)
    found = next((e for e in proposed if (e.kind, e.symbol, e.day) == key), None)
    if found is None:
        message = "No %(kind)s of %(symbol)s on %(day)s is proposed."
        raise Conflict(message, kind=key[0], symbol=key[1], day=key[2])
    return own, found


async def _read_decided(env: Env, user_id: int, portfolio_id: int) -> set[Key]:
    dismissed = select(DismissedAction.kind, DismissedAction.symbol, DismissedAction.day)
    accepted = select(Txn.kind, Txn.symbol, Txn.day).where(Txn.idem_key.startswith(ACCEPTED))
    async with env.db.read(uid=user_id) as db:
        rows = [
            *await db.execute(dismissed.where(DismissedAction.portfolio_id == portfolio_id)),
            *await db.execute(accepted.where(Txn.portfolio_id == portfolio_id)),
        ]
    return {(TransactionKind(row.kind), row.symbol, row.day) for row in rows}


def _accepted(key: Key) -> str:
    kind, symbol, day = key
    return f"{ACCEPTED}{kind}:{symbol}:{day}"
