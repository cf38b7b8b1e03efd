"""`sise work`: a worker process for one queue."""

from __future__ import annotations

import argparse
import asyncio

from app.adapters.queue import QUEUES
from app.commands.reach import reached
from app.config import Settings
from workers.settings import run_worker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which queue."""
    parser.add_argument(
        "--queue", choices=tuple(QUEUES), default="quick", help="the queue (default: quick)"
    )


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Works until SIGINT or SIGTERM."""
    with reached(settings, start=False) as ready:
        asyncio.run(run_worker(options.queue, ready))
    return 0
