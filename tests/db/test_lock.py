"""The lock: one holder at a time, told at once when it is lost."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from sqlalchemy import text

from app.db.engine import Database
from app.db.lock import hold_lock
from app.embedded import Urls
from app.errors import Unavailable


async def backends(superuser: Database, application: str) -> list[int]:
    async with superuser.read() as db:
        wanted = text("SELECT pid FROM pg_stat_activity WHERE application_name = :name")
        return list((await db.scalars(wanted, {"name": application})).all())


async def terminate(superuser: Database, application: str) -> None:
    async with superuser.write() as db:
        for pid in await backends(superuser, application):
            await db.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


async def until_waiting(superuser: Database, application: str) -> None:
    """Returns when it waits for a lock."""
    waits = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = :name AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(60):
        while True:
            async with superuser.read() as db:
                if await db.scalar(waits, {"name": application}):
                    return
            await asyncio.sleep(0.02)


async def test_one_holds_it_and_the_next_follows_in_turn(servers: Urls):
    inside = 0
    turns = []

    async def take(name: int) -> None:
        nonlocal inside
        async with hold_lock(servers.database_url, "test", application="sise-lock") as lost:
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.02)
            assert not lost.is_set()
            turns.append(name)
            inside -= 1

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for name in range(5):
            tasks.create_task(take(name))
    assert sorted(turns) == [0, 1, 2, 3, 4]


async def test_locks_of_other_names_do_not_wait_for_each_other(servers: Urls):
    async with (
        asyncio.timeout(60),
        hold_lock(servers.database_url, "one", application="sise-lock"),
        hold_lock(servers.database_url, "two", application="sise-lock"),
    ):
        pass


async def test_a_connection_that_is_ended_loses_the_lock_at_once(
    servers: Urls, superuser: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.db.lock.HEARTBEAT", 3600)
    async with hold_lock(servers.database_url, "test", application="sise-lock-a") as lost:
        assert not lost.is_set()
        await terminate(superuser, "sise-lock-a")
        async with asyncio.timeout(60):
            await lost.wait()
        async with (
            asyncio.timeout(60),
            hold_lock(servers.database_url, "test", application="sise-lock-b") as other,
        ):
            assert not other.is_set()


async def test_a_backend_that_falls_silent_loses_the_lock(
    servers: Urls, superuser: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.db.lock.HEARTBEAT", 0.2)
    async with hold_lock(servers.database_url, "test", application="sise-lock-c") as lost:
        (pid,) = await backends(superuser, "sise-lock-c")
        os.kill(pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(60):
                await lost.wait()
        finally:
            os.kill(pid, signal.SIGCONT)


async def test_a_waiting_one_whose_connection_ends_is_told_so(servers: Urls, superuser: Database):
    async def wait() -> None:
        async with hold_lock(servers.database_url, "test", application="sise-lock-waits"):
            pytest.fail("the lock was held by two")

    async with hold_lock(servers.database_url, "test", application="sise-lock"):
        waiting = asyncio.create_task(wait())
        await until_waiting(superuser, "sise-lock-waits")
        await terminate(superuser, "sise-lock-waits")
        with pytest.raises(Unavailable):
            await waiting


async def test_a_waiting_one_may_be_cancelled(servers: Urls, superuser: Database):
    async def wait() -> None:
        async with hold_lock(servers.database_url, "test", application="sise-lock-waits"):
            pytest.fail("the lock was held by two")

    async with hold_lock(servers.database_url, "test", application="sise-lock"):
        waiting = asyncio.create_task(wait())
        await until_waiting(superuser, "sise-lock-waits")
        waiting.cancel()
        await asyncio.wait({waiting}, timeout=60)
        assert waiting.cancelled()
    async with asyncio.timeout(60):
        while await backends(superuser, "sise-lock-waits"):
            await asyncio.sleep(0.02)


async def test_a_database_that_is_not_there_is_unavailable():
    with pytest.raises(Unavailable):
        async with hold_lock(
            "postgresql://nobody@127.0.0.1:1/none", "test", application="sise-lock"
        ):
            pytest.fail("no lock without a database")
