"""What must hold of stored daily equity, whatever has happened since it was worked out.

    a stored day = the same day worked out anew from all entries
    growth of a unit = growth of the value, on a day without payments (TWR = simple return)
    shares then * price then = shares on today's basis * price on today's basis

The last one breaks where the splits of the ledger are not those of the source. With the book's own
identity at the last day's closes, the first one gives: what the value has changed by is the result
and the payments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

import polars as pl

from app.domain.portfolio.moves import share_moves
from app.domain.portfolio.proposals import SPLIT_DELAY
from app.domain.transactions import Entry, TransactionKind, standing

_SPLIT: Final = ("symbol", "day", "numerator", "denominator")
_MONEY: Final = ("value", "cash", "paid_in", "paid_out")
_PARTS: Final = ("unit", "drawdown")
_CENT: Final = 0.005  # amounts are rounded to a cent or to a won
_DUST: Final = 1e-9  # of a part: an edit goes on from a stored unit, which is rounded once more


class Difference(NamedTuple):
    """The first day on which something does not hold, and by how much if that is a number."""

    day: date
    amount: float | None = None


def find_changed(stored: pl.DataFrame, anew: pl.DataFrame) -> Difference | None:
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
    return Difference(first["day"], first["value"] - first["value_anew"] if known else None)


def find_odd_return(stored: pl.DataFrame) -> Difference | None:
    """The first day without payments on which a unit has not grown as the value has."""
    paid = pl.col("paid_in", "paid_out").cum_sum()
    known = stored.with_columns(paid).drop_nulls("value")
    before = pl.col("value").shift()
    still = (pl.sum_horizontal("paid_in", "paid_out").diff().abs() < _CENT) & (before > 0)
    odd = pl.col("unit") - pl.col("unit").shift() * pl.col("value") / before
    bound = _DUST * pl.max_horizontal(1.0, pl.col("unit").abs())
    found = known.with_columns(odd=odd).filter(still & ~(pl.col("odd").abs() < bound))
    return None if found.is_empty() else Difference(found["day"][0], found["odd"][0])


def lacks_values(stored: pl.DataFrame, anew: pl.DataFrame) -> bool:
    """Whether a day that has a value has none any more: prices or rates of its own have gone."""
    return stored.drop_nulls("value").join(anew, on="day")["value_right"].has_nulls()


def list_other_splits(
    entries: Iterable[Entry], splits: pl.DataFrame, dismissed: Container[tuple[str, date]] = ()
) -> list[tuple[str, date]]:
    """Symbols that were held at a split of the source which the ledger does not have, and its day.

    `splits`: symbol, day, numerator, denominator; of a symbol the first one is told. What counts as
    the same split is the rule of proposals: each for one, some days off. Symbols with other actions
    since are left alone: some sources tell them as splits.
    """
    of: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in standing(entries):
        for name in {entry.symbol or "", entry.symbol_to or ""}:
            of[name].append(entry)
    taken: set[int] = set()
    found: dict[str, date] = {}
    for symbol, day, numerator, denominator in splits.sort("day").select(_SPLIT).rows():
        near = next((e for e in of[symbol] if _is_split_of(e, day) and id(e) not in taken), None)
        if near is not None:
            taken.add(id(near))
            if _ratio(near.numerator, near.denominator) == _ratio(numerator, denominator):
                continue
        if (symbol, day) not in dismissed and _concerns(of[symbol], symbol, day):
            found.setdefault(symbol, day)
    return list(found.items())


def _is_split_of(entry: Entry, day: date) -> bool:
    return entry.kind is TransactionKind.SPLIT and abs(entry.day - day) <= SPLIT_DELAY


def _ratio(numerator: object, denominator: object) -> Fraction:
    return Fraction(str(numerator or 1)) / Fraction(str(denominator or 1))


def _concerns(entries: list[Entry], symbol: str, day: date) -> bool:
    """Whether a split should stand among the entries of its symbol: shares were held at it."""
    held = sum(n for e in entries if e.day < day for s, n in share_moves(e) if s == symbol)
    return held > 0 and not any(
        e.action is not None and e.day >= day - SPLIT_DELAY for e in entries
    )
