"""A refresh token used many times at once, by two processes: one winner, and then nobody."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE

import pytest
from sqlalchemy import text

from app.db.engine import EVERYONE
from app.errors import Unauthenticated
from app.services.people.token_pairs import open_family, refresh_pair
from tests.people import DEVICE, make_user
from tests.processes import ROOT

pytestmark = pytest.mark.faults

PROGRAM = """
import asyncio, sys
from app.config import load_settings
from app.env import open_env
from app.errors import Unauthenticated
from app.services.people.token_pairs import refresh_pair

async def one(env, token):
    try:
        return (await refresh_pair(env, token)).refresh_token
    except Unauthenticated:
        return ""

async def main():
    async with open_env(load_settings(), application="refresh", pool_size=10) as env:
        print("ready", flush=True)
        for line in sys.stdin:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(env, line.strip())) for _ in range(25)]
            print(*[t.result() or "-" for t in tasks], flush=True)

asyncio.run(main())
"""


async def test_of_fifty_uses_at_once_one_wins_and_its_family_ends(env, settings, full):
    user = await make_user(env)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SISE_DATABASE_URL": settings.database_url or "",
        "SISE_REDIS_URL": settings.redis_url or "",
        "SISE_SECRET": settings.secret or "",
    }
    command = (sys.executable, "-c", PROGRAM)
    racers = [
        await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=environ)
        for _ in range(2)
    ]
    try:
        for racer in racers:
            assert await racer.stdout.readline() == b"ready\n"
        for _ in range(20 if full else 3):
            token = (await open_family(env, user.id, DEVICE)).refresh_token
            for racer in racers:
                racer.stdin.write(f"{token}\n".encode())
            words = [w for racer in racers for w in (await racer.stdout.readline()).split()]
            winners = [word.decode() for word in words if word != b"-"]
            assert (len(words), len(winners)) == (50, 1)
            with pytest.raises(Unauthenticated):
                await refresh_pair(env, winners[0])
    finally:
        for racer in racers:
            racer.stdin.close()
            await racer.wait()
    async with env.db.read(uid=EVERYONE) as db:
        alive = "SELECT count(*) FROM token_family WHERE revoked_at IS NULL"
        assert await db.scalar(text(alive)) == 0
