"""`python -m tests.faults.worker_process quick`: a worker whose minutes are seconds.

Settings come from the environment, as in the product. Once it works it prints one line.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from app.adapters.queue import QueueName
from app.config import load_settings
from app.errors import AppError
from app.telemetry import set_up_logging
from workers.pace import Pace
from workers.settings import run_worker

TICKS = frozenset(range(60))
FAST = Pace(requeue_after=1, tick_seconds=TICKS, deadline=18, stale_after=20)
FASTEST = Pace(
    requeue_after=1,
    tick_seconds=TICKS,
    deadline=8,
    stale_after=10,
    delays=(0.5, 1.0, 1.0, 2.0),
    late=(0.5, 1.0, 2.0),
)


def main(queue: QueueName) -> int:
    settings = load_settings()
    level = os.environ.get("FAULTS_LOG", "WARNING")
    set_up_logging(level)
    logging.getLogger("arq.worker").setLevel(level)
    pace = FASTEST if os.environ.get("FAULTS_PACE") == "fastest" else FAST
    try:
        asyncio.run(run_worker(queue, settings, pace))
    except AppError as error:
        print(error, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
