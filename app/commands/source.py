"""`sise source`: switch the price source, which drops the prices of the other one."""

from __future__ import annotations

import argparse
import asyncio
import sys

from app.commands.bars import Bars
from app.commands.chores import LazyChores
from app.commands.migrate import bring_up_to_date
from app.commands.reach import reached
from app.config import Settings
from app.env import open_env
from app.services.instruments import TITLES
from app.services.readiness import is_worker_alive
from app.services.settings import SOURCES
from app.services.setup import prepare
from app.services.source_switch import switch_source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which source."""
    parser.add_argument("name", choices=SOURCES, help="where prices shall come from")
    parser.epilog = "All stored prices of the other source are dropped: rows are never joined."


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Switches, and loads the new prices unless workers that run now do."""
    with reached(settings) as ready:
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
