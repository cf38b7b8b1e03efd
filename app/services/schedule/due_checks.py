"""Which instruments' prices are to be compared with those of a second provider.

Each one a week after its last check, and once more when rows have been held that a second provider
may confirm; that one only publishes settled closes in the evening, so it is waited for. A minute
opens `AT_ONCE` checks: neither the first week nor one without workers ends in a rush of questions.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import select, text

from app.db.models import Exchange
from app.env import Env
from app.services.collect.cross_check import CONFIRMABLE
from app.services.settings import SOURCE_KEY, find_setting
from app.services.sources.source_order import OTHER_PROVIDERS, order_of
from app.services.work.jobs import open_jobs

LIVE_SOURCE: Final = "yahoo"  # the sample is history: nothing of it ever becomes due
CHECK_EVERY: Final = timedelta(days=7)
AGAIN_AFTER: Final = timedelta(days=1)  # a check that failed
SETTLED_AFTER: Final = timedelta(hours=6)  # of a held row's finding: the other source has the day
AT_ONCE: Final = 10  # checks a minute


async def open_due_checks(env: Env) -> int:
    """Opens the checks that are due now, the longest overdue first; how many.

    None in an installation that is not live, and of exchanges whose order has one provider.
    """
    if await find_setting(env, SOURCE_KEY) != LIVE_SOURCE:
        return 0
    async with env.db.read() as db:
        known = list(await db.scalars(select(Exchange.mic)))
    exchanges = [mic for mic in known if mic != "CCY" and _has_second(env, mic)]
    if not exchanges:
        return 0
    now = env.clock.now()
    params = {
        "exchanges": exchanges,
        "now": now,
        "last": now - CHECK_EVERY,
        "failed": now - AGAIN_AFTER,
        "settled": SETTLED_AFTER,
        "reasons": [str(reason) for reason in CONFIRMABLE],
        "most": AT_ONCE,
    }
    async with env.db.write() as db:
        symbols = await db.scalars(text(_DUE), params)
        rows = [
            {"key": f"check:{symbol}:{now:%Y-%m-%dT%H}", "symbol": symbol} for symbol in symbols
        ]
        return len(await open_jobs(db, "check", rows, now))


def _has_second(env: Env, mic: str) -> bool:
    return len({OTHER_PROVIDERS.get(name, name) for name in order_of(env, mic)}) > 1


_DUE: Final = """
    WITH checked AS (SELECT symbol, max(checked_at) AS at FROM cross_check GROUP BY symbol),
    found AS (
        SELECT symbol, max(found_at) + :settled AS at FROM quarantine
        WHERE kind = 'BAR' AND state = 'HELD' AND reason = ANY(:reasons) GROUP BY symbol
    ),
    tried AS (
        SELECT symbol, max(due_at) AS at, bool_or(done_at IS NULL) AS is_open FROM job
        WHERE kind = 'check' GROUP BY symbol
    )
    SELECT i.symbol
    FROM instrument AS i
    LEFT JOIN checked AS c USING (symbol)
    LEFT JOIN found AS f USING (symbol)
    LEFT JOIN tried AS t USING (symbol)
    WHERE i.tracked AND i.delisted_at IS NULL AND i.kind <> 'FX' AND i.mic = ANY(:exchanges)
        AND t.is_open IS NOT TRUE
        AND (
            (coalesce(c.at <= :last, true) AND coalesce(t.at <= :failed, true))
            OR (f.at <= :now AND coalesce(c.at < f.at, true) AND coalesce(t.at < f.at, true))
        )
        AND EXISTS (SELECT FROM bar WHERE symbol = i.symbol)
    ORDER BY c.at NULLS FIRST, i.position, i.symbol LIMIT :most
"""
