"""What is stored of an instrument: from when to when, by whom, its events, what changed of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import text

from app.env import Env
from app.errors import BadInput
from app.services.collect.data_health import RECENT
from app.services.market.prices import BarRow, horizon
from app.services.market.replay import replay_day
from app.services.paging import Page, check_first, cut_page, make_cursor, read_cursor


@dataclass(frozen=True)
class StoredRow:
    """Bars, or rates, of one instrument: how many, of which days, the newest fetched when.

    `source` names every source of them, `version` is the data version of the last change.
    """

    rows: int
    first_day: date | None
    last_day: date | None
    source: str | None
    version: int
    fetched_at: datetime | None


@dataclass(frozen=True)
class EventRow:
    """A split (`numerator` for `denominator`) or a dividend (`amount` a share, as traded).

    `factor` is what earlier prices are multiplied by: denominator / numerator of a split, on the
    split-adjusted basis; 1 - amount / `previous_close` of a dividend, on the total-return basis,
    both on the shares of the ex-day. None where no close before is stored or none is left.
    """

    day: date
    kind: str
    numerator: Decimal | None
    denominator: Decimal | None
    amount: Decimal | None
    previous_close: Decimal | None
    factor: float | None


@dataclass(frozen=True)
class RecentRevision:
    """How many stored rows of an instrument have changed in the last 30 days, and when last."""

    symbol: str
    at: datetime
    rows: int
    first_day: date


async def get_stored(env: Env, symbol: str) -> StoredRow:
    """What is stored of an instrument; with the sample up to the day before the replayed one."""
    params = {"symbol": symbol, "until": await horizon(env) or date.max}
    async with env.db.read() as db:
        return StoredRow(*(await db.execute(text(_STORED), params)).one())


async def list_events(
    env: Env, symbol: str, first: int = 50, after: str | None = None
) -> Page[EventRow]:
    """Splits and dividends of an instrument, the newest first.

    Raises:
        BadInput: `first` is not from 1 to 200, or a foreign cursor.
    """
    check_first(first)
    day, kind = _read_place(after)
    params = {"symbol": symbol, "day": day, "kind": kind, "rows": first + 1}
    params["until"] = await replay_day(env) or date.max
    async with env.db.read() as db:
        rows = [EventRow(*row) for row in await db.execute(text(_EVENT_PAGE), params)]
    return cut_page(rows, [make_cursor(row.day.isoformat(), row.kind) for row in rows], first)


async def count_events(env: Env, symbol: str) -> int:
    """How many events `list_events` has on all pages."""
    params = {"symbol": symbol, "until": await replay_day(env) or date.max}
    async with env.db.read() as db:
        return int(await db.scalar(text(f"SELECT count(*) FROM ({_EVENTS}) AS e"), params) or 0)


async def list_bars_before(
    env: Env, keys: Sequence[tuple[str, date]]
) -> dict[tuple[str, date], BarRow]:
    """The last stored bar with a close before a day, for each symbol and day that has one."""
    params = {"symbols": [symbol for symbol, _ in keys], "days": [day for _, day in keys]}
    async with env.db.read() as db:
        rows = await db.execute(text(_BEFORE), params)
        return {(symbol, day): BarRow(*bar) for symbol, day, *bar in rows}


async def list_recent_revisions(env: Env, symbols: Sequence[str]) -> dict[str, RecentRevision]:
    """The changes of the last 30 days, of each instrument that has any."""
    params = {"symbols": list(symbols), "since": env.clock.now() - RECENT}
    async with env.db.read() as db:
        rows = await db.execute(text(_RECENT_REVISIONS), params)
        return {row.symbol: RecentRevision(*row) for row in rows}


def _read_place(after: str | None) -> tuple[date, str]:
    """The day and kind that a page follows: those of the cursor, or the end of time."""
    if after is None:
        return date.max, "Z"
    day, kind = read_cursor(after, str, str)
    try:
        return date.fromisoformat(day), kind
    except ValueError:
        raise BadInput("after is no cursor of these events", field="after") from None


_STORED: Final = """
    SELECT count(*), min(day), max(day), string_agg(DISTINCT source, ', '),
        coalesce(max(revision), 0), max(fetched_at)
    FROM (
        SELECT day, source, revision, fetched_at FROM bar
        WHERE symbol = :symbol AND day <= :until
        UNION ALL
        SELECT day, source, revision, fetched_at FROM fx_rate
        WHERE :symbol LIKE '______=X' AND day <= :until
            AND base = substr(:symbol, 1, 3) AND quote = substr(:symbol, 4, 3)
    ) AS stored
"""

_EVENTS: Final = """
    SELECT day, 'SPLIT' AS kind, numerator, denominator, NULL::numeric AS amount
    FROM split WHERE symbol = :symbol AND day <= :until
    UNION ALL
    SELECT day, 'DIVIDEND', NULL, NULL, amount
    FROM dividend WHERE symbol = :symbol AND day <= :until
"""

_EVENT_PAGE: Final = f"""
    SELECT e.day, e.kind, trim_scale(e.numerator), trim_scale(e.denominator), trim_scale(e.amount),
        trim_scale(b.close) AS previous_close,
        CASE
            WHEN e.kind = 'SPLIT' THEN e.denominator / e.numerator
            WHEN e.amount * s.ratio < b.close THEN 1 - e.amount * s.ratio / b.close
        END::float8 AS factor
    FROM ({_EVENTS}) AS e
    LEFT JOIN LATERAL (
        SELECT day, close FROM bar
        WHERE symbol = :symbol AND close IS NOT NULL AND day < e.day
        ORDER BY day DESC LIMIT 1
    ) AS b ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(exp(sum(ln(numerator / denominator))), 1) AS ratio FROM split
        WHERE symbol = :symbol AND day > b.day AND day <= e.day
    ) AS s
    WHERE (e.day, e.kind) < (:day, :kind)
    ORDER BY e.day DESC, e.kind DESC
    LIMIT :rows
"""

_BEFORE: Final = """
    SELECT w.symbol, w.day, b.*
    FROM unnest(CAST(:symbols AS text[]), CAST(:days AS date[])) AS w (symbol, day)
    CROSS JOIN LATERAL (
        SELECT day, trim_scale(open), trim_scale(high), trim_scale(low), trim_scale(close), volume
        FROM bar
        WHERE symbol = w.symbol AND close IS NOT NULL AND day < w.day
        ORDER BY day DESC LIMIT 1
    ) AS b
"""

_RECENT_REVISIONS: Final = """
    SELECT symbol, max(at) AS at, count(*) AS rows, min(day) AS first_day
    FROM data_revision WHERE symbol = ANY(:symbols) AND at > :since
    GROUP BY symbol
"""
