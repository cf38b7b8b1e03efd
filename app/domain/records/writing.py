"""Our own format, written: CSV and JSON, in pieces, so that no file stands in memory as a whole."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from app.domain.records.columns import OWN_COLUMNS, OWN_HEAD
from app.domain.records.own import FORMULA, NUMBERS, VERSION, ZEROS, join_tags
from app.domain.records.reading import OWN_NAME
from app.domain.transactions import Entry

PIECE: Final = 500
"""Entries that are written at once."""


def write_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """A header and a line for each entry, in the order given, numbered from 1.

    It begins with a byte-order mark, without which spreadsheets do not see that it is UTF-8.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    out.write("\ufeff")
    writer.writerow([f"{OWN_HEAD}{VERSION}", *OWN_COLUMNS])
    for number, _, facts in _number(entries):
        row = [text if name in NUMBERS else escape(text) for name, text in facts.items()]
        writer.writerow([number, *row])
        if number % PIECE == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def write_json(entries: Iterable[Entry]) -> Iterator[str]:
    """An object with `format`, `version` and `transactions`, one a line; numbers are texts."""
    piece = [f'{{"format": "{OWN_NAME}", "version": {VERSION}, "transactions": [']
    for number, entry, facts in _number(entries):
        known: dict[str, object] = {name: text for name, text in facts.items() if text}
        if entry.tags:
            known["tags"] = entry.tags
        line = json.dumps({"number": number} | known, ensure_ascii=False)
        piece.append(f"{',' if number > 1 else ''}\n{line}")
        if number % PIECE == 0:
            yield "".join(piece)
            piece.clear()
    yield "".join([*piece, "\n]}\n"])


def escape(text: str) -> str:
    """A text that no spreadsheet takes for a formula; `own.unescape` gives it back."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _number(entries: Iterable[Entry]) -> Iterator[tuple[int, Entry, dict[str, str]]]:
    """Each entry with its number in the file, by which reversals name what they reverse."""
    numbers: dict[int, int] = {}
    for number, entry in enumerate(entries, 1):
        if entry.id is not None:
            numbers[entry.id] = number
        facts = {name: _text(name, entry) for name in OWN_COLUMNS}
        if entry.reverses is not None:
            facts["reverses"] = str(numbers[entry.reverses])
        yield number, entry, facts


def _text(name: str, entry: Entry) -> str:
    value = getattr(entry, name)
    if value is None or (name in ZEROS and value == 0):
        return ""
    if name == "tags":
        return join_tags(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
