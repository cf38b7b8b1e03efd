"""The long queue: what may take an hour: backtests, recommendations, the calendar, fundamentals."""

from __future__ import annotations

from typing import Final

from arq import cron, func
from arq.cron import CronJob
from arq.worker import Function

from app.env import Env
from workers.backtest import read_loops, run_backtest
from workers.pace import Pace
from workers.recommend import recommend_market
from workers.tick import appraisal_tick, audit_tick, calendar_tick, run_child, worth_tick

SHELF_LIMIT: Final = 600.0  # seconds; about 30 when nothing is compiled yet
FUNCTIONS: Final[tuple[Function, ...]] = (
    func(run_backtest, name="run_backtest"),
    func(read_loops, name="read_loops"),
    func(recommend_market, name="recommend_market"),
    func(calendar_tick, name="calendar_tick"),
    func(appraisal_tick, name="appraisal_tick"),
    func(worth_tick, name="worth_tick"),
)


def crons(_env: Env, _pace: Pace) -> list[CronJob]:
    """The hours, of which one also runs at the start, the quarter of an hour, and the minute."""
    return [
        cron(calendar_tick, minute=7, second=0, run_at_startup=True),
        cron(appraisal_tick, minute={12, 27, 42, 57}, second=0),
        cron(worth_tick, second=40),
        cron(audit_tick, minute=22, second=0),
    ]


async def get_ready(env: Env) -> None:
    """Has the loops of the backtests compiled and the strategies told.

    Raises:
        Unavailable: the process failed; it has said why.
    """
    await run_child(env.settings, "workers.shelf", SHELF_LIMIT)
