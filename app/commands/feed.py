"""`sise feed`: the process that brings live prices in."""

from __future__ import annotations

import argparse
import asyncio

from app.commands.reach import reached
from app.config import Settings
from workers.feed import run_feed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: everything is a setting."""
    parser.epilog = "Only one feed works at a time; a second one waits for the first to end."


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Feeds until SIGINT or SIGTERM."""
    del options
    with reached(settings, start=False) as ready:
        asyncio.run(run_feed(ready))
    return 0
