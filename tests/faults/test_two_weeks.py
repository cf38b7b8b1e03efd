"""Two weeks of sessions while workers, Valkey and the source die inside fetch, COPY and publish.

The clock runs an hour and a half a second, from 2025-10-30 to 2025-11-15 or, on a slow machine, until
fifty have died: the end of summer time in New York, the day of the Korean university entrance exam
(10:00 to 16:30), and half a day in New York that only an operator's override knows of. The local
Yahoo shows a bar from its open on and other prices until
its close, so that a bar which was taken too early would be seen; its journal outlives it.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text

from app.adapters.bus import EVENTS
from app.clock import Clock
from app.db.engine import Database
from app.embedded import find_running
from tests.factories import weekdays
from tests.fakes.listings import NAMES, STAND_INS
from tests.faults.test_collection_kills import kill, strike
from tests.processes import free_port
from tests.sites import ROOT, Site, running_site

pytestmark = [pytest.mark.faults, pytest.mark.long]

RATE = 5400  # seconds of the market in one of ours
BEGIN = datetime(2025, 10, 30, tzinfo=UTC)
END = datetime(2025, 11, 15, tzinfo=UTC)
LAG = timedelta(minutes=20)  # after the close, until a bar is final
KILLS = 50
LATENCY = 0.8
POINTS = ("fetch", "copy", "publish")
VICTIMS = ("worker", "valkey", "source")
EXAM, HALF_DAY = date(2025, 11, 13), date(2025, 11, 7)
SUMMER_TIME_ENDS = date(2025, 11, 2)
OLD = weekdays(date(2025, 10, 13), 13)  # history before the run
DAYS = weekdays(date(2025, 10, 30), 19)  # sessions of both markets, no holiday among them
LAST = datetime(2025, 11, 26, tzinfo=UTC)
KOREAN = ["005930.KS", "000660.KS", "035420.KS", "069500.KS", "^KS11", "^KQ11"]
AMERICAN = ["AAPL", "NVDA", "TSLA", "MSFT", "SPY", "^GSPC", "^IXIC"]


def close_of(symbol: str, day: date) -> datetime:
    """When the session ends, as the exchanges and the override say it."""
    if symbol in KOREAN:
        hour, minute = (7, 30) if day == EXAM else (6, 30)
    elif day == HALF_DAY:
        hour, minute = 18, 0
    else:
        hour, minute = (20 if day < SUMMER_TIME_ENDS else 21), 0
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def price_of(symbol: str, day: date) -> float:
    """A final close: whole numbers that tell symbol and day apart."""
    return 1000.0 + 10 * ([*KOREAN, *AMERICAN].index(symbol)) + (day - OLD[0]).days


def listing(symbol: str) -> dict[str, Any]:
    """What the local Yahoo is told of a symbol."""
    days = [*OLD, *DAYS]
    bars = []
    for place, day in enumerate(days):
        close = price_of(symbol, day)
        bars.append([day.isoformat(), close, close, close, close, 1000 + place])
    closes = {day.isoformat(): close_of(symbol, day).timestamp() for day in days}
    return {"symbol": symbol, "fresh": True, "bars": bars, "closes": closes}


@dataclass
class Source:
    """The local Yahoo as a process that can be killed and comes back at the same address."""

    command: list[str]
    url: str
    journal: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline().decode().strip() == self.url

    def stop(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.communicate(timeout=10)

    def entries(self) -> list[dict[str, Any]]:
        """The journal; the last line may have been cut off by a kill."""
        found = []
        for line in self.journal.read_text(encoding="utf-8").splitlines():
            with suppress(json.JSONDecodeError):
                found.append(json.loads(line))
        return found


@contextmanager
def running_source(folder: Path, clock: str) -> Iterator[Source]:
    """The source with its listings, on a port of its own."""
    changes, journal, port = folder / "changes.json", folder / "journal.jsonl", free_port()
    changes.write_text(json.dumps([listing(symbol) for symbol in (*KOREAN, *AMERICAN)]))
    journal.touch()
    options = {
        "port": port,
        "latency": LATENCY,
        "clock": clock,
        "changes": changes,
        "journal": journal,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    source = Source(
        [sys.executable, "-m", "tests.fakes.yahoo", *words], f"http://127.0.0.1:{port}", journal
    )
    source.start()
    try:
        yield source
    finally:
        source.stop()


@dataclass
class Run:
    """A running installation, its database and what has been killed where."""

    site: Site
    source: Source
    superuser: Database
    broker_url: str
    chance: random.Random
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)

    def strike(self, victim: str) -> bool:
        if victim == "source":
            self.source.stop()
            self.source.start()
            return True
        if victim == "worker":
            return kill(self.site, "worker_process quick")
        return strike(self.site, "valkey-server")

    async def kill_in(self, point: str, victim: str) -> bool:
        """Waits for the point of some collection and kills there; False when none came."""
        wait = {"fetch": self._in_fetch, "copy": self._in_copy, "publish": self._in_publish}[point]
        with suppress(TimeoutError):
            async with asyncio.timeout(6):
                await wait(victim)
                self.struck[point, victim] += 1
                return True
        return False

    async def _in_fetch(self, victim: str) -> None:
        """A question has reached the source and is not answered yet."""
        seen = self.source.journal.stat().st_size
        while self.source.journal.stat().st_size == seen:
            await asyncio.sleep(0.005)
        await asyncio.sleep(self.chance.uniform(0, 0.9) * LATENCY)
        await self._until_struck(victim)

    async def _in_copy(self, victim: str) -> None:
        """A transaction has its rows staged and waits for the table."""
        async with self.superuser.write() as db:
            await db.execute(text("LOCK TABLE bar IN SHARE ROW EXCLUSIVE MODE"))
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while not await db.scalar(waiting):
                await asyncio.sleep(0.005)
            await self._until_struck(victim)

    async def _in_publish(self, victim: str) -> None:
        """The event of a stored collection is on its way; its job is not settled yet."""
        while True:
            with suppress(RedisError, OSError):
                async with Redis.from_url(self.broker_url) as client, client.pubsub() as listener:
                    await listener.subscribe(EVENTS)
                    async for message in listener.listen():
                        if message["type"] == "message" and b'"collected"' in message["data"]:
                            await self._until_struck(victim)
                            return
            await asyncio.sleep(0.05)

    async def _until_struck(self, victim: str) -> None:
        while not self.strike(victim):
            await asyncio.sleep(0.05)


@pytest.fixture
def clock() -> str:
    """All processes, those that are started again too, agree on it."""
    ready = Clock().now().timestamp() + 25  # the calendar and the first load take a while
    return f"{BEGIN.isoformat()}@{RATE}@{ready}"


async def override_half_day(url: str) -> None:
    """The operator's correction: New York closes at 13:00 on the half day."""
    query = """mutation($input: SessionOverrideInput!) {
        saveSessionOverride(input: $input) { mic day } }"""
    half = {"mics": ["XNYS", "XNAS", "ARCX"], "day": HALF_DAY.isoformat(), "closed": False}
    half |= {"reason": "half a day", "opens": "09:30", "closes": "13:00"}
    async with httpx.AsyncClient(base_url=url, timeout=10) as client:
        answer = await client.post("/graphql", json={"query": query, "variables": {"input": half}})
    assert answer.status_code == 200, answer.text
    assert "errors" not in answer.json(), answer.text


async def test_every_due_session_is_stored_exactly_once(tmp_path: Path, clock: str) -> None:
    command = ("-m", "tests.faults.fast_up")
    with running_source(tmp_path, clock) as source:
        settings = {
            "SISE_PRICE_SOURCE": "yahoo",
            "SISE_YAHOO_URL": source.url,
            "SISE_YAHOO_STREAM_URL": source.url.replace("http", "ws") + "/stream",
            "SISE_CLOCK": clock,
            "FAULTS_PACE": "fastest",
        }
        with running_site(command=command, **settings) as site:
            urls = find_running(site.data_dir)
            assert urls is not None
            superuser = Database(urls.superuser_url, pool_size=2)
            run = Run(site, source, superuser, urls.redis_url, random.Random(20251113))
            try:
                await override_half_day(site.url)
                end = await kill_until_the_end(run)
                await finished(superuser, end)
                await assert_stored_once(superuser, end)
                assert_asked_after_the_close(source.entries(), end)
            finally:
                await superuser.close()
    assert sum(run.struck.values()) >= KILLS, run.struck
    assert set(run.struck) == {(point, victim) for point in POINTS for victim in VICTIMS}


async def kill_until_the_end(run: Run) -> datetime:
    """Fifty kills, each point with each victim, spread over the sessions; the market's time then."""
    pairs = [(point, victim) for victim in VICTIMS for point in POINTS]
    while sum(run.struck.values()) < KILLS and now_of(run) < LAST:
        rarest = sorted(pairs, key=lambda pair: run.struck[pair])
        await run.kill_in(*run.chance.choice(rarest[:3]))
        await asyncio.sleep(run.chance.uniform(0, 0.3))
    while now_of(run) < END:
        await asyncio.sleep(1)
    return now_of(run)


def now_of(run: Run) -> datetime:
    """The time of the market."""
    words = run.source.command
    origin = float(words[words.index("--clock") + 1].split("@")[2])
    return BEGIN + timedelta(seconds=(Clock().now().timestamp() - origin) * RATE)


def due_until(end: datetime) -> set[tuple[str, date]]:
    """Symbols and days whose bars are final by then."""
    symbols = (*KOREAN, *AMERICAN)
    return {(s, day) for s in symbols for day in DAYS if close_of(s, day) + LAG <= end}


async def finished(superuser: Database, end: datetime, seconds: float = 180) -> None:
    """Waits until every day that was due by then is there."""
    due = due_until(end)
    query = text("SELECT symbol, day FROM bar WHERE day >= :first")
    stop = time.monotonic() + seconds
    while True:
        async with superuser.read() as db:
            rows = await db.execute(query, {"first": DAYS[0]})
        missing = due - {(row.symbol, row.day) for row in rows}
        if not missing:
            return
        if time.monotonic() > stop:
            async with superuser.read() as db:
                left = await db.execute(text("SELECT * FROM job WHERE done_at IS NULL"))
                raise AssertionError(f"not stored: {missing}; {left.mappings().all()}")
        await asyncio.sleep(0.2)


async def assert_stored_once(superuser: Database, end: datetime) -> None:
    """Final prices, none of them written twice, nothing held."""
    async with superuser.read() as db:
        bars = (await db.execute(text("SELECT symbol, day, close::float8 FROM bar"))).all()
        revised = (await db.execute(text("SELECT symbol, day, old FROM data_revision"))).all()
        held = (await db.execute(text("SELECT symbol, day, reason FROM quarantine"))).all()
    stored = {(row.symbol, row.day): row.close for row in bars}
    assert len(bars) == len(stored)
    assert set(stored) >= due_until(end) | {(s, d) for s in (*KOREAN, *AMERICAN) for d in OLD}
    assert stored == {(symbol, day): price_of(symbol, day) for symbol, day in stored}
    assert revised == []
    assert held == []


def assert_asked_after_the_close(entries: list[dict[str, Any]], end: datetime) -> None:
    """For each session there was an answer after its close and lag, and no storm of questions."""
    answered: dict[str, list[datetime]] = defaultdict(list)
    asked: Counter[str] = Counter()
    for entry in entries:
        if entry["interval"] == "1d":
            asked[entry["symbol"]] += entry["event"] == "asked"
            if entry["event"] == "answered" and entry["status"] == 200:
                answered[entry["symbol"]].append(datetime.fromisoformat(entry["now"]))
    for symbol in (*KOREAN, *AMERICAN):
        due = [close_of(symbol, day) + LAG for s, day in due_until(end) if s == symbol]
        assert max(answered[symbol]) >= max(due)
        # one a session, the first load, and what kills cost: never more than two each
        assert asked[symbol] <= len(DAYS) + 3 + 2 * KILLS, asked
    assert set(NAMES) | set(STAND_INS) >= set(AMERICAN) | set(KOREAN)
