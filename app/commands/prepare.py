"""`sise prepare`: migrate, choose the price source, load first prices, compute indicators."""

from __future__ import annotations

import argparse
import asyncio

from app.commands.bars import Bars
from app.commands.chores import LazyChores
from app.commands.migrate import bring_up_to_date
from app.commands.reach import reached
from app.config import Settings
from app.env import Env, open_env
from app.errors import Unavailable
from app.services.setup import prepare


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: everything is a setting."""
    parser.epilog = "`sise up` does this first. What is there already is left as it is."


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Prepares, with a bar for each step."""
    del options
    with reached(settings) as ready, Bars() as bars:
        asyncio.run(_prepare(ready, bars))
    return 0


async def _prepare(settings: Settings, bars: Bars) -> None:
    bars.step("Database", 1)
    await bring_up_to_date(settings)
    bars.advance()
    async with open_env(settings, application="sise-prepare") as env:
        await _require_broker(env)
        await prepare(env, bars, LazyChores())


async def _require_broker(env: Env) -> None:
    """The processes would wait for it without end."""
    try:
        await env.bus.ping()
    except Unavailable as error:
        raise Unavailable("%(why)s Is SISE_REDIS_URL right?", why=error) from error
