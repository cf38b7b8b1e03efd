"""kill -9 at 20 random points of collections: everything due is stored, and stored once.

The installation runs (`sise up`, minutes shortened to seconds) against a local Yahoo with 200 ms of
latency; the worker of the long queue, which collects nothing, would die with Valkey and only be
started again. Each round empties the tables of prices, asks for a collection of everything, and
kills the worker, the web process and Valkey at random moments while it runs.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import psutil
import pytest
from sqlalchemy import text

from app.clock import Clock
from app.db.engine import Database
from app.embedded import find_running
from tests.fakes.yahoo import FakeYahoo
from tests.sites import Site, running_site, yahoo_process, yahoo_settings

pytestmark = pytest.mark.faults

ROUNDS = 5
KILLS = 4  # in each round
VICTIMS = ("worker_process quick", "serve", "valkey-server")
# Every market is closed; the newest session is known. All processes share the clock's origin, also
# those that are started again.
SATURDAY = f"2013-03-02T12:00:00Z@1@{Clock().now().timestamp()}"
STATE = """
SELECT (SELECT count(*) FROM instrument WHERE tracked) AS tracked,
       (SELECT count(*) FROM job WHERE kind = 'collect' AND done_at IS NULL) AS open,
       (SELECT count(*) FROM job WHERE kind = 'collect' AND state = 'FAILED') AS failed,
       (SELECT count(DISTINCT symbol) FROM bar) + (SELECT count(DISTINCT base) FROM fx_rate) AS stored
"""


@pytest.fixture(scope="module")
def peer() -> Iterator[FakeYahoo]:
    with yahoo_process(latency=0.2) as server:
        yield server


@pytest.fixture(scope="module")
def site(peer: FakeYahoo) -> Iterator[Site]:
    command = ("-m", "tests.faults.fast_up", "long")
    with running_site(command=command, SISE_CLOCK=SATURDAY, **yahoo_settings(peer)) as site:
        yield site


async def collect_everything(site: Site, seconds: float = 60) -> None:
    """Asks until the web process, which may just have been killed, accepts."""
    end = time.monotonic() + seconds
    query = {"query": "mutation { collect { id state } }"}
    async with httpx.AsyncClient(base_url=site.url, timeout=5) as client:
        while time.monotonic() < end:
            try:
                answer = await client.post("/graphql", json=query)
                if answer.status_code == 200 and "errors" not in answer.json():
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)
    raise AssertionError("no collection could be asked for")


def kill(site: Site, word: str) -> bool:
    """kill -9 of the process with this word; False when it is just being restarted."""
    for process in psutil.Process(site.process.pid).children(recursive=True):
        try:
            if word in " ".join(process.cmdline()):
                process.send_signal(signal.SIGKILL)
                return True
        except psutil.NoSuchProcess:
            continue
    return False


def valkey_pid(site: Site) -> int | None:
    """The broker may not be a descendant of the supervisor: it is found by its data directory."""
    for process in psutil.process_iter(["cmdline", "name"]):
        line = " ".join(process.info["cmdline"] or [])
        if "valkey" in (process.info["name"] or "") and str(site.data_dir) in line:
            return int(process.pid)
    return None


def strike(site: Site, word: str) -> bool:
    """Kills one victim."""
    if word != "valkey-server":
        return kill(site, word)
    pid = valkey_pid(site)
    if pid is None:
        return kill(site, word)
    psutil.Process(pid).send_signal(signal.SIGKILL)
    return True


async def test_whatever_is_killed_everything_due_is_stored_once(
    site: Site, peer: FakeYahoo
) -> None:
    urls = find_running(site.data_dir)
    assert urls is not None
    chance = random.Random(20130302)
    superuser = Database(urls.superuser_url, pool_size=1)
    killed = 0
    try:
        expected = await stored(superuser)
        assert len(expected) >= 13
        for number in range(ROUNDS):
            async with superuser.write() as db:
                for table in ("job", "indicator_daily", "bar", "fx_rate", "split", "dividend"):
                    await db.execute(text(f"DELETE FROM {table}"))
            peer.clear_log()
            await collect_everything(site)
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.02, 0.9))
                while not strike(site, VICTIMS[killed % len(VICTIMS)]):
                    await asyncio.sleep(0.1)
                killed += 1
            await finished(superuser, number)
            assert await stored(superuser) == expected
            asked = Counter(
                entry["symbol"] for entry in peer.log() if entry["query"].get("interval") == "1d"
            )
            assert len(asked) == len(expected)
            # each kill costs an instrument at most one more question; no answer is lost for good
            assert max(asked.values()) <= 1 + KILLS, asked
    finally:
        await superuser.close()
    assert killed == ROUNDS * KILLS == 20


async def finished(superuser: Database, number: int, seconds: float = 100) -> None:
    """Waits until nothing is due and every tracked instrument has its prices."""
    end = time.monotonic() + seconds
    while True:
        async with superuser.read() as db:
            row = (await db.execute(text(STATE))).one()
        if row.open == 0 and row.stored == row.tracked:
            assert row.failed == 0
            return
        if time.monotonic() > end:
            async with superuser.read() as db:
                left = await db.execute(text("SELECT * FROM job WHERE done_at IS NULL"))
                raise AssertionError(f"round {number}: {row}, {left.mappings().all()}")
        await asyncio.sleep(0.1)


async def stored(superuser: Database) -> dict[str, tuple[int, str]]:
    """Count and checksum of what is stored of each symbol."""
    query = """
    SELECT symbol, count(*), md5(string_agg(concat_ws('|', day, open, high, low, close, volume), ','
           ORDER BY day)) FROM bar GROUP BY symbol
    UNION ALL
    SELECT base, count(*), md5(string_agg(concat_ws('|', day, rate), ',' ORDER BY day))
    FROM fx_rate GROUP BY base
    """
    async with superuser.read() as db:
        return {row[0]: (row[1], row[2]) for row in await db.execute(text(query))}
