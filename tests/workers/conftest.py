"""A live installation at the end of the recorded prices: AAPL's last session, 2013-03-01, is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.env import Env
from app.services.settings import choose_source
from tests.clocks import at
from tests.factories import make_instrument, make_sessions, weekdays
from tests.fakes.yahoo import FakeYahoo
from workers.pace import Pace

LAST_DAY = date(2013, 3, 1)
EVENING = "2013-03-01T21:30"


@pytest.fixture
async def live(env: Env, yahoo: FakeYahoo) -> Env:
    """Half an hour after the close; AAPL is watched and has no bars yet."""
    await choose_source(env, "yahoo")
    await make_sessions(env, "XNAS", weekdays(date(2013, 2, 18), 15))
    await make_instrument(env, "AAPL")
    return at(env, EVENING)


@pytest.fixture
def ctx(live: Env) -> dict[str, Any]:
    """What arq hands to a function."""
    return context(live)


def context(env: Env, **pace: Any) -> dict[str, Any]:
    return {"env": env, "pace": replace(Pace(), **pace)}
