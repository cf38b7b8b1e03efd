"""The minute: ask calendars and tables what is due, open its jobs, and see that a worker has them.

Nothing is remembered between minutes, so a minute without a worker costs nothing but the delay.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Any, Final

from app.config import Settings
from app.env import Env
from app.errors import Unavailable
from app.services import metrics
from app.services.alerts import alert_watch, delivering
from app.services.backtest import backtest_repeats, backtests
from app.services.market import calendars, universe
from app.services.people import mails
from app.services.portfolio import equity, equity_audit, settling
from app.services.schedule import due, due_fundamentals, due_recommendations
from app.services.signals import signal_worth
from app.services.trading import corporate_actions
from app.services.work import jobs
from workers.pace import Pace
from workers.reconcile import reconcile

LOG: Final = logging.getLogger(__name__)
CALENDAR_LIMIT: Final = 300.0  # seconds; about 6 on a quiet machine
APPRAISAL_LIMIT: Final = 660.0  # seconds; it ends by itself after ten minutes


async def minute_tick(ctx: dict[str, Any]) -> None:
    """The cron job of the quick queue.

    Raises:
        Unavailable: database or broker do not answer; the next minute begins anew.
    """
    env: Env = ctx["env"]
    pace: Pace = ctx["pace"]
    async with asyncio.timeout(pace.deadline):
        await universe.mark_delisted(env)
        await due.open_due(env)
        await due_recommendations.open_due_recommendations(env)
        await settling.settle_due(env)
        await corporate_actions.book_actions(env, ctx.setdefault("actions", {}))
        await alert_watch.watch_freshness(env)
        await delivering.settle_notices(env)
        await jobs.forget_old(env)
        await mails.forget_ended(env)
        await backtests.fail_dead(env)
        await backtest_repeats.open_repeats(env)
        await reconcile(env, stale_after=pace.stale_after, requeue_after=pace.requeue_after)
        await metrics.show_freshness(env)
        await metrics.share_metrics(env, "quick")


async def equity_tick(ctx: dict[str, Any]) -> None:
    """The other cron job of the quick queue: daily equity of portfolios that have changed.

    Raises:
        Unavailable: the database does not answer; the next minute begins anew.
    """
    env: Env = ctx["env"]
    if count := await equity.refresh_equity(env):
        LOG.info("equity worked out", extra={"portfolios": count})
    await alert_watch.watch_drawdowns(env)


async def audit_tick(ctx: dict[str, Any]) -> None:
    """The hourly cron job of the long queue: looks at stored equity, each portfolio once a day.

    Raises:
        Unavailable: the database does not answer; the next hour begins anew.
    """
    if count := await equity_audit.audit_due(ctx["env"]):
        LOG.info("equity audited", extra={"portfolios": count})


async def calendar_tick(ctx: dict[str, Any]) -> None:
    """The hourly cron job of the long queue: has the sessions made anew when it is time.

    Raises:
        Unavailable: the calendar process failed; the next hour tries again.
    """
    env: Env = ctx["env"]
    if await calendars.is_due(env):
        await run_child(env.settings, "workers.sessions", CALENDAR_LIMIT)
        LOG.info("sessions made anew")


async def appraisal_tick(ctx: dict[str, Any]) -> None:
    """The quarter-hourly cron job of the long queue: has fundamentals asked for that are due.

    Raises:
        Unavailable: the process failed; the next quarter tries again.
    """
    env: Env = ctx["env"]
    if await due_fundamentals.list_due_fundamentals(env, 1):
        await run_child(env.settings, "workers.appraise", APPRAISAL_LIMIT)


async def worth_tick(ctx: dict[str, Any]) -> None:
    """The cron job of each minute of the long queue: the worth of signals after collections.

    Raises:
        Unavailable: the database does not answer; the next minute begins anew.
    """
    if await signal_worth.refresh_worth(ctx["env"]):
        LOG.info("worth of signals computed")


async def run_child(settings: Settings, module: str, limit: float) -> None:
    """Runs a module as a process of its own, for `limit` seconds; what it loads ends with it.

    Raises:
        Unavailable: the child failed, or took so long that it was killed.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        module,
        env=_environ(settings),
    )
    try:
        async with asyncio.timeout(limit):
            code = await child.wait()
    except TimeoutError as error:
        msg = "%(module)s was not ready within %(seconds)d seconds."
        raise Unavailable(msg, module=module, seconds=limit) from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if code != 0:
        msg = "%(module)s failed: exit code %(code)d."
        raise Unavailable(msg, module=module, code=code)


def _environ(settings: Settings) -> dict[str, str]:
    """The environment of a child that opens the same servers with the same secret."""
    servers = {
        "SISE_DATABASE_URL": settings.database_url or "",
        "SISE_REDIS_URL": settings.redis_url or "",
        "SISE_SECRET": settings.secret or "",
        "SISE_SECRET_FILE": str(settings.secret_file or ""),
    }
    return {**os.environ, **servers}
