"""Alert rules: 10,000 stored ones, of which a tick matches 1,000 and fires 100: CPU time of a look.

The goal: read, evaluated and stored, with the alerts, in less than 50 ms of CPU of this process.
Beside it the evaluation alone, and the same look when nothing fires.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import process_time

from sqlalchemy import text

from app.config import load_settings
from app.db.engine import EVERYONE
from app.db.migrate import migrate_blocking
from app.domain.alerts.crossing import Seen
from app.domain.alerts.rules import LIVE
from app.embedded import EmbeddedServers
from app.env import Env, open_env
from app.services.alerts.alert_store import list_active, move
from app.services.alerts.alert_watch import see_quotes
from tests.paper import make_quote

GOAL = 50.0  # ms
ROUNDS = 15
START = datetime(2026, 3, 4, 15, tzinfo=UTC)
RULES = """
    INSERT INTO alert_rule (user_id, kind, symbol, level, level_day, band, cooldown, delivery,
                            phase, created_at)
    SELECT u.id, 'PRICE_ABOVE', 'S' || n % 10, CASE WHEN n < 1000 THEN 150 ELSE 200 END,
           '2026-03-04', 0.5, 0, 'AT_ONCE', 'ARMED', now()
    FROM "user" AS u, generate_series(0, 9999) AS n
"""


async def prepare(env: Env) -> None:
    """One user with 10,000 rules on ten symbols: a hundred of each are at 150, the rest at 200."""
    async with env.db.write(uid=EVERYONE) as db:
        await db.execute(
            text(
                'INSERT INTO "user" (username, username_key, email, created_at)'
                " VALUES ('alice', 'alice', 'alice@example.com', now())"
            )
        )
        await db.execute(text(RULES))


async def look(env: Env, price: str, minute: int) -> tuple[float, int]:
    """Milliseconds of CPU that one tick of one symbol takes, and how many alerts it makes."""
    quote = make_quote("S3", price, START + timedelta(minutes=minute))
    began = process_time()
    made = await see_quotes(env, [quote])
    return (process_time() - began) * 1000, made


async def measure(env: Env) -> tuple[float, float, float]:
    """Medians in ms: a look that fires 100, one that fires none, the evaluation alone."""
    firing, quiet = [], []
    for turn in range(ROUNDS):
        back, _ = await look(env, "140", 4 * turn)
        spent, made = await look(env, "151", 4 * turn + 1)
        idle, none = await look(env, "152", 4 * turn + 2)
        assert (made, none) == (100, 0), (made, none, back)
        firing.append(spent)
        quiet.append(idle)
    rows = await list_active(env, LIVE, ["S3"])
    assert len(rows) == 1000
    began = process_time()
    for row in rows:
        move(row, [Seen(START + timedelta(days=1), 140.0)])
    return median(firing), median(quiet), (process_time() - began) * 1000


async def run(settings_of: dict[str, str]) -> int:
    async with open_env(load_settings(settings_of), application="bench") as env:
        await prepare(env)
        firing, quiet, evaluation = await measure(env)
    print("10,000 rules; a tick matches 1,000                       CPU ms   of the goal")
    for name, spent in (
        ("fires 100: read, evaluated, stored", firing),
        ("fires none: read, evaluated", quiet),
        ("evaluated alone", evaluation),
    ):
        print(f"  {name:<54} {spent:6.1f}   {spent / GOAL:6.2f}")
    return firing >= GOAL


def main() -> int:
    """Starts servers of its own."""
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        servers = EmbeddedServers(Path(folder), fsync=False)
        urls = servers.start()
        try:
            migrate_blocking(urls.migration_url, urls.database_url)
            secret = "6f1d0c5b2a9e8f7746352413029af8be"  # noqa: S105 - of servers that are thrown away
            given = {"SISE_DATABASE_URL": urls.database_url, "SISE_REDIS_URL": urls.redis_url}
            return asyncio.run(run(given | {"SISE_SECRET": secret}))
        finally:
            servers.stop()


if __name__ == "__main__":
    sys.exit(main())
