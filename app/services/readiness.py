"""Whether a process can serve: database, broker and migrations, each with what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from sqlalchemy import text

from app.adapters.queue import QUEUES, QueueName
from app.db.revision import newest_revision
from app.env import Env
from app.errors import Unavailable

TIME_LIMIT: Final = 2.0  # seconds for each check


class Check(NamedTuple):
    """One thing that has to be right."""

    name: str
    ok: bool
    detail: str


async def check_readiness(env: Env) -> list[Check]:
    """All checks, at the same time: within two seconds, whatever is broken."""
    checks = {
        "database": check_database,
        "broker": check_broker,
        "migrations": check_migrations,
    }
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_limited(name, check, env)) for name, check in checks.items()]
    return [task.result() for task in tasks]


async def check_database(env: Env) -> str:
    """PostgreSQL's version.

    Raises:
        Unavailable: it does not answer.
    """
    async with env.db.read() as db:
        return f"PostgreSQL {await db.scalar(text('SHOW server_version'))}"


async def check_broker(env: Env) -> str:
    """Which program the broker is, and its version.

    Raises:
        Unavailable: it does not.
    """
    return await env.bus.ping()


async def check_migrations(env: Env) -> str:
    """The revision of the database.

    Raises:
        Unavailable: it is not the one that this release needs.
    """
    wanted, found = newest_revision(), None
    async with env.db.read() as db:
        if await db.scalar(text("SELECT to_regclass('alembic_version')")):
            found = await db.scalar(text("SELECT version_num FROM alembic_version"))
    if found != wanted:
        msg = "The database is at revision %(found)s and needs %(wanted)s: run `sise migrate`."
        raise Unavailable(msg, found=found or "none", wanted=wanted)
    return f"Revision {found}"


async def is_worker_alive(env: Env, queue: QueueName) -> bool:
    """Whether a worker of that queue has shown itself of late (its key lives 11 s).

    Raises:
        Unavailable: the broker does not answer.
    """
    return await env.bus.cached(f"{QUEUES[queue]}:health-check") is not None


async def _limited(name: str, check: Callable[[Env], Awaitable[str]], env: Env) -> Check:
    try:
        async with asyncio.timeout(TIME_LIMIT):
            return Check(name, ok=True, detail=await check(env))
    except Unavailable as error:
        return Check(name, ok=False, detail=str(error))
    except TimeoutError:
        return Check(name, ok=False, detail=f"No answer within {TIME_LIMIT:g} s.")
