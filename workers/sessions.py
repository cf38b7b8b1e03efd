"""`python -m workers.sessions`: makes the table of sessions in a process of its own and ends.

The calendar library brings pandas along; a worker that starts this as a child stays small.
"""

from __future__ import annotations

import asyncio
import sys

from app.config import Settings, load_settings
from app.env import open_env
from app.errors import AppError
from app.services.market.calendar_refresh import refresh_sessions
from app.telemetry import set_up_logging


async def refresh(settings: Settings) -> int:
    """Opens what a process needs, refreshes when it is due, closes; how many rows changed."""
    async with open_env(settings, application="sise-sessions", pool_size=1) as env:
        return await refresh_sessions(env)


def main() -> int:
    """The process: exit code 0, or 1 with the reason on standard error."""
    settings = load_settings()
    set_up_logging(settings.log_level)
    try:
        asyncio.run(refresh(settings))
    except AppError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
