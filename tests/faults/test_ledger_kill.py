"""kill -9 of traders, of the worker and of a backend: what was acknowledged is there, once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter

import pytest
from sqlalchemy import text

from app.db.engine import Database
from app.env import open_env
from app.errors import Unavailable
from tests.faults.arena import durable_servers, start_program
from tests.ledgers import drift, keep, make_portfolio
from tests.people import make_user

pytestmark = pytest.mark.faults

ROUNDS = 20  # of the promised figure
TRADERS = 3


async def listen(process, acknowledged):
    """Notes what a process says until it ends."""
    async for line in process.stdout:
        acknowledged.append(line.decode().strip())


async def kill_a_backend(superuser):
    """Ends one connection's server process as the kernel would: PostgreSQL recovers from its log."""
    query = "SELECT pid FROM pg_stat_activity WHERE usename = 'sise_app' LIMIT 1"
    async with superuser.read() as db:
        pid = await db.scalar(text(query))
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    return pid is not None


async def wait_for_writing(env, alice, book):
    """Until the database takes a transaction again."""
    while True:
        try:
            return await keep(env, alice, book, "DEPOSIT 1")
        except Unavailable:
            await asyncio.sleep(0.1)


async def test_what_was_acknowledged_survives_every_kill(full):
    async with durable_servers() as (servers, settings):
        superuser = Database(settings.migration_url, pool_size=1)
        async with open_env(settings, application="kill") as env:
            alice = await make_user(env, "trader")
            book = await make_portfolio(env, alice, 1_000_000)
            acknowledged: list[str] = []
            kills: Counter[str] = Counter()
            for number in range(ROUNDS if full else 1):
                await run_round(
                    env, settings, superuser, (alice, book), acknowledged, kills, number
                )
            keys = [key for key in acknowledged if key != "settled"]
            await check(env, keys)
            assert await drift(env) == []
            print(
                f"{len(keys)} acknowledged, none missing, none twice, no drift; kills: {dict(kills)}"
            )
            assert kills["backend"] >= 1
        await superuser.close()
        assert servers.postgres is not None


async def run_round(env, settings, superuser, owner, acknowledged, kills, number):
    """Traders and a worker run; one trader, the worker and a backend are killed, then the rest."""
    alice, book = owner
    order = {"user": alice.id, "portfolio": book.id}
    roles = [("trade", f"r{number}t{n}") for n in range(TRADERS)] + [("settle", f"r{number}w")]
    running = [
        await start_program(settings, role, json.dumps(order | {"key": key})) for role, key in roles
    ]
    listeners = [asyncio.create_task(listen(p, acknowledged)) for p in running]
    before = len(acknowledged)
    for what in ("app", "worker", "backend"):
        while len(acknowledged) < before + 15:
            await asyncio.sleep(0.05)
        before = len(acknowledged)
        if what == "backend":
            kills[what] += await kill_a_backend(superuser)
            await wait_for_writing(env, alice, book)
        else:
            running[0 if what == "app" else -1].kill()
            kills[what] += 1
    while len(acknowledged) < before + 10:  # the others go on, with the same keys
        await asyncio.sleep(0.05)
    for process in running:
        if process.returncode is None:
            process.kill()
    for process in running:
        await process.wait()
    await asyncio.wait(listeners)


async def check(env, keys):
    """Every key that was acknowledged is stored once."""
    async with env.db.read(uid="everyone") as db:
        rows = await db.execute(text("SELECT idem_key, count(*) FROM txn GROUP BY idem_key"))
        stored = dict(rows.all())
    assert len(keys) == len(set(keys))
    assert [key for key in keys if key not in stored] == []
    assert [key for key, times in stored.items() if times > 1] == []
