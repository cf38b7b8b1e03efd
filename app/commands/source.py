"""`sise source`: switch where prices come from, for the installation or for some instruments."""

from __future__ import annotations

import argparse
import asyncio
import sys

from app.commands.bars import Bars
from app.commands.chores import LazyChores
from app.commands.migrate import bring_up_to_date
from app.commands.reach import reached
from app.config import LIVE_SOURCES, Settings
from app.env import open_env
from app.errors import BadInput
from app.services.collect.back_up import use_source
from app.services.collect.source_switch import switch_source
from app.services.market.instruments import TITLES
from app.services.readiness import is_worker_alive
from app.services.settings import SOURCES
from app.services.setup import prepare


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which source, and of which instruments."""
    names = tuple(dict.fromkeys((*SOURCES, *LIVE_SOURCES)))
    parser.add_argument("name", choices=names, help="where prices shall come from")
    parser.add_argument(
        "symbols", nargs="*", metavar="SYMBOL", help="these alone, by a source of their order"
    )
    parser.epilog = "All stored prices of the other source are replaced: rows are never joined."


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Switches, and loads the new prices unless workers that run now do.

    Raises:
        BadInput: without symbols, a source that is none of a whole installation.
    """
    if not options.symbols and options.name not in SOURCES:
        msg = "%(name)s is a source of single instruments: `sise source %(name)s SYMBOL`"
        raise BadInput(msg, field="name", name=options.name)
    with reached(settings) as ready:
        if options.symbols:
            return asyncio.run(_use(ready, options.name, options.symbols))
        sys.stdout.write(f"{asyncio.run(_switch(ready, options.name))}\n")
    return 0


async def _switch(settings: Settings, name: str) -> str:
    await bring_up_to_date(settings)
    title = TITLES[name]
    async with open_env(settings, application="sise-source") as env:
        if not await switch_source(env, name):
            return f"{title} is in use already."
        if await is_worker_alive(env, "quick"):
            return f"{title} is in use now. The workers are collecting its prices."
        with Bars() as bars:
            await prepare(env, bars, LazyChores())
        return f"{title} is in use now."


async def _use(settings: Settings, provider: str, symbols: list[str]) -> int:
    """A line for each instrument; 1 when the prices of one were not taken."""
    await bring_up_to_date(settings)
    code = 0
    async with open_env(settings, application="sise-source") as env:
        for symbol in symbols:
            outcome = await use_source(env, symbol, provider)
            taken = outcome.outcome != "HELD"
            code = code if taken else 1
            told = f"{outcome.bars} rows of {TITLES[provider]}" if taken else outcome.detail
            sys.stdout.write(f"{outcome.symbol}: {told}\n")
    return code
