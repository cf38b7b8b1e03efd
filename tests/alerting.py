"""Alerts for tests, in a small notation: `read_rule("AAPL > 150")`, then `see_path(env, "AAPL", 149, 151)`."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from app.domain.alerts.rules import AlertKind, Rule
from app.env import Env
from app.services.alerts import alerts
from app.services.alerts.alert_watch import see_quotes
from tests.paper import OPEN_US, make_quote

_SIGNS = {">": AlertKind.PRICE_ABOVE, "<": AlertKind.PRICE_BELOW}
_MINUTES = count()


def notice_beginning(patch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set as soon as somebody follows alerts: what is stored from then on is told."""
    begun, newest = asyncio.Event(), alerts._newest

    async def noticed(*given: Any) -> int:
        found = await newest(*given)
        begun.set()
        return found

    patch.setattr(alerts, "_newest", noticed)
    return begun


def read_rule(words: str, **more: Any) -> Rule:
    """`AAPL > 150`, `AAPL < 90`; anything else of a rule by its name."""
    symbol, sign, level = words.split()
    return Rule(_SIGNS[sign], symbol, level=Decimal(level), cooldown=timedelta(0), **more)


async def see_path(env: Env, symbol: str, *prices: float, start: datetime = OPEN_US) -> int:
    """Quotes one after the other, each a second later than any before; how many alerts."""
    made = 0
    for price in prices:
        at = start + timedelta(seconds=next(_MINUTES))
        made += await see_quotes(env, [make_quote(symbol, str(price), at)])
    return made
