"""Feed processes that are killed: another one takes over, and never do two publish."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from app.adapters.bus import QUOTES
from app.config import Settings
from app.domain.quotes import Quote, QuoteState, quotes_from_json
from app.env import Env
from tests.broker import until
from tests.factories import make_bars, make_instrument, make_sessions

pytestmark = pytest.mark.faults
ROOT = Path(__file__).resolve().parents[2]
STEP = 0.25


class FeedProcess:
    """`sise feed` as a process; its log says when it leads."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._log = log
        variables = {
            "SISE_DATABASE_URL": str(settings.database_url),
            "SISE_REDIS_URL": str(settings.redis_url),
            "SISE_SECRET": str(settings.secret),
            "SISE_YAHOO_STREAM_URL": settings.yahoo_stream_url,
            "SISE_REPLAY_STEP": str(STEP),
        }
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "feed"],
                cwd=ROOT,
                env=os.environ | variables,
                stderr=out,
            )

    @property
    def leads(self) -> bool:
        """Whether it has the lock."""
        return "this process is the feed" in self._log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """SIGKILL, and waits for the end."""
        self.process.kill()
        self.process.wait(10)


@contextmanager
def feeds(settings: Settings, folder: Path, count: int) -> Iterator[list[FeedProcess]]:
    """So many feed processes."""
    started = [FeedProcess(settings, folder / f"feed-{i}.log") for i in range(count)]
    try:
        yield started
    finally:
        for feed in started:
            feed.kill()


@pytest.fixture
async def recorded(sample_env: Env) -> Env:
    """AAPL with 200 recorded days whose prices all differ, and the sample chosen."""
    await make_instrument(sample_env, "AAPL")
    days = await make_bars(sample_env, "AAPL", [100 + 5 * i for i in range(200)])
    await make_sessions(sample_env, "XNAS", days)
    return sample_env


@asynccontextmanager
async def hearing(env: Env) -> AsyncIterator[list[Quote]]:
    """The replayed quotes heard since the block began."""
    heard: list[Quote] = []

    async def listen(messages: AsyncIterator[tuple[str, bytes]]) -> None:
        async for _, data in messages:
            heard.extend(q for q in quotes_from_json(data) if q.state is QuoteState.REPLAY)

    async with env.bus.listen(QUOTES) as messages:
        listening = asyncio.create_task(listen(messages))
        yield heard
        listening.cancel()
        await asyncio.wait({listening})


def places(quotes: list[Quote]) -> list[tuple[str, int]]:
    """Day and price: later ticks of a day differ in price, and bars rise from day to day."""
    return [(quote.day.isoformat(), int(quote.price)) for quote in quotes]


async def test_of_two_processes_exactly_one_publishes(recorded: Env, tmp_path: Path):
    with feeds(recorded.settings, tmp_path, 2) as (one, two):
        await until(lambda: one.leads or two.leads)
        begun = time.monotonic()
        async with hearing(recorded) as heard:
            await until(lambda: len(heard) >= 12)
            seconds = time.monotonic() - begun
        assert one.leads != two.leads
        assert len(heard) <= seconds / STEP + 2
        assert len(set(places(heard))) == len(heard)


async def test_after_kill_9_the_second_takes_over_and_goes_on(
    recorded: Env, tmp_path: Path, full: bool
):
    with feeds(recorded.settings, tmp_path, 2) as (one, two):
        await until(lambda: one.leads or two.leads)
        active, waiting = (one, two) if one.leads else (two, one)
        async with hearing(recorded) as heard:
            await until(lambda: len(heard) >= 4)
            active.kill()
            killed = time.monotonic()
            before = len(heard)
            await until(lambda: waiting.leads and len(heard) >= before + 4)
            assert not full or time.monotonic() - killed < 20
        days = [quote.day for quote in heard]
        assert all(early <= late for early, late in pairwise(days))


async def test_a_lone_feed_survives_a_flushed_broker(recorded: Env, tmp_path: Path):
    with feeds(recorded.settings, tmp_path, 1) as (one,):
        await until(lambda: one.leads)
        async with hearing(recorded) as heard:
            await until(lambda: len(heard) >= 2)
            await recorded.bus._redis.flushall()
            await until(lambda: len(heard) >= 8)
        assert len(set(places(heard))) == len(heard)
        assert set(await recorded.bus.kept(QUOTES)) == {"AAPL"}
        assert one.process.poll() is None


async def test_a_feed_ends_at_once_when_it_is_told_to(recorded: Env, tmp_path: Path):
    with feeds(recorded.settings, tmp_path, 1) as (one,):
        await until(lambda: one.leads)
        one.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(one.process.wait, 10)
