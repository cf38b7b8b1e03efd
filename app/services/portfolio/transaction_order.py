"""The orders that transactions can be listed in, and the cursors that go on in them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Tuple, func, tuple_

from app.db.models import Txn
from app.domain.transactions import Entry
from app.errors import BadInput
from app.services.paging import make_cursor, read_cursor


class TransactionSort(StrEnum):
    """What transactions are sorted by; those that are equal in it by day.

    AMOUNT is within a currency: amounts of two are not compared.
    """

    DAY = "DAY"
    SYMBOL = "SYMBOL"
    KIND = "KIND"
    AMOUNT = "AMOUNT"


_COLUMNS: Final[dict[TransactionSort, tuple[ColumnElement[Any], ...]]] = {
    TransactionSort.DAY: (),
    TransactionSort.SYMBOL: (func.coalesce(Txn.symbol, ""),),
    TransactionSort.KIND: (Txn.kind.expression,),
    TransactionSort.AMOUNT: (func.coalesce(Txn.currency, ""), Txn.amount.expression),
}


def sort_columns(sort: TransactionSort) -> Tuple:
    """What the database sorts by and compares a cursor with; no two transactions are equal."""
    return tuple_(*_COLUMNS[sort], Txn.day, Txn.id)


def cursor_of(sort: TransactionSort, entry: Entry) -> str:
    """The cursor behind an entry."""
    head = {
        TransactionSort.DAY: (),
        TransactionSort.SYMBOL: (entry.symbol or "",),
        TransactionSort.KIND: (entry.kind.value,),
        TransactionSort.AMOUNT: (entry.currency or "", f"{entry.amount:f}"),
    }[sort]
    return make_cursor(*head, entry.day.toordinal(), entry.id or 0)


def read_place(sort: TransactionSort, cursor: str) -> Tuple:
    """The values in a cursor, as `sort_columns` has them.

    Raises:
        BadInput: no cursor of this order.
    """
    head = [str] * len(_COLUMNS[sort])
    *texts, ordinal, number = read_cursor(cursor, *head, int, int)
    values: list[Any] = list(texts)
    if sort is TransactionSort.AMOUNT:
        values[1] = _read_amount(values[1], cursor)
    day = date.fromordinal(max(1, min(ordinal, date.max.toordinal())))
    return tuple_(*values, day, number)


def _read_amount(text: str, cursor: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        msg = "after is %(value).60r; it must be the endCursor of an earlier page"
        raise BadInput(msg, field="after", value=cursor)
    return amount
