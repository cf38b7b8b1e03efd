"""The durations of a worker fit into one another."""

from __future__ import annotations

from workers.pace import Pace
from workers.settings import TIME_LIMITS


def test_the_deadline_of_a_try_lies_below_every_time_limit():
    assert Pace().deadline < min(TIME_LIMITS.values())


def test_nobody_is_given_up_for_dead_within_the_deadline():
    assert Pace().deadline < Pace().stale_after


def test_a_lost_job_is_back_within_two_minutes():
    assert Pace().requeue_after + 60 <= 120
    assert Pace().stale_after + 60 <= 120
