"""Which rows of a file are there already: earlier in the file, or in the portfolio.

Two transactions are the same when kind, day, symbols, quantities and amounts are, and the broker's
numbers where it gives them. The key under which a row is recorded follows from that and from how
many equal ones stand before it: the same file, read again, has the same keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Final

from app.domain.records.rows import RecordFormat, RecordRow, Records
from app.domain.transactions import Entry

KEY_HEAD: Final = "import:"


class RowState(StrEnum):
    """What would become of a row. Only NEW ones are recorded, unless somebody wishes otherwise.

    RECORDED: the portfolio has it. REPEATED: an earlier row of the file is the same.
    """

    NEW = "NEW"
    RECORDED = "RECORDED"
    REPEATED = "REPEATED"


@dataclass(frozen=True)
class Recorded:
    """What a portfolio has: keys in use, and contents, of what stands and of what is reversed."""

    keys: Container[str] = frozenset()
    reversed_keys: Container[str] = frozenset()
    contents: Counter[str] = field(default_factory=Counter)
    reversed_contents: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """A row, what would become of it, and the key under which it is recorded.

    `keyed`: the portfolio has a transaction under that key: it cannot be recorded again.
    """

    row: RecordRow
    key: str
    state: RowState
    keyed: bool


@dataclass(frozen=True, slots=True)
class _Key:
    """A row's key, its number among equal rows, its content, and whether it is reversed below."""

    row: RecordRow
    text: str
    ordinal: int
    content: str
    undone: bool
    used: bool


def match_rows(records: Records, recorded: Recorded) -> list[MatchedRow]:
    """Every row of a file with its state, in the file's order.

    In our own format equal rows are as many transactions; elsewhere the second is a repetition,
    unless the broker's number tells them apart. A row that another one reverses is looked for among
    what is reversed; a reversal shares the state of what it reverses.
    """
    undone = {row.reverses for row in records.rows if row.reverses is not None}
    keys = _give_keys(records.rows, undone, recorded)
    states = _find_states(keys, recorded, distinct=records.format is RecordFormat.SISE)
    plain = iter(zip(keys, states, strict=True))
    by_number: dict[int | None, MatchedRow] = {}
    matched = []
    for row in records.rows:
        if row.reverses is None:
            key, state = next(plain)
            match = MatchedRow(row, key.text, state, key.used)
            by_number[row.number] = match
        else:
            target = by_number[row.reverses]
            match = MatchedRow(row, f"{target.key}:reversal", target.state, target.keyed)
        matched.append(match)
    return matched


def find_recorded(entries: Iterable[Entry], keys: dict[int, str]) -> Recorded:
    """What a portfolio has, of all its entries and the keys of those that were imported."""
    known = list(entries)
    reversed_ids = {entry.reverses for entry in known if entry.reverses is not None}
    sides: tuple[list[Entry], list[Entry]] = ([], [])
    for entry in known:
        if entry.reverses is None:
            sides[entry.id in reversed_ids].append(entry)
    key_sets = [{keys[e.id] for e in side if e.id in keys} for side in sides]
    contents = [Counter(map(content_of, side)) for side in sides]
    return Recorded(key_sets[0], key_sets[1], contents[0], contents[1])


def oldest_first(rows: Sequence[MatchedRow], format_: RecordFormat) -> Sequence[MatchedRow]:
    """The rows by day, as they are to be stored; within a day as they happened.

    Brokers write the newest first or last: a file whose first day is after its last is turned
    round. One of our own format stands in order.
    """
    if format_ is RecordFormat.SISE or not rows:
        return rows
    newest_first = rows[0].row.entry.day > rows[-1].row.entry.day
    return sorted(rows[::-1] if newest_first else rows, key=lambda match: match.row.entry.day)


def content_of(entry: Entry) -> str:
    """What makes two transactions the same, as a text."""
    facts = (
        entry.kind,
        entry.action,
        entry.day,
        entry.symbol,
        entry.quantity,
        entry.currency,
        entry.amount,
        entry.currency_to,
        entry.amount_to,
        entry.symbol_to,
        entry.quantity_to,
    )
    return "|".join(map(_plain, facts))


def _give_keys(
    rows: Sequence[RecordRow], undone: Container[int | None], recorded: Recorded
) -> list[_Key]:
    """A key for each row that is no reversal: a fresh one where a former import was reversed."""
    counts: Counter[str] = Counter()
    keys = []
    for row in rows:
        if row.reverses is not None:
            continue
        content = content_of(row.entry)
        reversed_here = row.number is not None and row.number in undone
        identity = f"{content}|{row.reference or ''}|{'reversed' if reversed_here else ''}"
        counts[identity] += 1
        digest = sha256(identity.encode("utf-8", "replace")).hexdigest()
        head = f"{KEY_HEAD}{digest}:{counts[identity]}"
        text, again = head, 1
        while not reversed_here and text in recorded.reversed_keys:
            again += 1
            text = f"{head}:{again}"
        used = text in (recorded.reversed_keys if reversed_here else recorded.keys)
        keys.append(_Key(row, text, counts[identity], content, reversed_here, used))
    return keys


def _find_states(keys: Sequence[_Key], recorded: Recorded, *, distinct: bool) -> list[RowState]:
    """A key in use accounts for one of the portfolio's; what is left is matched in order."""
    left = (Counter(recorded.contents), Counter(recorded.reversed_contents))
    for key in keys:
        if key.used:
            left[key.undone][key.content] -= 1
    states = []
    for key in keys:
        state = RowState.NEW
        if key.used:
            state = RowState.RECORDED
        elif key.ordinal > 1 and not distinct:
            state = RowState.REPEATED
        elif left[key.undone][key.content] > 0:
            left[key.undone][key.content] -= 1
            state = RowState.RECORDED
        states.append(state)
    return states


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    return "" if value is None else str(value)
