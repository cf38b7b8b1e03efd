"""`python -m workers.shelf`: compiles the loops of the backtests to disk, and tells the strategies.

The compiler is a hundred megabytes that a worker would keep until it ends; here they go with the
process.
"""

from __future__ import annotations

import asyncio
import sys

from app.config import Settings, load_settings
from app.domain.backtest.sweeping import is_warm, warm_up
from app.env import open_env
from app.errors import AppError
from app.services.backtest.strategy_shelf import set_up_shelf
from app.telemetry import set_up_logging


async def tell(settings: Settings) -> None:
    """Opens what a process needs, tells everybody which strategies there are, closes."""
    async with open_env(settings, application="sise-shelf", pool_size=1) as env:
        await set_up_shelf(env)


def main() -> int:
    """The process: exit code 0, or 1 with the reason on standard error."""
    settings = load_settings()
    set_up_logging(settings.log_level)
    try:
        asyncio.run(tell(settings))
        if not is_warm():
            warm_up()
    except AppError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
