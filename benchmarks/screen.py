"""The screener and the signals of 5,000 instruments beside their goals.

`python -m benchmarks.screen` starts a throwaway server, fills the newest figures of 5,000
instruments and screens them: a preset, a filter of six terms, everything sorted; each with its
count. Goal: 100 ms. Then the signals: those of ten years of 5,000 instruments, and what they add to
the work of a collection, which is to compute a tail and to store a row in the transaction of the
indicators, for each of them. Goals: 5 s of CPU in this process, 1 GB.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from app.config import load_settings
from app.db.migrate import migrate
from app.domain.screening import ScreenPreset, Term
from app.domain.signal_series import INPUTS, compute_signals
from app.domain.signals import VoteIndicator
from app.embedded import EmbeddedServers, Urls
from app.env import Env, open_env
from app.services.analysis import WARM_UP, write_signals
from app.services.screening.hits import Screen, count_hits, list_hits
from app.services.settings import choose_source

INSTRUMENTS, SESSIONS = 5_000, 2_520
ROUNDS = 15
SCREEN_GOAL, CPU_GOAL, MEMORY_GOAL = 100.0, 5.0, 1024.0  # ms, s, MiB
DAY = date(2026, 1, 15)
SCREENS = {
    "preset OVERSOLD": Screen(ScreenPreset.OVERSOLD),
    "six terms, by RSI": Screen(
        None,
        (
            (Term("rsi_14", 20, 60), Term("stochastic_k", high=30)),
            (Term("sector", words=("Sector 1", "Sector 2", "Sector 3")),),
            (Term("change", low=-0.02),),
            (Term("trailing_pe", high=25), Term("dividend_yield", low=0.02)),
        ),
        "rsi_14",
        descending=True,
    ),
    "everything, by market value": Screen(sort="market_cap", descending=True),
}
FILL = (
    """INSERT INTO instrument (symbol, name, mic, currency, kind, sector, added_at)
    SELECT 'B' || n || 'Q', 'Share ' || n, 'XNAS', 'USD', 'EQUITY', 'Sector ' || n % 11, now()
    FROM generate_series(1, :count) AS n""",
    """INSERT INTO screen_row (symbol, day, close, volume, change, rsi_14, stochastic_k, from_high,
        volume_ratio, band_position, strength, market_cap, trailing_pe, dividend_yield)
    SELECT 'B' || n || 'Q', :day, 1 + 500 * random(), 1e6 * random(), random() / 10 - 0.05,
        100 * random(), 100 * random(), -random(), 3 * random(), random(), n % 5 - 2,
        1e12 * random(), 60 * random(), random() / 10
    FROM generate_series(1, :count) AS n""",
)


async def screens(env: Env, table: Table) -> bool:
    """Median milliseconds of a page of hits with its count."""
    async with env.db.write() as db:
        for statement in FILL:
            await db.execute(text(statement), {"count": INSTRUMENTS, "day": DAY})
        await db.execute(text("ANALYZE instrument, screen_row"))
    met = True
    for name, screen in SCREENS.items():
        taken = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            await list_hits(env, screen)
            found = await count_hits(env, screen)
            taken.append((time.perf_counter() - begun) * 1000)
        good = median(taken) <= SCREEN_GOAL
        met &= good
        told = f"{median(taken):.1f} ms, best {min(taken):.1f} ({found:,} hits)"
        table.add_row(f"screen: {name}", told, f"≤ {SCREEN_GOAL:.0f} ms", verdict(good))
    return met


async def collection(env: Env, table: Table) -> bool:
    """CPU seconds of what a collection of every instrument adds: tails computed, rows stored."""
    daily = random_indicators(WARM_UP + 31)
    days = pl.DataFrame({"day": [DAY]})
    begun = time.process_time()
    async with env.db.write() as db:
        for number in range(1, INSTRUMENTS + 1):
            signals = compute_signals(daily, VoteIndicator.MACD_CROSS).tail(1)
            await write_signals(db, f"B{number}Q", days.tail(1).hstack(signals), DAY)
    seconds = time.process_time() - begun
    good = seconds <= CPU_GOAL
    table.add_row("signals after a collection", f"{seconds:.1f} s CPU", "≤ 5 s CPU", verdict(good))
    return good


def whole(table: Table) -> bool:
    """CPU seconds and memory of all signals of ten years."""
    daily = random_indicators(SESSIONS)
    begun = time.process_time()
    for _ in range(INSTRUMENTS):
        compute_signals(daily, VoteIndicator.MACD_CROSS)
    seconds = time.process_time() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    good = seconds <= CPU_GOAL and memory <= MEMORY_GOAL
    told = f"{seconds:.1f} s CPU, {memory:.0f} MiB at most"
    table.add_row("signals of ten years, computed", told, "≤ 5 s, ≤ 1,024 MiB", verdict(good))
    return good


def random_indicators(rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    columns = rng.uniform(0, 100, rows), rng.uniform(0, 100, rows), rng.normal(size=rows)
    return pl.DataFrame(dict(zip(INPUTS, columns, strict=True)))


def verdict(good: bool) -> str:  # noqa: FBT001
    return "met" if good else "missed"


async def measure(urls: Urls, table: Table) -> bool:
    await migrate(urls.migration_url, urls.database_url)
    settings = load_settings(
        {
            "SISE_DATABASE_URL": urls.database_url,
            "SISE_REDIS_URL": urls.redis_url,
            "SISE_SECRET": "6f1d0c5b2a9e8f7746352413029af8be",
        }
    )
    async with open_env(settings, application="bench") as env:
        await choose_source(env, "yahoo")
        met = await screens(env, table)
        return await collection(env, table) and met


def main() -> None:
    """Prints the figures; ends with 1 when a goal is missed."""
    table = Table("figure", "value", "goal", "")
    with tempfile.TemporaryDirectory(prefix="sise-screen-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with EmbeddedServers(folder, fsync=False) as urls:
            met = asyncio.run(measure(urls, table))
    met &= whole(table)
    Console(width=110).print(table)
    sys.exit(not met)


if __name__ == "__main__":
    main()
