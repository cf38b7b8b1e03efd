"""Rows for tests, in a small notation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import insert

from app.config import load_settings
from app.db.models import Bar, Dividend, ExchangeSession, Fundamental, Instrument, Split
from app.env import Env

AT = datetime(2026, 1, 1, tzinfo=UTC)


def weekdays(start: date, count: int) -> list[date]:
    """`count` days from `start` on, Saturdays and Sundays left out."""
    days: list[date] = []
    day = start
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(days=1)
    return days


async def make_instrument(
    env: Env,
    symbol: str,
    *,
    name: str | None = None,
    name_local: str | None = None,
    mic: str | None = None,
    currency: str | None = None,
    kind: str = "EQUITY",
    tracked: bool = True,
    position: int = 1000,
) -> None:
    """An instrument; `.KS` symbols are Korean, the others are of Nasdaq unless said."""
    korean = symbol.endswith((".KS", ".KQ"))
    async with env.db.write() as db:
        await db.execute(
            insert(Instrument).values(
                symbol=symbol,
                name=name or symbol,
                name_local=name_local,
                mic=mic or ("XKRX" if korean else "CCY" if kind == "FX" else "XNAS"),
                currency=currency or ("KRW" if korean or kind == "FX" else "USD"),
                kind=kind,
                tracked=tracked,
                position=position,
                added_at=AT,
            )
        )


async def make_bars(
    env: Env,
    symbol: str,
    closes: Sequence[float | None],
    *,
    start: date = date(2025, 1, 6),
    source: str = "sample",
    volume: int = 1000,
) -> list[date]:
    """One bar a weekday: open the close before, high and low one above and below both."""
    days = weekdays(start, len(closes))
    rows = []
    before = next((c for c in closes if c is not None), 1.0)
    for day, close in zip(days, closes, strict=True):
        last = before if close is None else close
        rows.append(
            {
                "symbol": symbol,
                "day": day,
                "open": None if close is None else before,
                "high": None if close is None else max(before, last) + 1,
                "low": None if close is None else max(min(before, last) - 1, 0.01),
                "close": close,
                "adj_close": close,
                "volume": 0 if close is None else volume,
                "source": source,
                "fetched_at": AT,
            }
        )
        before = last
    async with env.db.write() as db:
        await db.execute(insert(Bar), rows)
    return days


async def make_split(
    env: Env, symbol: str, day: date, numerator: float, denominator: float = 1
) -> None:
    """`numerator` new shares for `denominator` old ones from `day` on."""
    async with env.db.write() as db:
        await db.execute(
            insert(Split).values(
                symbol=symbol,
                day=day,
                numerator=numerator,
                denominator=denominator,
                source="sample",
                fetched_at=AT,
            )
        )


async def make_dividend(env: Env, symbol: str, day: date, amount: float) -> None:
    """Cash per share with this ex-date."""
    async with env.db.write() as db:
        await db.execute(
            insert(Dividend).values(
                symbol=symbol, day=day, amount=amount, source="sample", fetched_at=AT
            )
        )


async def make_sessions(
    env: Env, mic: str, days: Sequence[date], *, opens: int = 14, closes: int = 21
) -> None:
    """Sessions from `opens` to `closes` o'clock UTC."""
    async with env.db.write() as db:
        await db.execute(
            insert(ExchangeSession),
            [
                {
                    "mic": mic,
                    "day": day,
                    "open_at": datetime(day.year, day.month, day.day, opens, tzinfo=UTC),
                    "close_at": datetime(day.year, day.month, day.day, closes, tzinfo=UTC),
                }
                for day in days
            ],
        )


async def make_fundamentals(env: Env, symbol: str, day: date, **figures: object) -> None:
    """A snapshot of the noon of that day; only the figures named are known."""
    currency = "KRW" if symbol.endswith((".KS", ".KQ")) else "USD"
    noon = datetime.combine(day, time(12), UTC)
    row = {"symbol": symbol, "day": day, "source": "yfinance", "fetched_at": noon}
    currencies = {"currency": currency, "statement_currency": currency}
    async with env.db.write() as db:
        await db.execute(
            insert(Fundamental).values({"refused": [], **row, **currencies, **figures})
        )


def with_order(env: Env, order: str) -> Env:
    """The same environment with that `SISE_SOURCE_ORDER`."""
    source_order = load_settings({"SISE_SOURCE_ORDER": order}).source_order
    return replace(env, settings=replace(env.settings, source_order=source_order))
