"""Our own format, read: every field of an entry in a column, so that nothing is lost.

The first column is named by the version (`sise 1`) and holds the number of the row, by which
another row may say that it reverses it. Texts that a spreadsheet would compute stand behind an
apostrophe, as do those that begin with one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.entry_checks import check_entry
from app.domain.money import ZERO
from app.domain.records.cells import read_day, read_number
from app.domain.records.columns import OWN_COLUMNS, OWN_HEAD, simplify
from app.domain.records.rows import (
    Located,
    RecordFormat,
    RecordRow,
    Records,
    RowFault,
    locating,
    show,
)
from app.domain.records.tables import Table
from app.domain.transactions import CorporateAction, Entry, TransactionKind
from app.errors import BadInput, argument

VERSION: Final = 1
NUMBERS: Final = frozenset(
    {
        "quantity",
        "price",
        "amount",
        "fee",
        "tax",
        "amount_to",
        "rate",
        "spread",
        "numerator",
        "denominator",
        "quantity_to",
        "cost_share",
    }
)
ZEROS: Final = frozenset({"amount", "fee", "tax"})
"""Numbers of an entry that are 0 where nothing is said."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_COLUMN_OF: Final = {argument(name): name for name in OWN_COLUMNS}
_ROW: Final = re.compile(r"[0-9]{1,9}")


def is_own(header: Sequence[str]) -> bool:
    """Whether a header is one of our own format, of whatever version."""
    return bool(header) and simplify(header[0]).startswith(OWN_HEAD)


def read_own(table: Table) -> Records:
    """The rows of a table of our own format.

    Raises:
        BadInput: another version, or not its columns.
    """
    header = [simplify(cell).replace(" ", "_") for cell in table.header.cells]
    head = simplify(table.header.cells[0]).removeprefix(OWN_HEAD)
    check_version(head)
    unknown = next((name for name in header[1:] if name and name not in OWN_COLUMNS), None)
    if unknown is not None:
        message = "%(value).40r is no column of this format"
        raise BadInput(message, field="columns", value=unknown)
    facts = [
        (
            line.number,
            {"number": line.cells[0]} | dict(zip(header[1:], line.cells[1:], strict=False)),
        )
        for line in table.lines
    ]
    return read_facts([(line, {k: unescape(v) for k, v in row.items()}) for line, row in facts])


def check_version(version: object) -> None:
    """Refuses a version that is not ours.

    Raises:
        BadInput: it is another one.
    """
    if str(version) != str(VERSION):
        message = "The file is of version %(value).20r of our format; %(bound)d can be read"
        raise BadInput(message, field="file", value=str(version), bound=VERSION)


def read_facts(rows: Sequence[tuple[int, Mapping[str, str]]]) -> Records:
    """Rows that are given as texts by column, each with its line."""
    found: list[RecordRow] = []
    faults: list[RowFault] = []
    numbers: dict[int, Entry] = {}
    for line, facts in rows:
        try:
            row = _read_row(line, facts)
            _check_reference(row, numbers)
        except Located as located:
            faults.append(located.at(line))
            continue
        numbers[row.number or 0] = row.entry
        found.append(row)
    return Records(RecordFormat.SISE, found, faults, {name: [name] for name in OWN_COLUMNS})


def unescape(text: str) -> str:
    """The text before `writing.escape`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def _read_row(line: int, facts: Mapping[str, str]) -> RecordRow:
    number = _read_row_number("number", facts.get("number", ""))
    reverses = facts.get("reverses", "")
    values: dict[str, Any] = {}
    for name in OWN_COLUMNS[1:]:
        text = facts.get(name, "")
        with locating(name, text):
            values[name] = _read_value(name, text)
    try:
        entry = check_entry(Entry(**values))
    except BadInput as error:
        value = show(error.values.get("value", ""))
        raise Located(_COLUMN_OF.get(error.field, error.field), value, error) from None
    target = _read_row_number("reverses", reverses) if reverses else None
    return RecordRow(line, entry, number=number, reverses=target)


def _read_value(name: str, text: str) -> object:
    if name in NUMBERS:
        return read_number(text) if text else ZERO if name in ZEROS else None
    if name in {"day", "settles_on"}:
        return read_day(text)
    if name == "kind":
        return _read_member(TransactionKind, name, text)
    if name == "action":
        return _read_member(CorporateAction, name, text) if text else None
    if name == "tags":
        return split_tags(text)
    return text if name == "note" else text or None


def _read_member(
    kinds: type[TransactionKind | CorporateAction], name: str, text: str
) -> TransactionKind | CorporateAction:
    if text not in kinds.__members__:
        message = "%(value).40r is no %(name)s; there are %(bound)s"
        raise BadInput(message, field=name, name=name, value=text, bound=", ".join(kinds))
    return kinds[text]


def _read_row_number(name: str, text: str) -> int:
    with locating(name, text):
        if not _ROW.fullmatch(text.strip()):
            message = "%(value).40r is no number of a row"
            raise BadInput(message, field=name, value=text)
    return int(text)


def _check_reference(row: RecordRow, known: Mapping[int, Entry]) -> None:
    """A number stands once, and a reversal follows what it reverses."""
    if row.number in known:
        with locating("number", str(row.number)):
            message = "The number %(value)s stands in an earlier row too"
            raise BadInput(message, field="number", value=str(row.number))
    if row.reverses is not None and row.reverses not in known:
        with locating("reverses", str(row.reverses)):
            message = "No row before this one has the number %(value)s"
            raise BadInput(message, field="reverses", value=str(row.reverses))


def join_tags(tags: Sequence[str]) -> str:
    """Tags as one text with `;` between them; a backslash stands before one within a tag."""
    return ";".join(tag.replace("\\", "\\\\").replace(";", "\\;") for tag in tags)


def split_tags(text: str) -> tuple[str, ...]:
    """The tags of `join_tags`."""
    if not text:
        return ()
    tags, escaped = [""], False
    for letter in text:
        if escaped or letter not in {"\\", ";"}:
            tags[-1] += letter
            escaped = False
        elif letter == "\\":
            escaped = True
        else:
            tags.append("")
    return tuple(tags)
