"""Brokers' files, and those of Ghostfolio and Portfolio Performance: a line becomes a draft.

The three differ in names of columns and in how numbers and days are written; what a line then
means is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Final

from app.domain.market import CURRENCY_DIGITS
from app.domain.money import ZERO
from app.domain.records.cells import (
    DayOrder,
    find_currency,
    find_day_order,
    read_currency,
    read_day,
    read_number,
    says_comma,
)
from app.domain.records.columns import (
    BROKER_NAMES,
    GHOSTFOLIO_NAMES,
    PERFORMANCE_NAMES,
    RecordField,
    find_columns,
    simplify,
)
from app.domain.records.drafts import Draft, finish
from app.domain.records.kinds import RecordKind, find_kind
from app.domain.records.mapping import RECOGNISED, ColumnMapping
from app.domain.records.rows import (
    Located,
    RecordFormat,
    RecordRow,
    Records,
    RowFault,
    locating,
)
from app.domain.records.tables import Line, Table
from app.domain.symbol_list import read_symbol
from app.domain.trading.settlement import settle_trade
from app.domain.trading.tables import Market
from app.domain.transactions import Entry
from app.errors import BadInput, argument

NAMES: Final = {
    RecordFormat.BROKER: BROKER_NAMES,
    RecordFormat.GHOSTFOLIO: GHOSTFOLIO_NAMES,
    RecordFormat.PORTFOLIO_PERFORMANCE: PERFORMANCE_NAMES,
}
NUMBERS: Final = (
    RecordField.QUANTITY,
    RecordField.PRICE,
    RecordField.AMOUNT,
    RecordField.NET,
    RecordField.FEE,
    RecordField.TAX,
    RecordField.AMOUNT_TO,
    RecordField.RATE,
)
_BLANK: Final = frozenset({"", "-", "--", "n/a", "null"})
_DIGITS: Final = re.compile(r"[0-9]{1,6}")
_KOREAN_ISIN: Final = re.compile(r"KR7([0-9A-Z]{6})[0-9]{3}")


@dataclass(frozen=True)
class Assumed:
    """What a file need not say: the portfolio's currency, and symbols by names and Korean codes.

    Nothing has happened after `today`. By `settlement_days` a trade settles that says no day.
    """

    currency: str
    symbols: Mapping[str, str]
    today: date
    settlement_days: Mapping[Market, Sequence[date]]


@dataclass(frozen=True)
class _Columns:
    """Where each field stands, by which name, and how its cells are written."""

    header: Sequence[str]
    places: Mapping[RecordField, Sequence[int]]
    comma: bool
    order: DayOrder | None
    kinds: Mapping[str, RecordKind]
    currency: str | None

    def name(self, field: RecordField) -> str:
        """What the file calls the field."""
        return " + ".join(self.header[place] for place in self.places.get(field, ()))

    def text(self, line: Line, field: RecordField) -> str:
        """The cell; empty where the line is short or the field has no column."""
        found = self.texts(line, field)
        return found[0] if found else ""

    def texts(self, line: Line, field: RecordField) -> list[str]:
        """The cells of a field that are not blank."""
        places = self.places.get(field, ())
        cells = [line.cells[place].strip() for place in places if place < len(line.cells)]
        return [cell for cell in cells if cell.casefold() not in _BLANK]

    def number(self, line: Line, field: RecordField) -> Decimal | None:
        """The number in a field's cell, or the sum of several."""
        total = None
        for text in self.texts(line, field):
            with locating(self.name(field), text):
                total = (total or ZERO) + read_number(text, comma=self.comma)
        return total

    def day(self, line: Line, field: RecordField) -> date | None:
        """The day in a field's cell."""
        text = self.text(line, field)
        if not text:
            return None
        with locating(self.name(field), text):
            return read_day(text, self.order)


def read_foreign(
    table: Table, format_: RecordFormat, mapping: ColumnMapping, assumed: Assumed
) -> Records:
    """The rows of a table that is not of our own format.

    Raises:
        BadInput: the header has no column for the day or the kind, or not the one that the mapping
            names.
    """
    columns = _find(table, format_, mapping)
    rows: list[RecordRow] = []
    faults: list[RowFault] = []
    skipped = 0
    for line in table.lines:
        try:
            row = _read_line(line, columns, format_, assumed)
        except Located as located:
            faults.append(located.at(line.number))
            continue
        if row is None:
            skipped += 1
        else:
            rows.append(row)
    taken = {field.value: [columns.header[p] for p in ps] for field, ps in columns.places.items()}
    used = {place for places in columns.places.values() for place in places}
    unused = [name for place, name in enumerate(columns.header) if place not in used and name]
    return Records(format_, rows, faults, taken, unused, skipped)


def _find(table: Table, format_: RecordFormat, mapping: ColumnMapping) -> _Columns:
    header = [cell.strip() for cell in table.header.cells]
    places = find_columns(header, NAMES[format_])
    if format_ is RecordFormat.BROKER:
        places |= _said(header, mapping)
    else:
        mapping = RECOGNISED
    for field in (RecordField.DAY, RecordField.KIND):
        if field not in places:
            message = "No column is known to hold %(name)s; the columns are %(value)s"
            value = ", ".join(filter(None, header))[:200]
            raise BadInput(message, field="columns", name=field.lower(), value=value)
    days = [
        cell
        for field in (RecordField.DAY, RecordField.SETTLES_ON)
        for cell in _cells(table, places, field)
    ]
    comma = mapping.decimal_comma
    if comma is None and format_ is RecordFormat.PORTFOLIO_PERFORMANCE:
        comma = table.decimal_comma
    if comma is None:
        comma = says_comma(cell for field in NUMBERS for cell in _cells(table, places, field))
    order = mapping.day_order or find_day_order(days)
    if format_ is RecordFormat.GHOSTFOLIO:
        order = DayOrder.DMY
    return _Columns(header, places, comma, order, mapping.kinds, mapping.currency)


def _said(header: Sequence[str], mapping: ColumnMapping) -> dict[RecordField, list[int]]:
    """The columns that a mapping names."""
    by_name = {simplify(name): place for place, name in reversed(list(enumerate(header)))}
    found = {}
    for field, names in mapping.columns.items():
        missing = next((name for name in names if simplify(name) not in by_name), None)
        if missing is not None:
            message = "The mapping names a column %(value).40r, which the file has not"
            raise BadInput(message, field="columns", value=missing)
        found[field] = [by_name[simplify(name)] for name in names]
    return found


def _cells(
    table: Table, places: Mapping[RecordField, Sequence[int]], field: RecordField
) -> Iterable[str]:
    for place in places.get(field, ()):
        yield from (line.cells[place] for line in table.lines if place < len(line.cells))


def _read_line(
    line: Line, columns: _Columns, format_: RecordFormat, assumed: Assumed
) -> RecordRow | None:
    kind = _read_kind(line, columns)
    if kind is RecordKind.SKIP:
        return None
    draft = _read_draft(line, columns, kind, assumed)
    if format_ is RecordFormat.GHOSTFOLIO and kind in _WITHOUT_SYMBOL:
        draft = replace(draft, symbol=None)
    entry = _finish(line, draft, columns, assumed.currency)
    if draft.settles_on is None:
        entry = settle_trade(entry, assumed.settlement_days)
    return RecordRow(line.number, entry, columns.text(line, RecordField.REFERENCE) or None)


_WITHOUT_SYMBOL: Final = frozenset({RecordKind.FEE, RecordKind.INTEREST})
"""Ghostfolio makes up a symbol for these."""


def _read_kind(line: Line, columns: _Columns) -> RecordKind:
    word = columns.text(line, RecordField.KIND)
    for text in (word, columns.text(line, RecordField.DAY)):
        found = find_kind(text, columns.kinds) if text else None
        if found is RecordKind.SKIP or (found is not None and text == word):
            return found
    with locating(columns.name(RecordField.KIND), word):
        message = "%(value).40r is no known kind of transaction; say in the mapping what it means"
        raise BadInput(message, field="kind", value=word)
    raise AssertionError


def _read_draft(line: Line, columns: _Columns, kind: RecordKind, assumed: Assumed) -> Draft:
    day = columns.day(line, RecordField.DAY)
    if day is None:
        with locating(columns.name(RecordField.DAY)):
            raise BadInput("The day is missing", field="day")
    if day > assumed.today:
        with locating(columns.name(RecordField.DAY), columns.text(line, RecordField.DAY)):
            message = "%(value)s is after today, %(bound)s"
            raise BadInput(message, field="day", value=str(day), bound=str(assumed.today))
    symbol = _read_symbol(line, columns, kind, assumed)
    numbers = {field: columns.number(line, field) for field in NUMBERS}
    currency = _read_currency(line, columns, RecordField.CURRENCY)
    if currency is None and symbol is None:
        texts = (columns.text(line, field) for field in (RecordField.AMOUNT, RecordField.NET))
        currency = next(filter(None, map(find_currency, texts)), None) or columns.currency
    return Draft(
        kind=kind,
        day=day,
        settles_on=columns.day(line, RecordField.SETTLES_ON),
        symbol=symbol,
        quantity=numbers[RecordField.QUANTITY],
        price=numbers[RecordField.PRICE],
        amount=numbers[RecordField.AMOUNT],
        net=numbers[RecordField.NET],
        fee=numbers[RecordField.FEE] or ZERO,
        tax=numbers[RecordField.TAX] or ZERO,
        currency=currency,
        currency_to=_read_currency(line, columns, RecordField.CURRENCY_TO),
        amount_to=numbers[RecordField.AMOUNT_TO],
        rate=numbers[RecordField.RATE],
        note=columns.text(line, RecordField.NOTE),
    )


def _read_currency(line: Line, columns: _Columns, field: RecordField) -> str | None:
    text = columns.text(line, field)
    if not text:
        return None
    code = read_currency(text)
    if code not in CURRENCY_DIGITS:
        with locating(columns.name(field), text):
            message = "%(currency)s is not supported: KRW and USD are"
            raise BadInput(message, field="currency", currency=code[:10])
    return code


_OF_MONEY: Final = frozenset(
    {
        RecordKind.DEPOSIT,
        RecordKind.WITHDRAWAL,
        RecordKind.EXCHANGE_IN,
        RecordKind.EXCHANGE_OUT,
    }
)
"""Kinds that have no symbol: what brokers write there (`원화`) is passed over."""

_MAY_HAVE_SYMBOL: Final = frozenset(
    {
        RecordKind.INTEREST,
        RecordKind.INTEREST_CHARGE,
        RecordKind.FEE,
        RecordKind.FEE_REFUND,
        RecordKind.TAX,
        RecordKind.TAX_REFUND,
    }
)


def _read_symbol(line: Line, columns: _Columns, kind: RecordKind, assumed: Assumed) -> str | None:
    if kind in _OF_MONEY:
        return None
    code, name = columns.text(line, RecordField.SYMBOL), columns.text(line, RecordField.NAME)
    found = find_symbol(code)
    if found is not None:
        found = assumed.symbols.get(found.removesuffix(".KS"), found)
    else:
        found = assumed.symbols.get(fold_name(name or code))
    if found is not None or not (code or name) or kind in _MAY_HAVE_SYMBOL:
        return found
    field = RecordField.SYMBOL if code else RecordField.NAME
    with locating(columns.name(field), code or name):
        message = "%(value).40r is no symbol and no known name of a share"
        raise BadInput(message, field="symbol", value=code or name)
    return None


def find_symbol(text: str) -> str | None:
    """The symbol that a cell means: a Korean code may have lost its zeros, or stand in an ISIN."""
    if isin := _KOREAN_ISIN.fullmatch(text.upper()):
        text = isin[1]
    return read_symbol(text.zfill(6) if _DIGITS.fullmatch(text) else text)


def fold_name(name: str) -> str:
    """A name of a share as it is compared: one case, no blanks."""
    return "".join(name.split()).casefold()


def _finish(line: Line, draft: Draft, columns: _Columns, currency: str) -> Entry:
    """The entry; what is refused is located in the column that holds the field."""
    try:
        return finish(draft, columns.currency or currency)
    except BadInput as error:
        known = {argument(field.name): field.name.upper() for field in fields(Draft)}
        name = known.get(error.field, "")
        if name not in RecordField.__members__:
            raise Located("", str(error.values.get("value", "")), error) from None
        field = RecordField[name]
        value = " + ".join(columns.texts(line, field))
        raise Located(columns.name(field), value, error) from None
