"""The order of positions: by a figure or by name, and last whatever has no such figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from app.domain.portfolio.valuation import PositionValue


class PositionSort(StrEnum):
    """What positions are sorted by; figures are in the portfolio's currency, PRICE in its own."""

    NAME = "NAME"
    QUANTITY = "QUANTITY"
    PRICE = "PRICE"
    VALUE = "VALUE"
    RESULT = "RESULT"
    TODAY = "TODAY"
    WEIGHT = "WEIGHT"


_FIGURES: Final[Mapping[PositionSort, Callable[[PositionValue], Decimal | None]]] = {
    PositionSort.QUANTITY: lambda row: row.quantity,
    PositionSort.PRICE: lambda row: None if row.price is None else row.price.value,
    PositionSort.VALUE: lambda row: row.base_value,
    PositionSort.RESULT: lambda row: row.base_unrealised,
    PositionSort.TODAY: lambda row: row.day_pnl,
    PositionSort.WEIGHT: lambda row: row.base_value,
}


def sort_positions(
    rows: Iterable[PositionValue],
    by: PositionSort,
    *,
    ascending: bool,
    name_of: Callable[[PositionValue], str],
) -> list[PositionValue]:
    """The positions, the largest first unless `ascending`; `name_of` tells their names."""
    figure_of: Callable[[PositionValue], Any] = _FIGURES.get(by, name_of)
    figures = [(figure_of(row), row) for row in rows]
    known = [pair for pair in figures if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=not ascending)
    return [row for _, row in known] + [row for figure, row in figures if figure is None]
