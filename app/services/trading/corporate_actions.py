"""Corporate actions booked by themselves into portfolios of virtual money, once each.

What should stand is compared with what stands (`app.domain.portfolio.corporate_actions`): what is
missing is booked, what a source has corrected or a back-dated trade has changed is reversed and
booked anew, what was retracted is reversed. An action that somebody has reversed by hand stays so.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, select, text

from app.db.engine import EVERYONE
from app.db.models import Txn
from app.domain.entry_checks import check_entry
from app.domain.market import present_days
from app.domain.portfolio.corporate_actions import (
    Action,
    Key,
    by_action,
    expect_actions,
    same_booking,
)
from app.domain.quotes import plain
from app.domain.transactions import Entry, PortfolioKind
from app.env import Env
from app.errors import BadInput, Conflict
from app.services.market.replay import replay_day
from app.services.portfolio.booking import When, entry_item, now_of, post, reversal_item
from app.services.portfolio.entries import read_entry, select_entries
from app.services.portfolio.order_market import read_present
from app.services.trading.order_splits import book_across_sales

OWN: Final = ":action:"
UNDO: Final = ":retract:"

LOG: Final = logging.getLogger(__name__)
Seen = MutableMapping[int, tuple[Any, ...]]


async def book_actions(env: Env, seen: Seen | None = None) -> int:
    """Books what is due in all portfolios of virtual money; how many transactions it made.

    `seen` remembers what was looked at: a portfolio is read again when its ledger, the splits and
    dividends of its instruments, or the day have changed. Without it all are looked at.
    """
    kept: Seen = {} if seen is None else seen
    replayed = await replay_day(env)
    async with env.db.read(uid=EVERYONE) as db:
        rows = (await db.execute(text(_PORTFOLIOS))).all()
    made = 0
    for row in rows:
        practice = row.kind == PortfolioKind.PRACTICE
        if practice and replayed is None:
            continue
        today = replayed if practice else None
        state = (*row, today or tuple(present_days(env.clock.now()).values()))
        if kept.get(row.id) != state:
            made += await _book(env, row, today)
            kept[row.id] = state
    return made


async def _book(env: Env, row: Row[Any], today: date | None) -> int:
    """Brings one portfolio to what it should be; what is not covered stops nothing else."""
    when = now_of(env) if today is None else await read_present(env)
    stored = await _read(env, row.id)
    own = by_action({k: e for k, (e, _) in stored.items() if k.startswith(OWN)})
    undone = {e.id: undo for e, undo in stored.values() if undo is not None}
    others = [
        e
        for k, (e, undo) in stored.items()
        if undo is None and e.reverses is None and not k.startswith(OWN)
    ]
    actions = await read_actions(env, row.id, when)
    expected = expect_actions(others, actions)
    made = 0
    for key in sorted(expected.keys() | own.keys(), key=lambda k: (k[2], k[0] == "DIVIDEND")):
        items = _items(row.id, key, expected.get(key), own.get(key, []), undone, when)
        if items:
            made += await _post(env, row.id, items, expected.get(key), when)
    return made


def _items(  # noqa: PLR0913, PLR0917 - what is, what should be, where and when
    portfolio: int,
    key: Key,
    wanted: Entry | None,
    booked: list[tuple[str, Entry]],
    undone: Mapping[int | None, str],
    when: When,
) -> list[dict[str, Any]]:
    last = booked[-1][1] if booked else None
    undo = None if last is None else undone.get(last.id)
    stands = last is not None and undo is None
    if undo is not None and not undo.startswith(UNDO):  # somebody's own decision
        return []
    if stands and wanted is not None and last is not None and same_booking(last, wanted):
        return []
    items = []
    if wanted is not None:  # before the reversal, so that shares and cash are there for it
        name = f"{OWN}{key[0]}:{key[1]}:{key[2]}:{last.id if last else 0}"
        items.append(entry_item(portfolio, name, check_entry(wanted), when))
    if stands and last is not None:
        items.append(reversal_item(portfolio, f"{UNDO}{last.id}", last.id or 0))
    return items


async def _post(
    env: Env, portfolio: int, items: list[dict[str, Any]], wanted: Entry | None, when: When
) -> int:
    try:
        if wanted is not None and wanted.quantity is not None and wanted.quantity < 0:
            async with env.db.write(uid=EVERYONE) as db:
                return await book_across_sales(db, portfolio, wanted, items, when)
        return (await post(env.db.call, portfolio, None, items, when)).fresh
    except (BadInput, Conflict) as error:
        facts = {"portfolio": portfolio, "key": items[0]["key"], "reason": str(error)}
        LOG.warning("corporate action not booked", extra=facts)
        return 0


async def _read(env: Env, portfolio: int) -> dict[str, tuple[Entry, str | None]]:
    """Entries by their keys, each with the key of what has reversed it."""
    query = select_entries().add_columns(Txn.idem_key).where(Txn.portfolio_id == portfolio)
    async with env.db.read(uid=EVERYONE) as db:
        rows = (await db.execute(query.order_by(Txn.day, Txn.id))).all()
        back = select(Txn.reverses, Txn.idem_key).where(Txn.portfolio_id == portfolio)
        found = await db.execute(back.where(Txn.reverses.is_not(None)))
        undone = {row.reverses: row.idem_key for row in found}
    entries = [(row.idem_key, read_entry(row)) for row in rows]
    ordered = sorted(entries, key=lambda pair: pair[1].id or 0)
    return {key: (entry, undone.get(entry.id or 0)) for key, entry in ordered}


async def read_events_version(env: Env, portfolio: int) -> tuple[int, datetime | None]:
    """What changes with the splits and dividends of what the portfolio has ever held."""
    async with env.db.read(uid=EVERYONE) as db:
        row = (await db.execute(text(_VERSION), {"portfolio": portfolio})).one()
    return row.events, row.fetched


async def read_actions(env: Env, portfolio: int, when: When) -> list[Action]:
    """Splits and dividends, up to the present, of whatever the portfolio has ever held."""
    async with env.db.read(uid=EVERYONE) as db:
        rows = (await db.execute(text(_ACTIONS), {"portfolio": portfolio})).all()
    due = [row for row in rows if row.day <= when.today[row.currency]]
    figures = ("numerator", "denominator", "amount", "close")
    return [
        Action(row.symbol, row.day, **{name: _figure(row, name) for name in figures}) for row in due
    ]


def _figure(row: Row[Any], name: str) -> Decimal | None:
    value = getattr(row, name)
    return None if value is None else plain(value)


_EVENTS: Final = """
    SELECT count(*) AS events, max(e.fetched_at) AS fetched FROM (
        SELECT symbol, fetched_at FROM split UNION ALL
        SELECT symbol, fetched_at FROM dividend
    ) AS e JOIN account AS c ON c.kind = 'POSITION' AND c.commodity = 'share:' || e.symbol
"""
_VERSION: Final = f"{_EVENTS} AND c.portfolio_id = :portfolio"
_PORTFOLIOS: Final = f"""
    SELECT p.id, p.kind, s.newest, a.events, a.fetched
    FROM portfolio AS p
    CROSS JOIN LATERAL (
        SELECT max(id) AS newest FROM txn
        WHERE portfolio_id = p.id AND kind NOT IN ('SETTLEMENT', 'RESERVATION')
    ) AS s
    CROSS JOIN LATERAL ({_EVENTS} AND c.portfolio_id = p.id) AS a
    WHERE p.kind IN ('SIMULATED', 'PRACTICE') AND p.archived_at IS NULL AND s.newest IS NOT NULL
    ORDER BY p.id
"""

_ACTIONS: Final = """
    WITH held AS (
        SELECT substr(commodity, 7) AS symbol, (SELECT min(day) FROM txn
            WHERE portfolio_id = :portfolio) AS since
        FROM account WHERE portfolio_id = :portfolio AND kind = 'POSITION'
    )
    SELECT i.currency, s.symbol, s.day, s.numerator, s.denominator, NULL::numeric AS amount, b.close
    FROM split AS s JOIN held AS h ON h.symbol = s.symbol AND s.day >= h.since
    JOIN instrument AS i ON i.symbol = s.symbol
    LEFT JOIN bar AS b ON b.symbol = s.symbol AND b.day = s.day
    UNION ALL
    SELECT i.currency, d.symbol, d.day, NULL, NULL, d.amount, NULL
    FROM dividend AS d JOIN held AS h ON h.symbol = d.symbol AND d.day >= h.since
    JOIN instrument AS i ON i.symbol = d.symbol
"""
