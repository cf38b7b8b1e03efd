"""Why a figure is what it is: the numbers of its formula, the lines it sums up, and their rows.

Of a figure with lines the result is the sum of the `base` that are known, exactly; of the others it
follows from the terms. What is not known is None.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Final

from app.domain.money import ZERO
from app.domain.portfolio.book import Book, Row
from app.domain.portfolio.lots import PRECISE, minus, sum_known
from app.domain.portfolio.moves import share_moves
from app.domain.portfolio.valuation import CashValue, Mark, PortfolioValue, PositionValue
from app.domain.transactions import Entry, standing

CASH_FX: Final = "cashFx"
"""The name of the line of what rates have made of cash."""


class Figure(StrEnum):
    """A figure of a portfolio, or of one of its positions, that can be asked about."""

    QUANTITY = "QUANTITY"  # of a position
    VALUE = "VALUE"
    COST = "COST"
    UNREALISED = "UNREALISED"
    PRICE_PART = "PRICE_PART"
    FX_PART = "FX_PART"
    CROSS_PART = "CROSS_PART"
    DAY_PNL = "DAY_PNL"
    REALISED = "REALISED"
    INCOME = "INCOME"
    FLOWS = "FLOWS"  # of a portfolio, like the rest
    TOTAL = "TOTAL"
    CASH = "CASH"
    CASH_FX = "CASH_FX"


BOOKED: Final = frozenset({Figure.REALISED, Figure.INCOME, Figure.FLOWS})
"""Figures that the book alone tells."""

_OF_CASH: Final = frozenset({Figure.CASH, Figure.CASH_FX})
_WITH_CASH: Final = _OF_CASH | {Figure.TOTAL, Figure.FX_PART}


@dataclass(frozen=True, slots=True)
class Line:
    """One summand: `amount` in its own currency (None: shares), `base` in the portfolio's.

    `name` is a symbol, a currency, a kind of transaction or `CASH_FX`; `day` is that of the rate
    where it is a past one.
    """

    name: str
    amount: Decimal | None
    currency: str | None
    base: Decimal | None
    entry: int | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """A figure's result; `terms` are the numbers of its formula by name.

    `entries` are transactions, `prices` and `rates` the rows of the market, by symbol and currency.
    """

    figure: Figure
    result: Decimal | None
    terms: tuple[tuple[str, Decimal | None], ...] = ()
    lines: tuple[Line, ...] = ()
    entries: tuple[int, ...] = ()
    prices: tuple[tuple[str, Mark], ...] = ()
    rates: tuple[tuple[str, Mark], ...] = ()


def explain_booked(book: Book, figure: Figure, symbol: str | None = None) -> Why:
    """A figure of `BOOKED`, of the whole book or of one symbol."""
    with localcontext(PRECISE):
        if figure is Figure.REALISED:
            lines = _realised(book, symbol)
        else:
            rows = book.income if figure is Figure.INCOME else book.flows
            lines = [_row_line(row, 1) for row in rows if symbol in {None, row.symbol}]
        return _summed(figure, lines)


def explain_position(
    book: Book, position: PositionValue, figure: Figure, entries: Iterable[Entry] = ()
) -> Why:
    """A figure of a position that the book alone does not tell; `entries` explain its QUANTITY."""
    symbol, currency = position.symbol, position.currency
    with localcontext(PRECISE):
        if figure is Figure.QUANTITY:
            return _summed(figure, _share_lines(entries, symbol))
        if figure is Figure.COST:
            lots = book.holdings[symbol].lots
            return _summed(
                figure,
                [Line(symbol, x.cost, currency, x.base_cost, x.entry, x.opened) for x in lots],
            )
        return Why(
            figure,
            _of_position(position, figure),
            terms=_terms(position, figure),
            entries=position.entries,
            prices=_marks([(symbol, position.price)]),
            rates=_marks([(currency, position.rate)]),
        )


def explain_portfolio(value: PortfolioValue, figure: Figure, day_pnl: Decimal | None = None) -> Why:
    """A figure of the whole that prices have a part in; `day_pnl` is the day's, with its cash."""
    positions = () if figure in _OF_CASH else value.positions
    balances = value.cash if figure in _WITH_CASH else ()
    with localcontext(PRECISE):
        lines = [_position_line(position, figure) for position in positions]
        lines += [_cash_line(balance, figure) for balance in balances]
        if figure is Figure.DAY_PNL:
            rest = minus(day_pnl, sum_known(line.base for line in lines))
            lines.append(Line(CASH_FX, rest, value.base, rest))
        lines = [line for line in lines if line.base != 0]
        known = [line.base for line in lines if line.base is not None]
        result = day_pnl if figure is Figure.DAY_PNL else sum(known, ZERO)
    rates = [(p.currency, p.rate) for p in positions] + [(c.currency, c.rate) for c in balances]
    return Why(
        figure,
        result,
        lines=tuple(lines),
        prices=_marks((p.symbol, p.price) for p in positions),
        rates=_marks(rates),
    )


def _realised(book: Book, symbol: str | None) -> list[Line]:
    """Gains of sales less charges; of the whole book what spent cash has gained by its rate too."""
    sales = [s for s in book.sales if symbol in {None, s.symbol}]
    charges = [row for row in book.charges if symbol in {None, row.symbol}]
    lines = [Line(s.symbol, s.gain, s.currency, s.base_gain, s.entry) for s in sales]
    lines += [_row_line(row, -1) for row in charges]
    if symbol is None and book.cash_fx != 0:
        lines.append(Line(CASH_FX, book.cash_fx, book.base, book.cash_fx))
    return lines


def _row_line(row: Row, sign: int) -> Line:
    base = None if row.base is None else sign * row.base
    return Line(row.symbol or row.kind, sign * row.amount, row.currency, base, row.entry, row.day)


def _share_lines(entries: Iterable[Entry], symbol: str) -> list[Line]:
    moves = [(entry, move) for entry in standing(entries) for move in share_moves(entry)]
    return [Line(e.kind, q, None, q, e.id, e.day) for e, (moved, q) in moves if moved == symbol]


def _summed(figure: Figure, lines: list[Line]) -> Why:
    ids = dict.fromkeys(line.entry for line in lines if line.entry is not None)
    return Why(
        figure,
        sum_known(line.base for line in lines),
        lines=tuple(lines),
        entries=tuple(ids),
    )


def _of_position(position: PositionValue, figure: Figure) -> Decimal | None:
    parts = position.parts
    if figure in {Figure.PRICE_PART, Figure.FX_PART, Figure.CROSS_PART}:
        return None if parts is None else getattr(parts, figure.split("_")[0].lower())
    results = {
        Figure.VALUE: position.base_value,
        Figure.TOTAL: position.base_value,
        Figure.COST: None if position.base_value is None else position.base_cost,
        Figure.UNREALISED: position.base_unrealised,
        Figure.DAY_PNL: position.day_pnl,
    }
    return results.get(figure)


def _terms(position: PositionValue, figure: Figure) -> tuple[tuple[str, Decimal | None], ...]:
    price, rate = position.price, position.rate
    terms = {
        "quantity": position.quantity,
        "price": None if price is None else price.value,
        "rate": None if rate is None else rate.value,
    }
    if figure is Figure.DAY_PNL:
        terms["before"] = minus(position.base_value, position.day_pnl)
    elif figure is not Figure.VALUE:
        terms |= {"cost": position.cost, "baseCost": position.base_cost}
    return tuple(terms.items())


def _position_line(position: PositionValue, figure: Figure) -> Line:
    own = {
        Figure.VALUE: position.value,
        Figure.TOTAL: position.value,
        Figure.COST: position.cost,
        Figure.UNREALISED: position.unrealised,
    }
    base = _of_position(position, figure)
    return Line(position.symbol, own.get(figure), position.currency, base)


def _cash_line(balance: CashValue, figure: Figure) -> Line:
    gained = figure in {Figure.CASH_FX, Figure.FX_PART}
    base = balance.fx if gained else balance.base_value
    return Line(balance.currency, balance.amount, balance.currency, base)


def _marks(named: Iterable[tuple[str, Mark | None]]) -> tuple[tuple[str, Mark], ...]:
    return tuple({name: mark for name, mark in named if mark is not None}.items())
