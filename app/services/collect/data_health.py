"""How far the stored prices can be trusted: freshness of all instruments, quarantine, revisions.

What the other services have found and written, for readers: lists in pages, the newest or the
worst first. Nothing is judged here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_

from app.db.models import CrossCheck, DataRevision, Instrument, Quarantine
from app.env import Env
from app.errors import BadInput
from app.services.collect.quarantine import QuarantineRow
from app.services.market.instruments import check_symbol
from app.services.market.prices import Freshness, FreshnessState, freshness
from app.services.paging import Page, check_first, cut_page, make_cursor, read_cursor

RECENT: Final = timedelta(days=30)
"""How long a change of the past is news."""

WORST_FIRST: Final = (
    "QUARANTINED",
    "LATE",
    "RATE_LIMITED",
    "PARTIAL",
    "UNKNOWN",
    "HALTED",
    "HOLIDAY",
    "ON_TIME",
    "HISTORIC",
)
"""The order of the states: what somebody should look at first."""


@dataclass(frozen=True)
class RevisionRow:
    """What version `number` replaced: `old` became `new`, or went away where that is None.

    `kind` is BAR, SPLIT, DIVIDEND or RATE; the values are decimal strings by column.
    """

    id: int
    number: int
    kind: str
    symbol: str
    day: date
    old: dict[str, Any]
    new: dict[str, Any] | None
    source: str
    at: datetime


@dataclass(frozen=True)
class CrossCheckRow:
    """The last comparison with another source: how many days, and how many of them differ.

    `differences` has `{day, close, other, difference}` of each, the newest first.
    """

    symbol: str
    other: str
    source: str
    checked_at: datetime
    days: int
    differing: int
    differences: list[dict[str, Any]]


@dataclass(frozen=True)
class DataHealth:
    """Watched instruments by symbol, the worst state first; rows held, rows changed of late."""

    freshness: dict[str, Freshness]
    quarantined: int
    revised: int

    @property
    def states(self) -> dict[FreshnessState, int]:
        """How many instruments are in each state, the worst first; states of none left out."""
        counts = Counter(found.state for found in self.freshness.values())
        return dict(sorted(counts.items(), key=lambda item: _rank(item[0])))

    def list_symbols(
        self, state: FreshnessState | None, first: int = 50, after: str | None = None
    ) -> Page[str]:
        """A page of the symbols in that state, or in any.

        Raises:
            BadInput: `first` is not from 1 to 200, or the cursor is none of these.
        """
        check_first(first)
        places = {symbol: place for place, symbol in enumerate(self.freshness)}
        wanted = [s for s, found in self.freshness.items() if state in {None, found.state}]
        keys = {s: (_rank(self.freshness[s].state), places[s]) for s in wanted}
        if after is not None:
            seen = read_cursor(after, int, int)
            wanted = [s for s in wanted if keys[s] > seen]
        rows = wanted[: first + 1]
        return cut_page(rows, [make_cursor(*keys[s]) for s in rows], first)


async def get_data_health(env: Env) -> DataHealth:
    """The state of everything that is watched.

    Raises:
        Unavailable: no source has been chosen yet, or the database does not answer.
    """
    watched = select(Instrument.symbol).where(Instrument.tracked)
    watched = watched.order_by(Instrument.position, Instrument.symbol)
    async with env.db.read() as db:
        symbols = list(await db.scalars(watched))
        quarantined = await db.scalar(select(func.count()).where(Quarantine.state == "HELD"))
        recent = DataRevision.at > env.clock.now() - RECENT
        revised = await db.scalar(select(func.count()).select_from(DataRevision).where(recent))
    found = await freshness(env, symbols)
    known = [symbol for symbol in symbols if symbol in found]
    ranked = sorted(known, key=lambda symbol: _rank(found[symbol].state))
    return DataHealth({s: found[s] for s in ranked}, int(quarantined or 0), int(revised or 0))


async def list_quarantine(
    env: Env,
    state: str | None = "HELD",
    symbol: str | None = None,
    first: int = 50,
    after: str | None = None,
) -> Page[QuarantineRow]:
    """Rows that were not believed, the newest finding first: of a state or all, of a symbol or all.

    Raises:
        BadInput: `first` is not from 1 to 200, a foreign cursor, a symbol that cannot be one.
    """
    query = select(*_QUARANTINE).where(*_of(Quarantine, symbol))
    if state is not None:
        query = query.where(Quarantine.state == state)
    rows = await _newest(env, query, Quarantine.id, first, after)
    found = [QuarantineRow(*row) for row in rows]
    return cut_page(found, [make_cursor(row.id) for row in found], first)


async def count_quarantine(env: Env, state: str | None = "HELD", symbol: str | None = None) -> int:
    """How many rows `list_quarantine` has on all pages."""
    query = select(func.count()).select_from(Quarantine).where(*_of(Quarantine, symbol))
    if state is not None:
        query = query.where(Quarantine.state == state)
    async with env.db.read() as db:
        return int(await db.scalar(query) or 0)


async def list_revisions(
    env: Env, symbol: str | None = None, first: int = 50, after: str | None = None
) -> Page[RevisionRow]:
    """Changes of stored rows, the newest first, of one instrument or of all.

    Raises:
        BadInput: `first` is not from 1 to 200, a foreign cursor, a symbol that cannot be one.
    """
    query = select(*_REVISIONS).where(*_of(DataRevision, symbol))
    rows = await _newest(env, query, DataRevision.id, first, after)
    found = [RevisionRow(*row) for row in rows]
    return cut_page(found, [make_cursor(row.id) for row in found], first)


async def count_revisions(env: Env, symbol: str | None = None) -> int:
    """How many rows `list_revisions` has on all pages."""
    query = select(func.count()).select_from(DataRevision).where(*_of(DataRevision, symbol))
    async with env.db.read() as db:
        return int(await db.scalar(query) or 0)


async def list_cross_checks(
    env: Env, symbol: str | None = None, first: int = 50, after: str | None = None
) -> Page[CrossCheckRow]:
    """Comparisons with other sources, those with the most differing days first.

    Raises:
        BadInput: `first` is not from 1 to 200, a foreign cursor, a symbol that cannot be one.
    """
    check_first(first)
    query = select(*_CROSS_CHECKS).where(*_of(CrossCheck, symbol))
    if after is not None:
        differing, *key = read_cursor(after, int, str, str)
        later = tuple_(CrossCheck.symbol, CrossCheck.other) > tuple_(*key)
        same = and_(CrossCheck.differing == differing, later)
        query = query.where(or_(CrossCheck.differing < differing, same))
    query = query.order_by(CrossCheck.differing.desc(), CrossCheck.symbol, CrossCheck.other)
    async with env.db.read() as db:
        rows = [CrossCheckRow(*row) for row in await db.execute(query.limit(first + 1))]
    cursors = [make_cursor(row.differing, row.symbol, row.other) for row in rows]
    return cut_page(rows, cursors, first)


async def count_cross_checks(env: Env, symbol: str | None = None) -> int:
    """How many rows `list_cross_checks` has on all pages."""
    query = select(func.count()).select_from(CrossCheck).where(*_of(CrossCheck, symbol))
    async with env.db.read() as db:
        return int(await db.scalar(query) or 0)


def read_id(text: str) -> int:
    """The number in an id.

    Raises:
        BadInput: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS):
        raise BadInput("id is %(value).40r; it must be an id of the list", field="id", value=text)
    return int(text)


async def _newest(
    env: Env, query: Select[Any], key: Any, first: int, after: str | None
) -> list[Any]:
    """The rows of a page, by a number that falls."""
    check_first(first)
    if after is not None:
        query = query.where(key < read_cursor(after, int)[0])
    async with env.db.read() as db:
        return list(await db.execute(query.order_by(key.desc()).limit(first + 1)))


def _of(table: Any, symbol: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if symbol is None else (table.symbol == check_symbol(symbol),)


def _rank(state: FreshnessState) -> int:
    return WORST_FIRST.index(state.value)


_ID_DIGITS: Final = 18
_QUARANTINE: Final = tuple(Quarantine.__table__.c[n] for n in QuarantineRow.__dataclass_fields__)
_REVISIONS: Final = tuple(DataRevision.__table__.c[n] for n in RevisionRow.__dataclass_fields__)
_CROSS_CHECKS: Final = tuple(CrossCheck.__table__.c[n] for n in CrossCheckRow.__dataclass_fields__)
