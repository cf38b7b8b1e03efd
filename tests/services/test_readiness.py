"""Readiness says which of database, broker and migrations is wrong, within its time."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import text

from app.adapters.bus import Bus
from app.db.engine import Database
from app.db.migrate import head_revision
from app.services import readiness
from app.services.readiness import check_readiness, is_worker_alive
from tests.broker import until
from tests.clocks import hold_deadlines


@pytest.fixture(autouse=True)
def deadlines(monkeypatch) -> list[asyncio.Timeout]:
    """Those of the checks, which are two seconds; none comes by itself."""
    return hold_deadlines(monkeypatch, readiness, 2)


async def test_with_everything_in_place_all_checks_pass(env):
    checks = await check_readiness(env)
    assert [(c.name, c.ok) for c in checks] == [
        ("database", True),
        ("broker", True),
        ("migrations", True),
    ]
    assert checks[0].detail.startswith("PostgreSQL ")
    assert checks[2].detail == f"Revision {head_revision()}"


async def test_a_database_that_is_gone_is_named_and_the_broker_is_not(env):
    gone = Database("postgresql://nobody@127.0.0.1:1/none")
    checks = {c.name: c for c in await check_readiness(replace(env, db=gone))}
    assert (checks["database"].ok, checks["broker"].ok, checks["migrations"].ok) == (
        False,
        True,
        False,
    )
    assert "The database does not answer" in checks["database"].detail
    await gone.close()


async def test_a_broker_that_never_answers_costs_two_seconds(env, deadlines):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        bus = Bus(f"redis://127.0.0.1:{silent.getsockname()[1]}")
        asked = asyncio.create_task(check_readiness(replace(env, bus=bus)))
        await until(lambda: len(deadlines) == 3)
        deadlines[1].reschedule(0)
        checks = {c.name: c for c in await asked}
        await bus.close()
    assert (checks["database"].ok, checks["broker"].ok) == (True, False)
    assert checks["broker"].detail == "No answer within 2 s."


async def test_an_older_schema_is_not_ready(env, superuser):
    head = head_revision()
    async with superuser.write() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    try:
        checks = {c.name: c for c in await check_readiness(env)}
    finally:
        async with superuser.write() as db:
            await db.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
    assert not checks["migrations"].ok
    assert checks["migrations"].detail == (
        f"The database is at revision older and needs {head}: run `sise migrate`."
    )


async def test_a_worker_shows_itself_by_its_health_key(env):
    assert not await is_worker_alive(env, "quick")
    await env.bus.cache("sise:quick:health-check", b"j_complete=0", 11)
    assert await is_worker_alive(env, "quick")
    assert not await is_worker_alive(env, "long")
