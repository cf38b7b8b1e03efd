"""Proposals: splits and dividends of the sources that the record of a real account lacks.

Statements have a dividend on its pay-day, sources have it on its ex-day: a dividend that is written
in so long after an ex-day is taken for that one, each for one. A split may be a few days off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from datetime import date, timedelta
from typing import Final

from app.domain.portfolio.corporate_actions import Action, Key, expect_actions
from app.domain.trading.listings import find_listing
from app.domain.trading.tables import Market
from app.domain.transactions import Entry, TransactionKind, standing

US_DELAY: Final = timedelta(days=45)
KOREAN_DELAY: Final = timedelta(days=150)
"""From ex-day to pay-day at most: a Korean year's dividend of December is paid in April."""

SPLIT_DELAY: Final = timedelta(days=7)


def propose(
    entries: Iterable[Entry], actions: Iterable[Action], decided: Container[Key]
) -> list[Entry]:
    """What to book of the actions beside the entries that stand, the oldest first.

    `decided` are actions that were accepted or dismissed before.
    """
    kept = standing(entries)
    lacking = [a for a in _without_recorded(kept, actions) if a.key not in decided]
    return sorted(expect_actions(kept, lacking).values(), key=lambda e: (e.day, e.symbol or ""))


def _without_recorded(entries: Iterable[Entry], actions: Iterable[Action]) -> list[Action]:
    """The actions for which no entry can be found."""
    recorded: defaultdict[tuple[TransactionKind, str], list[date]] = defaultdict(list)
    for entry in entries:  # by day
        recorded[entry.kind, entry.symbol or ""].append(entry.day)
    lacking = []
    for action in sorted(actions, key=lambda a: a.day):
        days = recorded[action.kind, action.symbol]
        first, last = _window(action)
        found = next((day for day in days if first <= day <= last), None)
        if found is None:
            lacking.append(action)
        else:
            days.remove(found)
    return lacking


def _window(action: Action) -> tuple[date, date]:
    """The days on which a statement may have the action."""
    if action.kind is TransactionKind.SPLIT:
        return action.day - SPLIT_DELAY, action.day + SPLIT_DELAY
    korean = find_listing(action.symbol).market is not Market.US
    return action.day, action.day + (KOREAN_DELAY if korean else US_DELAY)
