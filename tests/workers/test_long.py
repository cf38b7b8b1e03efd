"""The cron table of the long queue."""

from __future__ import annotations

from workers.long import crons
from workers.pace import Pace
from workers.tick import appraisal_tick, audit_tick, calendar_tick, worth_tick


def test_the_calendar_is_looked_at_every_hour_and_at_the_start(env):
    cron = crons(env, Pace())[0]
    assert cron.coroutine is calendar_tick
    assert (cron.minute, cron.second, cron.hour) == (7, 0, None)
    assert cron.run_at_startup


def test_fundamentals_are_looked_at_every_quarter_of_an_hour(env):
    cron = crons(env, Pace())[1]
    assert cron.coroutine is appraisal_tick
    assert (cron.minute, cron.second, cron.hour) == ({12, 27, 42, 57}, 0, None)
    assert not cron.run_at_startup


def test_the_worth_of_signals_is_looked_at_every_minute(env):
    cron = crons(env, Pace())[2]
    assert cron.coroutine is worth_tick
    assert (cron.minute, cron.second) == (None, 40)


def test_stored_equity_is_looked_at_every_hour_for_what_was_not_for_a_day(env):
    cron = crons(env, Pace())[3]
    assert cron.coroutine is audit_tick
    assert (cron.minute, cron.second, cron.hour) == (22, 0, None)
