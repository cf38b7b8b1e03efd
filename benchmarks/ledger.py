"""The ledger beside the bare call of its function: what our own layer costs.

`python -m benchmarks.ledger` starts a throwaway server on a durable disk and buys shares, by
`record_transaction` and by `SELECT post_entries(...)` on an asyncpg connection, in rounds
in which each goes first in turn, since tables grow: from several tasks into one portfolio, and into
many. Both keep their connections from the beginning: a session goes on with the plans that it made
while the tables were small. It passes when ours reaches at least 0.9 of the bare call.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from statistics import median

import asyncpg
import orjson
from rich.console import Console
from sqlalchemy import insert, make_url

from app.config import load_settings
from app.db.migrate import migrate
from app.db.models import User
from app.domain.transactions import Entry, PortfolioKind, TransactionKind, make_trade
from app.embedded import EmbeddedServers, Urls
from app.env import Env, open_env
from app.services.portfolio.booking import entry_item, now_of
from app.services.portfolio.ledger import record_transaction
from app.services.portfolio.portfolios import NewPortfolio, create_portfolio

ORDERS = 240  # of one round
TASKS = 4
ROUNDS = 10
GOAL = 0.9
DAY = date(2026, 3, 2)
KEYS = count()

BARE = "SELECT post_entries($1, $2, $3, $4::jsonb, $5::jsonb)"
One = Callable[[int, str], Awaitable[object]]
Idle = asyncio.LifoQueue[asyncpg.Connection]


def purchase() -> Entry:
    """A share for a won."""
    figures = (Decimal(1), Decimal(1), "KRW")
    return make_trade(TransactionKind.BUY, "A", *figures, day=DAY, settles_on=DAY)


async def measure(one: One, portfolios: list[int]) -> float:
    """Orders in a second."""
    keys = [f"bench-{next(KEYS)}" for _ in range(ORDERS)]

    async def work(task: int) -> None:
        for n in range(task, ORDERS, TASKS):
            await one(portfolios[n % len(portfolios)], keys[n])

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for task in range(TASKS):
            group.create_task(work(task))
    return ORDERS / (time.perf_counter() - began)


async def connect(urls: Urls) -> Idle:
    """The connections of the bare call; a pool of asyncpg would ask each to reset after its use."""
    url = make_url(urls.database_url)
    place = {"host": url.query["host"], "user": url.username, "database": url.database}
    idle: Idle = asyncio.LifoQueue()
    for _ in range(TASKS):
        idle.put_nowait(await asyncpg.connect(**place))
    return idle


async def compare(env: Env, user_id: int, idle: Idle, portfolios: list[int]) -> float:
    """Our orders in a second as a share of the bare ones: the median over interleaved rounds."""
    when = now_of(env)
    today = orjson.dumps({c: str(day) for c, day in when.today.items()}).decode()

    async def bare(portfolio: int, key: str) -> object:
        items = orjson.dumps([entry_item(portfolio, key, entry, when)]).decode()
        connection = idle.get_nowait()
        stored = await connection.fetchval(BARE, portfolio, user_id, when.at, today, items)
        idle.put_nowait(connection)
        return stored

    async def ours(portfolio: int, key: str) -> object:
        return await record_transaction(env, user_id, str(portfolio), entry, key)

    entry = purchase()
    ratios = []
    for number in range(ROUNDS):
        first, second = (bare, ours) if number % 2 else (ours, bare)
        speeds = {one: await measure(one, portfolios) for one in (first, second)}
        ratios.append(speeds[ours] / speeds[bare])
    return median(ratios)


async def run() -> bool:
    """Whether both ratios reach the goal."""
    console, passed = Console(), True
    with tempfile.TemporaryDirectory(prefix="sise-", dir="/tmp") as short:
        servers = EmbeddedServers(Path(short))
        urls = servers.start()
        try:
            await migrate(urls.migration_url, urls.database_url)
            environ = {
                "SISE_DATABASE_URL": urls.database_url,
                "SISE_REDIS_URL": urls.redis_url,
                "SISE_SECRET": "6f1d0c5b2a9e8f7746352413029af8be",
            }
            settings = load_settings(environ)
            async with open_env(settings, application="bench") as env:
                idle = await connect(urls)
                user_id = await add_user(env)
                books = [await add_portfolio(env, user_id) for _ in range(40)]
                for name, chosen in (("one account", books[:1]), ("40 accounts", books)):
                    ratio = await compare(env, user_id, idle, chosen)
                    passed &= ratio >= GOAL
                    console.print(f"{name}: {ratio:.2f} of the bare call (goal {GOAL})")
        finally:
            servers.stop()
    return passed


async def add_user(env: Env) -> int:
    """Somebody who owns the portfolios."""
    values = {
        "username": "bench",
        "username_key": "bench",
        "email": "",
        "created_at": env.clock.now(),
    }
    async with env.db.write() as db:
        return int(await db.scalar(insert(User).values(values).returning(User.id)) or 0)


async def add_portfolio(env: Env, user_id: int) -> int:
    """A portfolio with enough cash."""
    wanted = NewPortfolio("Bench", PortfolioKind.SIMULATED, "KRW", Decimal(10**9))
    return (await create_portfolio(env, user_id, wanted)).id


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(run()) else 1)
