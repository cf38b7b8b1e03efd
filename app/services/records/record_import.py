"""Importing a file of transactions: a dry run that tells what would be, then all rows or none.

The file is read in a thread; nothing of it is computed while a transaction is open. Rows that are
there already are left out unless somebody wishes otherwise; a second import of the same file adds
nothing, since a row's key follows from what it says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from typing import Any, Final

from sqlalchemy import select

from app.db.models import Instrument, Txn
from app.domain.korean_names import KOREAN_NAMES
from app.domain.portfolio.book import Problem
from app.domain.portfolio.booking import keep_book
from app.domain.records.duplicates import (
    KEY_HEAD,
    MatchedRow,
    RowState,
    find_recorded,
    match_rows,
    oldest_first,
)
from app.domain.records.foreign import Assumed, fold_name
from app.domain.records.mapping import RECOGNISED, ColumnMapping, check_mapping
from app.domain.records.reading import read_records
from app.domain.records.rows import Records
from app.domain.records.tables import MOST_BYTES
from app.domain.transactions import Entry, PortfolioKind
from app.env import Env
from app.errors import Conflict
from app.services.portfolio.booking import When, entry_item, now_of, post, reversal_item
from app.services.portfolio.ledger import list_entries
from app.services.portfolio.portfolios import PortfolioRow, get_portfolio
from app.services.portfolio.settlement import read_settlement_days
from app.services.records.record_presets import get_preset

MOST_UPLOADED: Final = MOST_BYTES
"""Bytes of a file."""

BATCH: Final = 5_000
"""Rows that one call of the database stores; all calls are one transaction.

Each call writes the balances of its accounts anew, and the next one steps over what it has left.
"""


@dataclass(frozen=True)
class ImportReport:
    """What a file holds and what became of it.

    `recorded`: rows that are in the ledger now (0 after a dry run, and when there are faults).
    `balances` and `positions` are those of the portfolio with the rows in it; `problems` what would
    not be right then. `unknown` are symbols that nobody watches: without prices.
    """

    records: Records
    rows: Sequence[MatchedRow]
    chosen: Sequence[MatchedRow]
    recorded: int
    balances: Mapping[str, Decimal]
    positions: Mapping[str, Decimal]
    problems: Sequence[Problem]
    unknown: Sequence[str]

    def count(self, state: RowState) -> int:
        """How many rows are in that state."""
        return sum(match.state is state for match in self.rows)


async def import_records(  # noqa: PLR0913 - whose, where, what, and two wishes
    env: Env,
    user_id: int,
    portfolio_id: str,
    data: bytes,
    *,
    mapping: ColumnMapping | None = None,
    preset: str | None = None,
    duplicates: bool = False,
    dry_run: bool = True,
) -> ImportReport:
    """Reads a file and, unless it is a dry run or a row is at fault, records its rows.

    What a broker's columns and words mean is said by `mapping`, else by the preset of that id.
    `duplicates`: rows that seem to be there already are recorded too, but those whose key is used.

    Raises:
        BadInput: the file as a whole cannot be read, or the mapping cannot be.
        NotFound: the portfolio or the preset is not there or not the user's.
        Conflict: the portfolio is no record of a real account, or archived.
    """
    own = await get_portfolio(env, user_id, portfolio_id)
    if own.kind is not PortfolioKind.TRACKED:
        raise Conflict("Only a portfolio that records a real account takes a file of transactions.")
    when = now_of(env)
    symbols, watched = await _read_symbols(env)
    days = await read_settlement_days(env)
    assumed = Assumed(own.base_currency, symbols, max(when.today.values()), days)
    said = await _choose(env, user_id, mapping, preset)
    records = await asyncio.to_thread(read_records, data, assumed, said)
    present = await list_entries(env, user_id, portfolio_id)
    keys = await _read_keys(env, user_id, own.id)
    report = await asyncio.to_thread(
        _report, own, records, present, keys, watched, duplicates=duplicates
    )
    if dry_run or records.faults:
        return report
    await _record(env, user_id, own.id, report.chosen, when)
    return replace(report, recorded=len(report.chosen))


async def _choose(
    env: Env, user_id: int, mapping: ColumnMapping | None, preset: str | None
) -> ColumnMapping:
    if mapping is not None:
        return check_mapping(mapping)
    return RECOGNISED if preset is None else (await get_preset(env, user_id, preset)).mapping


def _report(  # noqa: PLR0913 - what the file has, and what is there
    own: PortfolioRow,
    records: Records,
    present: Sequence[Entry],
    keys: dict[int, str],
    watched: frozenset[str],
    *,
    duplicates: bool,
) -> ImportReport:
    rows = oldest_first(match_rows(records, find_recorded(present, keys)), records.format)
    chosen = [
        match for match in rows if match.state is RowState.NEW or (duplicates and not match.keyed)
    ]
    book = keep_book(
        [*present, *_provisional(chosen, present)],
        base=own.base_currency,
        rates=lambda _currency, _day: None,
        method=own.lot_method,
    )
    used = chain.from_iterable((m.row.entry.symbol, m.row.entry.symbol_to) for m in chosen)
    return ImportReport(
        records=records,
        rows=rows,
        chosen=chosen,
        recorded=0,
        balances={currency: held.quantity for currency, held in sorted(book.cash.items())},
        positions={
            symbol: held.quantity for symbol, held in sorted(book.holdings.items()) if held.quantity
        },
        problems=book.problems,
        unknown=sorted({symbol for symbol in used if symbol} - watched),
    )


def _provisional(chosen: Sequence[MatchedRow], present: Sequence[Entry]) -> list[Entry]:
    """The rows as entries behind those that are there, with ids that no other has."""
    first = max((entry.id or 0 for entry in present), default=0) + 1
    ids = {match.row.number: first + n for n, match in enumerate(chosen) if match.row.number}
    return [
        replace(
            match.row.entry,
            id=first + n,
            reverses=None if match.row.reverses is None else ids[match.row.reverses],
        )
        for n, match in enumerate(chosen)
    ]


async def _record(
    env: Env, user_id: int, portfolio_id: int, chosen: Sequence[MatchedRow], when: When
) -> None:
    """All rows in one transaction, in their order: a reversal needs the id of what it reverses."""
    items = await asyncio.to_thread(
        lambda: [entry_item(portfolio_id, m.key, m.row.entry, when) for m in chosen]
    )
    ids: dict[int | None, int] = {}
    waiting: list[tuple[int | None, dict[str, Any]]] = []

    async with env.db.write(uid=user_id) as db:

        async def store() -> None:
            if waiting:
                batch = [item for _, item in waiting]
                posted = await post(db.scalar, portfolio_id, user_id, batch, when)
                numbers = (number for number, _ in waiting)
                ids.update(zip(numbers, posted.ids, strict=True))
                waiting.clear()

        for match, item in zip(chosen, items, strict=True):
            row = match.row
            if len(waiting) == BATCH or (row.reverses is not None and row.reverses not in ids):
                await store()
            if row.reverses is not None:
                item = reversal_item(portfolio_id, match.key, ids[row.reverses])  # noqa: PLW2901
            waiting.append((row.number, item))
        await store()


async def _read_keys(env: Env, user_id: int, portfolio_id: int) -> dict[int, str]:
    """The keys of what was imported, by transaction."""
    query = select(Txn.id, Txn.idem_key).where(
        Txn.portfolio_id == portfolio_id, Txn.idem_key.startswith(KEY_HEAD)
    )
    async with env.db.read(uid=user_id) as db:
        return dict((await db.execute(query)).all())


async def _read_symbols(env: Env) -> tuple[dict[str, str], frozenset[str]]:
    """Symbols by names and by Korean codes, and which of them are watched."""
    found = {fold_name(name): symbol for symbol, name in KOREAN_NAMES.items()}
    query = select(Instrument.symbol, Instrument.name, Instrument.name_local, Instrument.tracked)
    async with env.db.read() as db:
        rows = (await db.execute(query)).all()
    for symbol, *names, _ in rows:
        found |= {fold_name(name): symbol for name in names if name}
        if symbol.endswith((".KS", ".KQ")):
            found[symbol[:-3]] = symbol
    return found, frozenset(symbol for symbol, *_, tracked in rows if tracked)
