"""The daily run of 5,000 symbols through a whole installation, at the rate that ships.

`python -m benchmarks.daily_run` starts `sise up` on the evening of a session, on a local Yahoo, and
loads the symbols as fast as it goes. Then it starts again a day later, just before the new session
counts (close + 20 minutes), with the settings as shipped and a Yahoo that takes 200 ms for an
answer. Both evenings are the clock's (`SISE_CLOCK`); measured are real seconds, from the session's
end until every symbol has its day and its indicators. Goals: 600 s; one question for each symbol.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import httpx
import polars as pl
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from app.clock import Clock
from app.db.engine import Database
from app.embedded import find_running
from benchmarks.first_load import TRACK, make_symbols, write_prices
from tests.fakes.yahoo import FakeYahoo
from tests.sites import Site, running_site, yahoo_process, yahoo_settings

BEFORE, DAY = date(2026, 1, 14), date(2026, 1, 15)
LEAD: Final = 60.0  # seconds until New York's session counts: its close + 20 minutes
STARTS_AT: Final = datetime(2026, 1, 15, 21, 19, tzinfo=UTC)
EVENING: Final = datetime(2026, 1, 14, 22, tzinfo=UTC)
DAYS: Final = 120
BATCH: Final = 500
GOAL: Final = 600.0
STATE: Final = text("""
    SELECT (SELECT count(*) FROM bar WHERE symbol LIKE 'B%Q' AND day = :day) AS stored,
           (SELECT count(*) FROM indicator_daily
            WHERE symbol LIKE 'B%Q' AND day = :day) AS analysed,
           (SELECT count(*) FROM job WHERE done_at IS NULL AND symbol LIKE 'B%Q') AS open,
           (SELECT count(*) FROM job WHERE state = 'FAILED' AND symbol LIKE 'B%Q') AS failed
""")


@contextmanager
def evening(
    folder: Path, listed: list[str], day: date, at: datetime, **settings: str
) -> Iterator[tuple[Site, FakeYahoo, float]]:
    """An installation on that evening, a Yahoo with prices up to the day, and when it began."""
    data = folder / str(day)
    data.mkdir()
    write_prices(data, listed, DAY, DAYS)
    bars = pl.read_parquet(data / "bars.parquet")
    bars.filter(pl.col("date") <= day).write_parquet(data / "bars.parquet")
    latency = 0.2 if day == DAY else 0.0
    with yahoo_process(latency=latency, data=str(data)) as yahoo:
        begin = Clock().now().timestamp()
        clock = f"{at.isoformat()}@1@{begin}"
        settings |= yahoo_settings(yahoo) | {"SISE_CLOCK": clock}
        command = ("-m", "app", "up")
        with running_site(
            data_dir=folder / "site", ready_in=120, command=command, **settings
        ) as site:
            yield site, yahoo, begin


async def wait(site: Site, symbols: list[str], day: date, begin: float, *, add: bool) -> float:
    """Until all have the day; the real seconds since `begin`, in UNIX seconds."""
    urls = find_running(site.data_dir)
    if urls is None:
        raise SystemExit("the embedded servers are not running")
    database = Database(urls.superuser_url, pool_size=1)
    try:
        if add:
            async with httpx.AsyncClient(base_url=site.url, timeout=60) as client:
                for first in range(0, len(symbols), BATCH):
                    some = {"symbols": symbols[first : first + BATCH]}
                    answer = await client.post("/graphql", json={"query": TRACK, "variables": some})
                    if "errors" in answer.json():
                        raise SystemExit(answer.text[:500])
        while True:
            async with database.read() as db:
                state = (await db.execute(STATE, {"day": day})).one()
            if state.failed:
                raise SystemExit(f"{state.failed} jobs failed")
            if state.stored == state.analysed == len(symbols) and not state.open:
                return Clock().now().timestamp() - begin
            await asyncio.sleep(0.5)
    finally:
        await database.close()


def main() -> None:
    """Prints the figures; ends with 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--symbols", type=int, default=5_000)
    symbols = make_symbols(parser.parse_args().symbols)
    listed, mine = ["AAPL", *symbols], set(symbols)
    with tempfile.TemporaryDirectory(prefix="sise-daily-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "site").mkdir()
        fast = {"SISE_REQUESTS_PER_MINUTE": "1000000"}
        with evening(folder, listed, BEFORE, EVENING, **fast) as (site, _, begin):
            loaded = asyncio.run(wait(site, symbols, BEFORE, begin, add=True))
        with evening(folder, listed, DAY, STARTS_AT) as (site, yahoo, begin):
            seconds = asyncio.run(wait(site, symbols, DAY, begin + LEAD, add=False))
            asked = sum(e["symbol"] in mine and "events" in e["query"] for e in yahoo.log())
    table = Table("figure", "value", "goal", "")
    met = seconds <= GOAL
    table.add_row(
        "daily run, seconds", f"{seconds:.0f}", f"≤ {GOAL:.0f}", "met" if met else "missed"
    )
    once = asked == len(symbols)
    table.add_row("questions", f"{asked:,}", f"{len(symbols):,}", "met" if once else "missed")
    table.add_row("start and first load before it, unlimited, seconds", f"{loaded:.0f}", "", "")
    Console(width=100).print(table)
    sys.exit(not (met and once))


if __name__ == "__main__":
    main()
