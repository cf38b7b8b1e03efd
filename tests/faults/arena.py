"""Servers of one's own for the ledger's tests, with a durable disk, and processes that trade."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.config import Settings, load_settings
from app.db.migrate import migrate
from app.embedded import EmbeddedServers
from tests.processes import SECRET, bare_environ


@asynccontextmanager
async def durable_servers() -> AsyncIterator[tuple[EmbeddedServers, Settings]]:
    """A migrated installation that is written through to the disk."""
    with tempfile.TemporaryDirectory(prefix="sise-", dir="/tmp", ignore_cleanup_errors=True) as at:
        servers = EmbeddedServers(Path(at))
        urls = servers.start()
        try:
            await migrate(urls.migration_url, urls.database_url)
            yield (
                servers,
                load_settings(
                    {
                        "SISE_DATABASE_URL": urls.database_url,
                        "SISE_MIGRATION_URL": urls.superuser_url,
                        "SISE_REDIS_URL": urls.redis_url,
                        "SISE_SECRET": SECRET,
                    }
                ),
            )
        finally:
            servers.stop()


async def start_program(settings: Settings, *arguments: str) -> Process:
    """A process of `ledger_program`, ready."""
    environ = bare_environ(
        SISE_DATABASE_URL=settings.database_url,
        SISE_REDIS_URL=settings.redis_url,
        SISE_SECRET=settings.secret,
    )
    command = (sys.executable, "-m", "tests.faults.ledger_program", *arguments)
    made = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=environ)
    assert made.stdout is not None
    assert await made.stdout.readline() == b"ready\n"
    return made


@asynccontextmanager
async def two_racers(settings: Settings) -> AsyncIterator[list[Process]]:
    """Two processes that wait for orders."""
    racers = [await start_program(settings, "race") for _ in range(2)]
    try:
        yield racers
    finally:
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.close()
            await racer.wait()


async def run_race(
    racers: Sequence[Process], orders: Sequence[Sequence[Mapping[str, Any]]]
) -> Counter[str]:
    """Gives each process its orders at once; how often each answer came."""
    for racer, own in zip(racers, orders, strict=True):
        assert racer.stdin is not None
        racer.stdin.write(json.dumps(own).encode() + b"\n")
    total: Counter[str] = Counter()
    for racer in racers:
        assert racer.stdout is not None
        total += Counter(json.loads(await racer.stdout.readline()))
    return total
