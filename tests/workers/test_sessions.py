"""The process that makes the calendar, and what stays out of all the others."""

from __future__ import annotations

import os
import subprocess
import sys

from app.services.market import calendars
from workers.sessions import refresh


async def test_it_makes_the_table_and_does_nothing_the_second_time(env, settings):
    assert await refresh(settings) > 35_000
    assert not await calendars.is_due(env)
    assert await refresh(settings) == 0


def test_no_other_process_loads_pandas():
    code = (
        "import sys, workers.quick, app.services.market.markets, app.services.readiness;"
        "print({'pandas', 'exchange_calendars', 'alembic'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert run.stdout == "set()\n"
