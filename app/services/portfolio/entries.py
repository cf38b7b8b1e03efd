"""Entries as rows of `txn` and back, and the hash of what somebody asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import Result, Row, Select, select

from app.db.models import Txn, TxnNote
from app.domain.market import currency_digits
from app.domain.transactions import CorporateAction, Entry, TransactionKind

_MONEY: Final = frozenset({"amount", "fee", "tax"})
_BESIDE: Final = ("note", "tags")
_COLUMNS: Final = tuple(f.name for f in fields(Entry) if f.name not in _BESIDE)
_NAMES: Final = (*_COLUMNS, *_BESIDE)

PIECE: Final = 500
"""Entries that are read without a pause: some 10 ms."""


def select_entries() -> Select[Any]:
    """The columns of `read_entry`, of transactions only: no movements between own accounts."""
    columns = (*(getattr(Txn, name) for name in _COLUMNS), TxnNote.note, TxnNote.tags)
    query = select(*columns).outerjoin(TxnNote, TxnNote.txn_id == Txn.id)
    return query.where(Txn.kind.in_(TransactionKind))


def read_entry(row: Row[Any]) -> Entry:
    """The entry of a row: money at its minor unit, other figures without zeros at their end."""
    facts: dict[str, Any] = dict(zip(_NAMES, row, strict=False))  # others may stand behind
    facts["note"], facts["tags"] = facts["note"] or "", tuple(facts["tags"] or ())
    for name, value in facts.items():
        if isinstance(value, Decimal):
            facts[name] = _plain(value, _currency_of(name, facts))
    facts["kind"] = TransactionKind(facts["kind"])
    facts["action"] = None if facts["action"] is None else CorporateAction(facts["action"])
    return Entry(**facts)


async def read_entries(rows: Result[Any]) -> list[Entry]:
    """The entries of all rows; what else the process has to do has its turn in between."""
    entries: list[Entry] = []
    for piece in rows.partitions(PIECE):
        entries += [read_entry(row) for row in piece]
        await asyncio.sleep(0)
    return entries


def write_entry(entry: Entry) -> dict[str, Any]:
    """The columns of `txn` that are not empty, as JSON takes them: figures and days as text."""
    named = ((name, getattr(entry, name)) for name in _COLUMNS)
    return {n: _text(v) for n, v in named if v is not None and n not in {"id", "reverses"}}


def hash_request(portfolio_id: int, *parts: object) -> str:
    """SHA-256, as hex, of canonical parameters: equal figures are equal however written."""
    canonical = [portfolio_id, *(_canonical(part) for part in parts)]
    return sha256(orjson.dumps(canonical, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _canonical(part: object) -> object:
    if isinstance(part, Entry):
        return write_entry(part) | {"note": part.note, "tags": list(part.tags)}
    if isinstance(part, Iterable) and not isinstance(part, str):
        return [_canonical(inner) for inner in part]
    return part if isinstance(part, int) else _text(part)


def _text(value: object) -> str:
    return f"{_plain(value, None):f}" if isinstance(value, Decimal) else str(value)


def _currency_of(name: str, facts: dict[str, Any]) -> str | None:
    if name == "amount_to":
        return str(facts["currency_to"])
    return facts["currency"] if name in _MONEY else None


def _plain(value: Decimal, currency: str | None) -> Decimal:
    """The same number with the decimals of its currency, or with no more than it needs."""
    if currency is not None:
        return value.quantize(Decimal(1).scaleb(-currency_digits(currency)))
    short = value.normalize()
    return short.quantize(Decimal(1)) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]
