"""Corporate actions: what a portfolio of virtual money should have booked of splits and dividends.

A split counts for the shares of the evening before its day, a dividend for the same shares after a
split of its ex-day. Where shares are whole, what a split leaves of one is paid out at the close of
its day. Of dividends the withholding is kept back. No source tells pay-days: a dividend is booked
on its ex-day and bears `PAY_DAY_UNKNOWN`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Final

from app.domain.money import ZERO, round_money
from app.domain.portfolio.moves import share_moves
from app.domain.trading.costs import dividend_tax
from app.domain.trading.listings import find_listing
from app.domain.transactions import Entry, TransactionKind

PAY_DAY_UNKNOWN: Final = "pay-day unknown"
"""The tag of a dividend that stands at its ex-day for want of a better day."""

_FINEST: Final = Decimal(1).scaleb(-8)
_EARLY: Final = frozenset({TransactionKind.SPLIT, TransactionKind.CORPORATE_ACTION})

Key = tuple[TransactionKind, str, date]
"""What an action is booked as, whose and when."""

_Move = tuple[date, bool, Decimal]
"""Shares that come or go on a day; whether before the trades of it."""


@dataclass(frozen=True, slots=True)
class Action:
    """A split (`numerator` new shares for `denominator` old ones), or a dividend of `amount`.

    `close` is the price at which fractions of a share are paid out; None while it is not known.
    """

    symbol: str
    day: date
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    amount: Decimal | None = None
    close: Decimal | None = None

    @property
    def kind(self) -> TransactionKind:
        """What it is booked as."""
        return TransactionKind.DIVIDEND if self.numerator is None else TransactionKind.SPLIT

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.kind, self.symbol, self.day


def expect_actions(entries: Iterable[Entry], actions: Iterable[Action]) -> dict[Key, Entry]:
    """What has to be booked of the actions, beside the other standing entries of the portfolio.

    What somebody has written in by hand is not expected again.
    """
    moves: defaultdict[str, list[_Move]] = defaultdict(list)
    by_hand: set[Key] = set()
    for entry in entries:
        by_hand.add((entry.kind, entry.symbol or "", entry.day))
        _move(moves, entry)
    made: dict[Key, Entry] = {}
    splits_first = sorted(actions, key=lambda a: (a.day, a.kind is TransactionKind.DIVIDEND))
    for action in splits_first:
        if action.key not in by_hand:
            held = _held(moves[action.symbol], action)
            booked = _split(action, held) if action.numerator else _dividend(action, held)
            if booked is not None:
                made[action.key] = booked
                _move(moves, booked)
    return made


def _move(moves: Mapping[str, list[_Move]], entry: Entry) -> None:
    for symbol, quantity in share_moves(entry):
        moves[symbol].append((entry.day, entry.kind in _EARLY, quantity))


def _held(moves: Iterable[_Move], action: Action) -> Decimal:
    """The shares that an action is for."""
    dividend = action.kind is TransactionKind.DIVIDEND
    return sum(
        (
            quantity
            for day, early, quantity in moves
            if day < action.day or (dividend and early and day == action.day)
        ),
        ZERO,
    )


def _split(action: Action, held: Decimal) -> Entry | None:
    numerator, denominator = action.numerator or ZERO, action.denominator or ZERO
    listing = find_listing(action.symbol)
    exact = held * numerator / denominator
    whole = listing.currency == "KRW"
    total = exact.quantize(Decimal(1) if whole else _FINEST, ROUND_DOWN)
    paid = ZERO
    if whole and exact != total:
        if action.close is None:
            return None
        paid = round_money((exact - total) * action.close, listing.currency)
    if held <= 0 or (total == held and not paid):
        return None
    return Entry(
        kind=TransactionKind.SPLIT,
        day=action.day,
        settles_on=action.day,
        symbol=action.symbol,
        quantity=total - held,
        numerator=numerator,
        denominator=denominator,
        currency=listing.currency if paid else None,
        amount=paid,
    )


def _dividend(action: Action, held: Decimal) -> Entry | None:
    currency = find_listing(action.symbol).currency
    gross = round_money(held * (action.amount or ZERO), currency)
    if gross <= 0:
        return None
    return Entry(
        kind=TransactionKind.DIVIDEND,
        day=action.day,
        settles_on=action.day,
        symbol=action.symbol,
        quantity=held,
        currency=currency,
        amount=gross,
        tax=dividend_tax(gross, currency),
        tags=(PAY_DAY_UNKNOWN,),
    )


def same_booking(one: Entry, other: Entry) -> bool:
    """Whether two entries of one action book the same."""
    facts = ("quantity", "numerator", "denominator", "amount", "tax")
    return all(getattr(one, name) == getattr(other, name) for name in facts)


def by_action(entries: Mapping[str, Entry]) -> dict[Key, list[tuple[str, Entry]]]:
    """Entries and their keys by the action that they book, in the order given."""
    found: dict[Key, list[tuple[str, Entry]]] = {}
    for key, entry in entries.items():
        found.setdefault((entry.kind, entry.symbol or "", entry.day), []).append((key, entry))
    return found
