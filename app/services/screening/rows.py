"""Rows of the screener: what bars, indicators, signals and fundamentals say of the newest session.

One statement makes them for any number of instruments. Workers call it where figures have changed;
in a replay they are made for the day up to which may be looked, when somebody asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import ScreenRow
from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.screening import CROSS_SESSIONS, VOLUME_SESSIONS, YEAR
from app.env import Env
from app.services.market.prices import horizon

FUNDAMENTALS: Final = (
    *("market_cap", "total_debt", "trailing_pe", "forward_pe", "price_to_book"),
    *("return_on_equity", "dividend_yield", "gross_margin", "operating_margin", "net_margin"),
    "debt_to_equity",
)


async def refresh_rows(env: Env, db: AsyncSession, symbols: Sequence[str]) -> None:
    """Writes the rows of these instruments that are new or differ, in the caller's transaction."""
    await write_rows(db, symbols, await horizon(env))


async def write_rows(db: AsyncSession, symbols: Sequence[str], until: date | None) -> None:
    """The same up to a day: None is the newest there is. Without a bar there is no row."""
    params = {
        "symbols": list(symbols),
        "as_of": until,
        "until": until or date.max,
        "year": YEAR,
        "volumes": VOLUME_SESSIONS + 1,
        "crosses": CROSS_SESSIONS,
    }
    await db.execute(_GONE, params)
    await db.execute(_WRITE, params)


async def catch_up(env: Env, until: date) -> None:
    """In a replay: makes the rows anew for the day that may be seen, if they are of another.

    Raises:
        Unavailable: the database does not answer.
    """
    async with env.db.read() as db:
        symbols = list(await db.scalars(_BEHIND, {"as_of": until}))
    if symbols:
        async with env.db.write() as db:
            await write_rows(db, symbols, until)


_COLUMNS: Final = tuple(column.name for column in ScreenRow.__table__.columns)
_SET: Final = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "symbol")
_NOW: Final = ", ".join(f"screen_row.{name}" for name in _COLUMNS)
_THEN: Final = ", ".join(f"excluded.{name}" for name in _COLUMNS)
_BEHIND: Final = text("""
    SELECT i.symbol FROM instrument AS i LEFT JOIN screen_row AS r USING (symbol)
    WHERE i.kind <> 'FX' AND r.as_of IS DISTINCT FROM :as_of ORDER BY i.symbol
""")
_GONE: Final = text("""
    DELETE FROM screen_row AS r WHERE symbol = ANY(:symbols) AND NOT EXISTS (
        SELECT FROM bar WHERE symbol = r.symbol AND close IS NOT NULL AND day <= :until)
""")
_WRITE: Final = text(f"""
    INSERT INTO screen_row ({", ".join(_COLUMNS)})
    SELECT w.symbol, b.day, CAST(:as_of AS date), b.traded, b.volume,
        b.close / b.before - 1, b.close / b.five - 1, b.close / b.twenty - 1,
        b.volume_now / nullif(b.volume_before, 0),
        CASE WHEN b.bars >= :year THEN b.close / b.highest - 1 END,
        CASE WHEN b.bars >= :year THEN b.close / b.lowest - 1 END,
        {", ".join(f"d.{name}" for name in INDICATOR_COLUMNS)},
        b.close / d.sma_20 - 1, b.close / d.sma_50 - 1, b.close / d.sma_200 - 1,
        (b.close - d.bollinger_lower) / nullif(d.bollinger_upper - d.bollinger_lower, 0),
        x.sma_cross, s.strength, f.day, {", ".join(f"f.{name}::float8" for name in FUNDAMENTALS)}
    FROM unnest(CAST(:symbols AS text[])) AS w (symbol)
    CROSS JOIN LATERAL (
        SELECT max(day) FILTER (WHERE n = 1) AS day,
            max(traded) FILTER (WHERE n = 1) AS traded,
            max(volume) FILTER (WHERE n = 1) AS volume,
            max(close) FILTER (WHERE n = 1) AS close,
            max(close) FILTER (WHERE n = 2) AS before,
            max(close) FILTER (WHERE n = 6) AS five,
            max(close) FILTER (WHERE n = 21) AS twenty,
            max(shares) FILTER (WHERE n = 1) AS volume_now,
            avg(shares) FILTER (WHERE n > 1 AND n <= :volumes) AS volume_before,
            max(close) AS highest, min(close) AS lowest, count(*) AS bars
        FROM (
            SELECT t.day, t.close AS traded, t.volume, t.close::float8 / e.factor AS close,
                t.volume * e.factor AS shares, row_number() OVER (ORDER BY t.day DESC) AS n
            FROM (
                SELECT day, close, volume FROM bar
                WHERE symbol = w.symbol AND close IS NOT NULL AND day <= :until
                ORDER BY day DESC LIMIT :year
            ) AS t
            CROSS JOIN LATERAL (
                SELECT coalesce(exp(sum(ln(numerator::float8 / denominator::float8))), 1) AS factor
                FROM split WHERE symbol = w.symbol AND day > t.day AND day <= :until
            ) AS e
        ) AS adjusted
    ) AS b
    LEFT JOIN indicator_daily AS d ON d.symbol = w.symbol AND d.day = b.day
    LEFT JOIN signal AS s ON s.symbol = w.symbol AND s.day = b.day
    LEFT JOIN LATERAL (
        SELECT CASE WHEN count(*) > :crosses THEN coalesce((array_agg(
            CASE WHEN side > 0 THEN 1 ELSE -1 END ORDER BY day DESC
        ) FILTER (WHERE side * before < 0 AND n <= :crosses))[1], 0) END AS sma_cross
        FROM (
            SELECT day, sign(sma_50 - sma_200) AS side,
                lag(sign(sma_50 - sma_200)) OVER (ORDER BY day) AS before,
                row_number() OVER (ORDER BY day DESC) AS n
            FROM (
                SELECT day, sma_50, sma_200 FROM indicator_daily
                WHERE symbol = w.symbol AND sma_200 IS NOT NULL AND day <= b.day
                ORDER BY day DESC LIMIT :crosses + 1
            ) AS newest
        ) AS sides
    ) AS x ON true
    LEFT JOIN LATERAL (
        SELECT * FROM fundamental WHERE symbol = w.symbol AND day <= :until
        ORDER BY day DESC LIMIT 1
    ) AS f ON true
    WHERE b.day IS NOT NULL
    ON CONFLICT (symbol) DO UPDATE SET {_SET} WHERE ({_NOW}) IS DISTINCT FROM ({_THEN})
""")
