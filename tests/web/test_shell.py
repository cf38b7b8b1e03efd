"""What every page needs before its own document."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from app.clock import Clock
from app.errors import Unavailable
from app.graphql.context import Context
from app.services.feed.live import QuoteHub
from app.web.render import Shell
from app.web.shell import find_shell, load_shell, newest_day, nodes, translator
from tests.clocks import at
from tests.factories import make_sessions, weekdays
from tests.serving import asgi_client
from tests.web.pages import choose_source, make_market
from tests.web.test_render import request


def context(env) -> Context:
    return Context(env, QuoteHub(env), operator=True)


async def test_a_live_source_is_not_historic(env):
    await choose_source(env, "yahoo")
    shell = await load_shell(context(env))
    assert (shell.source_title, shell.historic, shell.replay_day) == ("Yahoo Finance", False, None)


async def test_the_clocks_are_those_of_seoul_and_new_york_with_their_next_change(env):
    await choose_source(env, "yahoo")
    days = weekdays(date(2026, 1, 5), 5)
    await make_sessions(env, "XKRX", days, opens=0, closes=6)
    await make_sessions(env, "XNYS", days)
    shell = await load_shell(context(at(env, "2026-01-05T15:00")))
    assert shell.now == "2026-01-05T15:00:00+00:00"
    assert shell.clocks == (
        {"zone": "Asia/Seoul", "open": False, "change": "2026-01-06T00:00:00Z"},
        {"zone": "America/New_York", "open": True, "change": "2026-01-05T21:00:00Z"},
    )


async def test_a_recorded_source_has_the_day_that_is_replayed(env):
    await make_market(env, "sample")
    shell = await load_shell(context(env))
    assert shell.historic
    assert shell.replay_day is not None
    assert newest_day(context(env), shell) == date.fromisoformat(shell.replay_day)


async def test_before_the_first_choice_there_is_no_shell_but_for_failures(env, settings):
    with pytest.raises(Unavailable):
        await load_shell(context(env))
    async with asgi_client(settings) as client:
        asked = request()
        asked.scope["app"] = client.app
        assert await find_shell(asked) == Shell()


def test_the_newest_day_is_that_of_the_easternmost_market():
    clock = Clock(start=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    late = SimpleNamespace(env=SimpleNamespace(clock=clock))
    assert newest_day(late, Shell()) == date(2026, 11, 23)


def test_rows_are_the_nodes_of_the_edges():
    assert nodes({"edges": [{"node": {"a": 1}}, {"node": {"a": 2}}]}) == [{"a": 1}, {"a": 2}]


def test_messages_are_in_the_language_of_the_request():
    assert translator(request(accept_language="ko"))("Dashboard") == "현황"
    assert translator(request())("Dashboard") == "Dashboard"
