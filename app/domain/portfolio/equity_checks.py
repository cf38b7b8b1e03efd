"""What must hold of stored daily equity, whatever has happened since it was worked out.

    a stored day = the same day worked out anew from all entries
    growth of a unit = growth of the value, on a day without payments (TWR = simple return)
    shares then * price then = shares on today's basis * price on today's basis

The last one breaks where the splits of the ledger are not those of the source. With the book's own
identity at the last day's closes, the first one gives: what the value has changed by is the result
and the payments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from math import prod
from typing import Final, NamedTuple

import polars as pl

from app.domain.portfolio.moves import share_moves
from app.domain.transactions import Entry, TransactionKind, standing

_DAY: Final = timedelta(days=1)
_MONEY: Final = ("value", "cash", "paid_in", "paid_out")
_PARTS: Final = ("unit", "drawdown")
_CENT: Final = 0.005  # amounts are rounded to a cent or to a won
_DUST: Final = 1e-9  # of a part: an edit goes on from a stored unit, which is rounded once more


class Fault(NamedTuple):
    """The first day on which something does not hold, and by how much if that is a number."""

    day: date
    difference: float | None = None


def find_changed(stored: pl.DataFrame, anew: pl.DataFrame) -> Fault | None:
    """The first day that is not what it is when it is worked out anew; the value's difference."""
    days = stored.join(anew, on="day", how="full", coalesce=True, suffix="_anew").sort("day")
    same = [
        pl.col(name).is_null() & pl.col(f"{name}_anew").is_null()
        | ((pl.col(name) - pl.col(f"{name}_anew")).abs() < bound).fill_null(value=False)
        for names, bound in ((_MONEY, _CENT), (_PARTS, _DUST))
        for name in names
    ]
    lacking = pl.col("missing").is_null() | pl.col("missing_anew").is_null()
    wrong = days.filter(lacking | ~pl.all_horizontal(same))
    if wrong.is_empty():
        return None
    first = wrong.row(0, named=True)
    known = first["value"] is not None and first["value_anew"] is not None
    return Fault(first["day"], first["value"] - first["value_anew"] if known else None)


def find_odd_return(stored: pl.DataFrame) -> Fault | None:
    """The first day without payments on which a unit has not grown as the value has."""
    paid = pl.col("paid_in", "paid_out").cum_sum()
    known = stored.with_columns(paid).drop_nulls("value")
    before = pl.col("value").shift()
    still = (pl.sum_horizontal("paid_in", "paid_out").diff().abs() < _CENT) & (before > 0)
    odd = pl.col("unit") - pl.col("unit").shift() * pl.col("value") / before
    bound = _DUST * pl.max_horizontal(1.0, pl.col("unit").abs())
    found = known.with_columns(odd=odd).filter(still & ~(pl.col("odd").abs() < bound))
    return None if found.is_empty() else Fault(found["day"][0], found["odd"][0])


def find_other_splits(entries: Iterable[Entry], splits: pl.DataFrame) -> Iterator[tuple[str, date]]:
    """Symbols that were held at a split of the source which the ledger does not have, and its day.

    `splits`: symbol, day, numerator, denominator. A split that stands in the ledger some days
    later counts. Symbols with other actions since are left alone: some sources tell them as splits.
    """
    kept = standing(entries)
    for (symbol,), told in splits.sort("day").group_by("symbol", maintain_order=True):
        own = [e for e in kept if symbol in {e.symbol, e.symbol_to}]
        for day in told["day"]:
            held = sum(n for e in own if e.day < day for s, n in share_moves(e) if s == symbol)
            if held <= 0 or any(e.action is not None and e.day >= day - _DAY for e in own):
                continue
            ledger = prod(
                Fraction(e.numerator or 1) / Fraction(e.denominator or 1)
                for e in own
                if e.kind is TransactionKind.SPLIT and e.day >= day
            )
            later = told.filter(pl.col("day") >= day).select("numerator", "denominator")
            if ledger != prod(Fraction(str(n)) / Fraction(str(d)) for n, d in later.rows()):
                yield str(symbol), day
                break
