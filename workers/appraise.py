"""`python -m workers.appraise`: asks for the fundamentals that are due, in a process of its own.

yfinance brings pandas along; a worker that starts this as a child stays small. The child asks one
company after the other, with a fifth of the rate that the host may be asked at, and ends when none
is due, when the host wants to be left alone, or after `LONGEST`. The next one goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from dataclasses import replace
from typing import Final

from app.adapters.politeness import wait_at_most
from app.adapters.worker_sources import make_worker_sources
from app.config import Settings, load_settings
from app.env import Env, open_env
from app.errors import AppError, NotFound
from app.services.collect.fundamentals import appraise
from app.services.schedule.due_fundamentals import list_due_fundamentals
from app.telemetry import set_up_logging

LONGEST: Final = 600.0  # seconds
AT_ONCE: Final = 50  # symbols that are looked up together
SHARE: Final = 5  # one in so many questions of the rate
TURN: Final = 120.0  # seconds that a question waits for its turn, or for a host that rests

_log = logging.getLogger(__name__)


async def appraise_due(env: Env) -> int:
    """Asks for all that is due; of how many companies a snapshot was appended.

    Raises:
        Unavailable: the database does not answer.
    """
    stored, failed = 0, set[str]()
    while True:
        due = await list_due_fundamentals(env, AT_ONCE + len(failed))
        waiting = [symbol for symbol in due if symbol not in failed]
        if not waiting:
            return stored
        for symbol in waiting:
            try:
                outcome = await appraise(env, symbol)
            except NotFound:  # removed meanwhile
                continue
            if outcome is None or outcome.outcome == "RATE_LIMITED":
                return stored
            stored += outcome.outcome == "STORED"
            if outcome.outcome == "SOURCE_DOWN":
                failed.add(symbol)
                if _is_closed(env):
                    return stored


def _is_closed(env: Env) -> bool:
    """Whether a host has stopped answering."""
    states = (source.state() for source in env.sources.values())
    return any(state is not None and state.closed_until is not None for state in states)


async def work(settings: Settings) -> None:
    """Opens what the process needs, asks for at most `LONGEST`, closes."""
    slow = replace(settings, requests_per_minute=settings.requests_per_minute // SHARE or 1)
    async with open_env(
        slow, application="sise-appraise", pool_size=1, sources_of=make_worker_sources
    ) as env:
        try:
            with wait_at_most(TURN):
                async with asyncio.timeout(LONGEST):
                    stored = await appraise_due(env)
        except TimeoutError:
            _log.info("fundamentals go on with the next quarter of an hour")
        else:
            _log.info("fundamentals", extra={"stored": stored})


def main() -> int:
    """The process: exit code 0, or 1 with the reason on standard error."""
    settings = load_settings()
    set_up_logging(settings.log_level)
    try:
        asyncio.run(work(settings))
    except AppError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
