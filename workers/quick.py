"""The quick queue: collections, analyses, cross-checks, alerts, mail, the minute, paper orders."""

from __future__ import annotations

from typing import Final

from arq import cron, func
from arq.cron import CronJob
from arq.worker import Function

from app.domain import indicators
from app.env import Env
from workers.alert import watch_instrument
from workers.analyse import analyse_instrument
from workers.check import check_instrument
from workers.collect import collect_instrument
from workers.compiling import compile_apart
from workers.mail import send_mail
from workers.match import match_tick
from workers.notify import notify_channel
from workers.pace import Pace
from workers.tick import equity_tick, minute_tick

FUNCTIONS: Final[tuple[Function, ...]] = (
    func(collect_instrument, name="collect_instrument"),
    func(analyse_instrument, name="analyse_instrument"),
    func(watch_instrument, name="watch_instrument"),
    func(check_instrument, name="check_instrument"),
    func(notify_channel, name="notify_channel"),
    func(send_mail, name="send_mail"),
)


def crons(env: Env, pace: Pace) -> list[CronJob]:
    """The minute, which also runs at the start; more often when collections are to be closer.

    Equity follows half a minute later, when what was due has begun; orders have seconds of their
    own.
    """
    every = int(env.settings.collect_every or 60)
    seconds = set(pace.tick_seconds) | set(range(0, 60, every))
    table = [
        cron(minute_tick, second=seconds, run_at_startup=True),
        cron(equity_tick, second=30, run_at_startup=True),
    ]
    if pace.match_seconds:
        table.append(cron(match_tick, second=set(pace.match_seconds)))
    return table


async def get_ready(_env: Env) -> None:
    """Has the loops of the indicators compiled where they are not on disk."""
    if not indicators.is_warm():
        await compile_apart(indicators.__name__)
