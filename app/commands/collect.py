"""`sise collect`: bring prices up to date now, for some instruments or for all."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Final

from app.commands.bars import Bars
from app.commands.migrate import bring_up_to_date
from app.commands.reach import reached
from app.config import Settings
from app.env import Env, open_env
from app.errors import AppError
from app.services.collect.collections import collect_symbol
from app.services.market.instruments import check_symbol, list_instruments
from app.services.paging import MAX_ROWS
from app.services.settings import SOURCE_KEY, find_setting
from app.services.signals.analysis import analyse

AT_ONCE: Final = 4  # instruments
NO_SOURCE: Final = (
    "No price source has been chosen yet. The first `sise up` chooses one; `sise source yahoo` or "
    "`sise source sample` does it now."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which instruments."""
    parser.add_argument("symbols", nargs="*", metavar="SYMBOL", help="all watched ones without any")


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Collects and computes; 1 when any instrument failed."""
    with reached(settings) as ready:
        failures = asyncio.run(_collect(ready, options.symbols))
    for line in failures:
        sys.stderr.write(f"{line}\n")
    return 1 if failures else 0


async def _collect(settings: Settings, wanted: list[str]) -> list[str]:
    """Lines about what failed; each instrument stands for itself."""
    symbols = list(dict.fromkeys(check_symbol(symbol) for symbol in wanted))
    await bring_up_to_date(settings)
    failures: list[str] = []
    limit = asyncio.Semaphore(AT_ONCE)
    async with open_env(settings, application="sise-collect") as env:
        if await find_setting(env, SOURCE_KEY) is None:
            return [NO_SOURCE]
        symbols = symbols or await _watched(env)
        with Bars() as bars:
            bars.step("Prices and indicators", len(symbols))

            async def one(symbol: str) -> None:
                async with limit:
                    if (line := await _collect_one(env, symbol)) is not None:
                        failures.append(line)
                bars.advance()

            async with asyncio.TaskGroup() as group:
                for symbol in symbols:
                    group.create_task(one(symbol))
    return failures


async def _watched(env: Env) -> list[str]:
    symbols: list[str] = []
    after: str | None = None
    while True:
        page = await list_instruments(env, first=MAX_ROWS, after=after)
        symbols += [row.symbol for row in page.rows]
        if not page.has_next:
            return symbols
        after = page.cursors[-1]


async def _collect_one(env: Env, symbol: str) -> str | None:
    try:
        outcome = await collect_symbol(env, symbol)
        if outcome.ok:
            await analyse(env, symbol)
            return None
    except AppError as error:
        return f"{symbol}: {error}"
    return f"{symbol}: {outcome.detail or outcome.outcome}"
