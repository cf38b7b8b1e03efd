"""Entries and rows as one line of text, and files in the small."""

from __future__ import annotations

from datetime import date

from app.domain.records.foreign import Assumed
from app.domain.records.mapping import RECOGNISED, ColumnMapping
from app.domain.records.reading import read_text
from app.domain.records.rows import Records
from app.domain.transactions import Entry

ASSUMED = Assumed(
    "KRW",
    {"삼성전자": "005930.KS", "카카오": "035720.KS", "293490": "293490.KQ"},
    date(2026, 3, 2),
    {},
)


def read(text: str, mapping: ColumnMapping = RECOGNISED) -> Records:
    """The records of a text, in a portfolio of won that knows two names."""
    return read_text(text, ASSUMED, mapping)


def brief(entry: Entry) -> str:
    """What an entry says: `BUY 005930.KS 10 @ 71200 = 712000 KRW fee 100`."""
    parts: list[object] = [entry.action or entry.kind, entry.symbol]
    if entry.quantity is not None:
        parts.append(f"{entry.quantity:f}")
    if entry.price is not None:
        parts += ["@", f"{entry.price.normalize():f}"]
    if entry.amount:
        parts += ["=", f"{entry.amount.normalize():f}", entry.currency]
    if entry.amount_to:
        parts += ["for", f"{entry.amount_to.normalize():f}", entry.currency_to]
    if entry.rate:
        parts += ["at", f"{entry.rate.normalize():f}"]
    for name in ("fee", "tax"):
        if charge := getattr(entry, name):
            parts += [name, f"{charge.normalize():f}"]
    return " ".join(str(part) for part in parts if part)


def briefs(records: Records) -> list[str]:
    """The rows of a file in brief, then its faults: `line column value`."""
    faults = [f"! {f.line} {f.column} {f.value}" for f in records.faults]
    return [brief(row.entry) for row in records.rows] + faults
