"""Why a figure is what it is: its formula, the numbers in it, and the rows they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.portfolio.book import Book, Sale
from app.domain.portfolio.valuation import Mark, PortfolioValue, PositionValue


class Figure(StrEnum):
    """A figure that can be asked about."""

    VALUE = "VALUE"
    COST = "COST"
    UNREALISED = "UNREALISED"
    REALISED = "REALISED"
    INCOME = "INCOME"
    DAY_PNL = "DAY_PNL"
    TOTAL = "TOTAL"


FORMULAS: Final[Mapping[Figure, str]] = MappingProxyType(
    {
        Figure.VALUE: "quantity * price * rate",
        Figure.COST: "sum of lots: cost * rate of the day of purchase",
        Figure.UNREALISED: "quantity * price * rate - cost",
        Figure.REALISED: "sum of sales: proceeds - cost of the lots sold; - fees - taxes",
        Figure.INCOME: "sum of dividends and interest, less what was withheld, at the day's rate",
        Figure.DAY_PNL: "value - quantity of the morning * close before * rate before - bought",
        Figure.TOTAL: "sum of values + cash * rate",
    }
)


@dataclass(frozen=True, slots=True)
class Why:
    """A figure with its formula; `terms` are the numbers in it by name.

    `entries` are transactions, `prices` and `rates` the rows of the market, by symbol and currency.
    """

    figure: Figure
    formula: str
    result: Decimal | None
    terms: tuple[tuple[str, Decimal | None], ...] = ()
    entries: tuple[int, ...] = ()
    prices: tuple[tuple[str, Mark], ...] = ()
    rates: tuple[tuple[str, Mark], ...] = ()


def explain_position(position: PositionValue, figure: Figure) -> Why:
    """VALUE, COST, UNREALISED or DAY_PNL of one position."""
    results = {
        Figure.VALUE: position.base_value,
        Figure.COST: position.base_cost,
        Figure.UNREALISED: position.base_unrealised,
        Figure.DAY_PNL: position.day_pnl,
    }
    price, rate = position.price, position.rate
    terms = {
        "quantity": position.quantity,
        "price": None if price is None else price.value,
        "rate": None if rate is None else rate.value,
        "cost": position.base_cost,
    }
    return Why(
        figure=figure,
        formula=FORMULAS[figure],
        result=results[figure],
        terms=tuple(terms.items()),
        entries=position.entries,
        prices=() if price is None else ((position.symbol, price),),
        rates=() if rate is None else ((position.currency, rate),),
    )


def explain_sale(sale: Sale) -> Why:
    """The result of one sale in the portfolio's currency, with the lots that it took."""
    terms = {"proceeds": sale.base_proceeds, "cost": sale.base_cost}
    lots = {lot.entry: None for lot in sale.lots if lot.entry is not None}
    own = () if sale.entry is None else (sale.entry,)
    return Why(
        Figure.REALISED,
        FORMULAS[Figure.REALISED],
        sale.base_gain,
        tuple(terms.items()),
        (*lots, *own),
    )


def explain_total(value: PortfolioValue, book: Book, figure: Figure) -> Why:
    """TOTAL, REALISED or INCOME of a portfolio."""
    results = {
        Figure.TOTAL: value.total,
        Figure.REALISED: value.realised,
        Figure.INCOME: value.income,
    }
    rows: dict[Figure, list[int | None]] = {
        Figure.TOTAL: [n for position in value.positions for n in position.entries],
        Figure.REALISED: [s.entry for s in book.sales] + [row.entry for row in book.charges],
        Figure.INCOME: [row.entry for row in book.income],
    }
    valued = figure is Figure.TOTAL
    prices = {p.symbol: p.price for p in value.positions if valued and p.price is not None}
    rates = {p.currency: p.rate for p in value.positions if valued and p.rate is not None}
    rates |= {c.currency: c.rate for c in value.cash if valued and c.rate is not None}
    terms = [(p.symbol, p.base_value) for p in value.positions if valued]
    terms += [(c.currency, c.base_value) for c in value.cash if valued]
    return Why(
        figure=figure,
        formula=FORMULAS[figure],
        result=results[figure],
        terms=tuple(terms),
        entries=tuple(dict.fromkeys(n for n in rows[figure] if n is not None)),
        prices=tuple(prices.items()),
        rates=tuple(rates.items()),
    )
