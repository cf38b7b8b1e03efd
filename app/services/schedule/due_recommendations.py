"""When recommendations of a market are due: a day is stored and analysed, and not issued yet.

While a collection or analysis of the market waits for its first or second try, or is in it, the
day is not complete; what fails more often does not hold the others up.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from app.domain.recommend.markets import HOMES, MarketKey
from app.env import Env
from app.services.settings import read_mode
from app.services.work.jobs import open_jobs


async def is_complete(env: Env, market: MarketKey) -> bool:
    """Whether every collection and analysis of the market has had its first two tries, or ended.

    Raises:
        Unavailable: the database does not answer.
    """
    async with env.db.read() as db:
        return not await db.scalar(text(_WAITING), {"currency": HOMES[market].currency})


async def open_due_recommendations(env: Env) -> int:
    """Opens a job for each market with a day that is not issued; how many were new.

    Raises:
        Unavailable: the database does not answer.
    """
    source, _ = await read_mode(env)
    if source is None:
        return 0
    due = []
    async with env.db.read() as db:
        for market, home in HOMES.items():
            params = {"source": source, "market": market.value, "currency": home.currency}
            newest, issued, waiting = (await db.execute(text(_STATE), params)).one()
            if newest is not None and not waiting and (issued is None or newest > issued):
                due.append({"key": f"recommend:{source}:{market}:{newest}", "symbol": None})
    async with env.db.write() as db:
        return len(await open_jobs(db, "recommend", due, env.clock.now()))


_SHARES: Final = """
    WITH share AS (
        SELECT symbol FROM instrument
        WHERE tracked AND kind = 'EQUITY' AND currency = :currency
    )
"""
_OPEN: Final = """
    EXISTS (SELECT FROM job JOIN share USING (symbol)
            WHERE kind IN ('collect', 'analyse') AND done_at IS NULL
              AND (attempts < 2 OR attempts = 2 AND state = 'RUNNING'))
"""
_WAITING: Final = f"{_SHARES} SELECT {_OPEN}"
_STATE: Final = f"""
    {_SHARES}
    SELECT
        (SELECT max(d.day) FROM share AS s CROSS JOIN LATERAL (
            SELECT day FROM indicator_daily WHERE symbol = s.symbol ORDER BY day DESC LIMIT 1
        ) AS d),
        (SELECT max(day) FROM recommendation_issue
         WHERE source = :source AND market = :market AND NOT simulated),
        {_OPEN}
"""
