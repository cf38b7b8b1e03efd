"""Live push inside the process: quotes on the bus to N subscribers of the hub, and a bare fan-out.

`python -m benchmarks.push` starts throwaway servers and publishes batches of quotes at the pace of
the product (four deltas a second). `hub` is `QuoteHub.frames` with all that stands behind it: the
bus, JSON, the judgement by market hours, conflation, mailboxes, the rendered frame. `bare` is the
least that asyncio can do for N readers: an event each, one object for all. Rounds are interleaved,
the figure is CPU time a delivery. What a socket and the schema cost comes on top of both.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median

import psutil
from rich.console import Console
from rich.table import Table

from app.adapters.bus import QUOTES
from app.config import load_settings
from app.db.migrate import migrate
from app.domain.quotes import Quote, QuoteSource, QuoteState, quotes_to_json
from app.embedded import EmbeddedServers
from app.env import Env, open_env
from app.services.feed.fan_out import INTERVAL
from app.services.feed.live import QuoteHub

SYMBOLS = [f"S{number:02}" for number in range(30)]
PACE = INTERVAL * 1.2  # a little slower than the conflation, so that every batch is a delta
STALLED, TICKS = 20, 30_000


class Readers:
    """Counts what N readers receive."""

    def __init__(self) -> None:
        self.received = 0

    async def have(self, count: int) -> None:
        """Returns when so many items have been received."""
        while self.received < count:  # noqa: ASYNC110 - an event would cost CPU time a delivery
            await asyncio.sleep(0.01)


def message(env: Env, number: int) -> bytes:
    """Quotes of all symbols whose prices differ from those of the batch before."""
    at = env.clock.now() + timedelta(microseconds=number)
    price = Decimal(100 + number)
    return quotes_to_json(
        Quote(s, price, Decimal(100), at, at.date(), QuoteSource.YAHOO, QuoteState.LIVE)
        for s in SYMBOLS
    )


@asynccontextmanager
async def hub_readers(
    env: Env, count: int, readers: Readers
) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
    """N subscribers of a hub; what is called publishes a batch on the bus."""
    hub = QuoteHub(env)

    async def read() -> None:
        async for _ in hub.frames(SYMBOLS):
            readers.received += 1

    async with hub.running(), asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(read()) for _ in range(count)]
        await readers.have(count)  # the snapshots
        yield lambda data: env.bus.publish(QUOTES, data)
        for task in running:
            task.cancel()


@asynccontextmanager
async def bare_readers(
    env: Env, count: int, readers: Readers
) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
    """N tasks with an event each; what is called hands them one object."""
    del env
    events = [asyncio.Event() for _ in range(count)]
    shared: list[bytes] = [b""]

    async def read(event: asyncio.Event) -> bytes:
        while True:
            await event.wait()
            event.clear()
            readers.received += 1
            if not shared[0]:
                return shared[0]

    async def hand_out(data: bytes) -> None:
        shared[0] = data
        for event in events:
            event.set()

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(read(event)) for event in events]
        yield hand_out
        for task in running:
            task.cancel()


KINDS = {"bare": bare_readers, "hub": hub_readers}


async def measure(env: Env, kind: str, count: int, batches: int) -> float:
    """Microseconds of CPU a delivery."""
    readers = Readers()
    async with KINDS[kind](env, count, readers) as send:
        messages = [message(env, number) for number in range(batches)]
        before, cpu = readers.received, time.process_time()
        for data in messages:
            await send(data)
            await asyncio.sleep(PACE)
        await readers.have(before + count * batches)
        return 1e6 * (time.process_time() - cpu) / (readers.received - before)


async def stalled_growth(env: Env) -> tuple[int, float]:
    """Values that stalled subscribers hold after many ticks, and the growth in MB."""
    hub = QuoteHub(env)
    async with hub.running():
        stalled = [hub.frames(SYMBOLS) for _ in range(STALLED)]
        for frames in stalled:
            await anext(frames)
        begun = resident()
        for number in range(TICKS // len(SYMBOLS)):
            await env.bus.publish(QUOTES, message(env, number))
        await asyncio.sleep(2 * INTERVAL)
        grown = resident() - begun
        held = [len((await anext(frames))["symbol"]) for frames in stalled]
        for frames in stalled:
            await frames.aclose()
    return max(held), grown


def resident() -> float:
    """Resident memory of this process in MB."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 2**20


async def run(counts: list[int], rounds: int, batches: int) -> None:
    console = Console()
    table = Table(title=f"Live push: CPU µs a delivery, {len(SYMBOLS)} symbols, {rounds} rounds")
    for heading in ("subscribers", "bare", "hub", "hub / bare"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory(prefix="sise-", dir="/tmp") as short:
        servers = EmbeddedServers(Path(short), fsync=False)
        urls = servers.start()
        try:
            await migrate(urls.migration_url, urls.database_url)
            settings = load_settings(
                {
                    "SISE_DATABASE_URL": urls.database_url,
                    "SISE_REDIS_URL": urls.redis_url,
                    "SISE_SECRET": secrets.token_hex(),
                }
            )
            async with open_env(settings, application="sise-bench") as env:
                for count in counts:
                    figures: dict[str, list[float]] = {kind: [] for kind in KINDS}
                    for _ in range(rounds):
                        for kind, values in figures.items():
                            values.append(await measure(env, kind, count, batches))
                    bare, hub = median(figures["bare"]), median(figures["hub"])
                    row = (f"{count:,}", f"{bare:.2f}", f"{hub:.2f}", f"{hub / bare:.1f}")
                    table.add_row(*row)
                console.print(table)
                held, grown = await stalled_growth(env)
        finally:
            servers.stop()
    console.print(
        f"{STALLED} stalled subscribers, {TICKS:,} ticks: each holds {held} values, "
        f"the process grew by {grown:.1f} MB (goal: at most 5)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=6)
    options = parser.parse_args()
    asyncio.run(run(options.subscribers, options.rounds, options.batches))


if __name__ == "__main__":
    main()
