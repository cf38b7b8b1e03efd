"""A file of transactions, read: whose format it is, and its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NoReturn

from app.domain.records.columns import GHOSTFOLIO_OWN, OWN_COLUMNS, PERFORMANCE_OWN, simplify
from app.domain.records.foreign import Assumed, read_foreign
from app.domain.records.mapping import RECOGNISED, ColumnMapping
from app.domain.records.own import check_version, is_own, join_tags, read_facts, read_own
from app.domain.records.rows import RecordFormat, Records
from app.domain.records.tables import (
    MOST_ROWS,
    Line,
    Table,
    check_line,
    check_size,
    decode,
    make_table,
    read_table,
)
from app.domain.records.workbook import MAGIC, read_workbook
from app.errors import BadInput

OWN_NAME: Final = "sise"
"""What `format` says in a JSON file of ours."""

_ACTIVITY: Final = ("date", "type", "symbol", "currency", "unitPrice", "quantity", "fee", "comment")


def read_records(data: bytes, assumed: Assumed, mapping: ColumnMapping = RECOGNISED) -> Records:
    """The rows of a file: CSV or JSON in UTF-8 or cp949, or a workbook.

    `mapping` says what a broker's columns and words mean; other formats need none.

    Raises:
        BadInput: the file as a whole cannot be read, or is beyond the limits.
    """
    if data.startswith(MAGIC):
        return _read_any(make_table(read_workbook(data)), assumed, mapping)
    text, _ = decode(data)
    return read_text(text, assumed, mapping)


def read_text(text: str, assumed: Assumed, mapping: ColumnMapping = RECOGNISED) -> Records:
    """The rows of a text.

    Raises:
        BadInput: as `read_records`.
    """
    if text.removeprefix("\ufeff").lstrip()[:1] in {"{", "["}:
        return _read_json(text.removeprefix("\ufeff"), assumed)
    return _read_any(read_table(text), assumed, mapping)


def _read_any(table: Table, assumed: Assumed, mapping: ColumnMapping) -> Records:
    if is_own(table.header.cells):
        return read_own(table)
    names = {simplify(cell) for cell in table.header.cells}
    format_ = RecordFormat.BROKER
    if GHOSTFOLIO_OWN in names:
        format_ = RecordFormat.GHOSTFOLIO
    elif not PERFORMANCE_OWN.isdisjoint(names) and not {"value", "wert"}.isdisjoint(names):
        format_ = RecordFormat.PORTFOLIO_PERFORMANCE
    return read_foreign(table, format_, mapping, assumed)


def _read_json(text: str, assumed: Assumed) -> Records:
    check_size(text)
    try:
        found = json.loads(
            text, parse_float=Decimal, parse_int=_whole, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise BadInput("The file is no JSON that can be read", field="file") from None
    if not isinstance(found, dict):
        _refuse()
    if found.get("format") == OWN_NAME:
        check_version(found.get("version"))
        return read_facts(
            [(number, _facts(row)) for number, row in _listed(found.get("transactions"))]
        )
    lines = [
        check_line(Line(number, [_text(row.get(name)) for name in _ACTIVITY]))
        for number, row in _listed(found.get("activities"))
    ]
    return read_foreign(
        Table(Line(0, _ACTIVITY), lines), RecordFormat.GHOSTFOLIO, RECOGNISED, assumed
    )


def _listed(rows: object) -> Sequence[tuple[int, Mapping[str, Any]]]:
    """The transactions of a file, numbered from 1."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        _refuse()
    if len(rows) > MOST_ROWS:
        message = "The file has more than %(bound)d lines"
        raise BadInput(message, field="file", bound=MOST_ROWS)
    return list(enumerate(rows, 1))


def _facts(row: Mapping[str, Any]) -> dict[str, str]:
    """The columns of our own format in a JSON object."""
    facts = {name: _text(row.get(name)) for name in ("number", *OWN_COLUMNS)}
    tags = row.get("tags")
    facts["tags"] = join_tags([_text(tag) for tag in tags]) if isinstance(tags, list) else ""
    return facts


def _text(value: object) -> str:
    """A JSON value as a cell; a number without exponent where it can be."""
    if value is None:
        return ""
    if isinstance(value, Decimal) and abs(value.adjusted()) <= 30:
        return f"{value:f}"
    if isinstance(value, list | dict):
        return "[…]" if isinstance(value, list) else "{…}"
    return str(value)


def _whole(digits: str) -> Decimal:
    return Decimal(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _refuse() -> NoReturn:
    message = "The file is none of transactions: neither of this program nor of Ghostfolio"
    raise BadInput(message, field="file")
