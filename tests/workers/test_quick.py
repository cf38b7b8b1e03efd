"""The cron table of the quick queue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain import indicators
from workers import quick
from workers.match import match_tick
from workers.pace import Pace
from workers.quick import crons
from workers.tick import equity_tick, minute_tick


@pytest.mark.parametrize(
    ("every", "seconds"),
    [(None, {0}), (300.0, {0}), (60.0, {0}), (20.0, {0, 20, 40}), (1.0, set(range(60)))],
)
def test_a_shorter_interval_of_collections_ticks_more_often(env, every, seconds):
    env = replace(env, settings=replace(env.settings, collect_every=every))
    cron, equity, matching = crons(env, Pace())
    assert cron.second == seconds
    assert cron.coroutine is minute_tick
    assert cron.run_at_startup
    assert (equity.coroutine, equity.second) == (equity_tick, 30)
    assert (matching.coroutine, matching.second) == (match_tick, set(range(60)))


async def test_loops_are_compiled_apart_only_where_they_are_not_on_disk(env, monkeypatch):
    compiled: list[str] = []

    async def note(module: str) -> None:
        compiled.append(module)

    monkeypatch.setattr(quick, "compile_apart", note)
    indicators.warm_up()
    await quick.get_ready(env)
    assert compiled == []
    monkeypatch.setattr(indicators, "is_warm", lambda: False)
    await quick.get_ready(env)
    assert compiled == ["app.domain.indicators"]
