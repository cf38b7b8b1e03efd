"""The clock: the wall's, or moved and faster for tests."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from app.clock import Clock

START = datetime(2026, 1, 5, tzinfo=UTC)


def test_it_shows_the_time_of_the_wall_in_utc() -> None:
    before = datetime.fromtimestamp(time.time(), UTC)
    now = Clock().now()
    assert before <= now <= before + timedelta(minutes=1)
    assert now.tzinfo is UTC


def test_it_can_stand_somewhere_else() -> None:
    assert START <= Clock(start=START).now() < START + timedelta(minutes=1)


def test_it_can_run_faster() -> None:
    clock = Clock(start=START, rate=3600, _origin=time.time() - 2)
    assert clock.now() >= START + timedelta(hours=2)


def test_clocks_of_one_origin_agree() -> None:
    origin = time.time() - 100
    one, two = (Clock(start=START, rate=60, _origin=origin) for _ in range(2))
    assert abs(one.now() - two.now()) < timedelta(minutes=10)
