"""Manners towards a host, on a clock that only pauses move: tokens, waits, pauses, the breaker."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, cast

import pytest

from app.adapters.politeness import Politeness, read_wait, wait_at_most
from app.adapters.prices import NoData, RateLimited, SourceDown
from app.adapters.sources import Hosts
from app.clock import Clock
from app.config import load_settings

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
DOWN = SourceDown("no answer")


class World:
    """A clock, `rate` times as fast as life, which a pause of real seconds moves."""

    def __init__(self, rate: float = 1.0) -> None:
        self.rate = rate
        self.real = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.real * self.rate)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.real += seconds
        await asyncio.sleep(0)

    def host(self, **choices: Any) -> Politeness:
        return Politeness(now=self.now, rate=self.rate, sleep=self.sleep, **choices)


class Server:
    """Gives the answers in turn, the last one for ever; counts the tries."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.tries = 0

    async def __call__(self) -> Any:
        self.tries += 1
        await asyncio.sleep(0)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def world() -> World:
    return World()


async def test_after_the_burst_questions_are_spread_over_the_minute(world: World) -> None:
    host, server = world.host(per_minute=60, burst=10), Server("prices")
    for _ in range(40):
        assert await host.ask(server) == "prices"
    assert world.real == pytest.approx(30)
    assert server.tries == 40


async def test_those_who_wait_together_are_served_one_after_the_other() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    host = Politeness(now=lambda: BEGIN, per_minute=60, burst=1, sleep=sleep)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(host.ask(Server("prices")))
    assert slept == pytest.approx([1, 2, 3, 4])


async def test_a_day_of_5000_symbols_takes_less_than_ten_minutes_at_the_shipped_rate(
    world: World,
) -> None:
    settings = replace(load_settings({}), clock=cast("Clock", world))
    host, server = Hosts(settings, world.sleep).at(settings.yahoo_url), Server("prices")
    for _ in range(5000):
        await host.ask(server)
    assert world.real == pytest.approx(494, abs=1)


async def test_after_a_rest_that_the_host_asked_for_there_is_no_burst(world: World) -> None:
    host, server = world.host(per_minute=60, burst=30), Server(RateLimited(60), "prices")
    await host.ask(server)
    world.real = 60.0
    for _ in range(11):
        assert await host.ask(server) == "prices"
    assert world.real == pytest.approx(70)


async def test_a_question_of_several_requests_takes_as_many_tokens(world: World) -> None:
    host, server = world.host(per_minute=60, burst=10), Server("figures")
    for _ in range(10):
        await host.ask(server, cost=3)
    assert world.real == pytest.approx(20)
    with wait_at_most(2):
        assert await host.ask(server, cost=3) == RateLimited(3.0)


async def test_who_would_wait_longer_than_his_patience_is_told_and_takes_no_token(
    world: World,
) -> None:
    host, server = world.host(per_minute=6, burst=1), Server("prices")
    await host.ask(server)
    with wait_at_most(5):
        assert await host.ask(server) == RateLimited(pytest.approx(10))
    assert server.tries == 1
    with wait_at_most(11):
        assert await host.ask(server) == "prices"
    assert world.real == pytest.approx(10)


async def test_who_gives_up_while_he_waits_gives_his_token_back() -> None:
    host = Politeness(now=lambda: BEGIN, per_minute=1, burst=1)
    server = Server("prices")
    await host.ask(server)
    with wait_at_most(60):
        waiting = asyncio.create_task(host.ask(server))
        await asyncio.sleep(0)
        assert host.state().tokens == -1
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert host.state().tokens == 0


async def test_retry_after_closes_the_host_for_everybody(world: World) -> None:
    host, server = world.host(), Server(RateLimited(30), "prices")
    assert await host.ask(server) == RateLimited(30)
    assert await host.ask(server) == RateLimited(30)
    state = host.state()
    assert (state.limited, state.closed_until) == (True, BEGIN + timedelta(seconds=30))
    world.real = 5.0
    assert await host.ask(server) == RateLimited(25)
    assert server.tries == 1
    world.real = 30.0
    assert await host.ask(server) == "prices"
    assert host.state().closed_until is None


async def test_a_short_rest_that_the_host_asks_for_is_waited_for(world: World) -> None:
    host, server = world.host(), Server(RateLimited(30), "prices")
    assert await host.ask(server) == RateLimited(30)
    world.real = 28.0
    with wait_at_most(1):
        assert await host.ask(server) == RateLimited(2)
    assert await host.ask(server) == "prices"
    assert world.slept == pytest.approx([2])


async def test_a_shorter_retry_after_does_not_open_what_a_longer_one_closed(world: World) -> None:
    host = world.host()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(host.ask(Server(RateLimited(90))))
        tasks.create_task(host.ask(Server(RateLimited(5))))
    assert await host.ask(Server("prices")) == RateLimited(90)


async def test_a_try_that_fails_is_made_again_after_growing_random_pauses(world: World) -> None:
    host, server = world.host(pause=1.0), Server(DOWN, DOWN, "prices")
    assert await host.ask(server) == "prices"
    first, second = world.slept
    assert 0.5 <= first <= 1.5
    assert 1 <= second <= 3
    assert host.state().failures == 0


async def test_an_answer_that_is_no_prices_is_an_answer(world: World) -> None:
    host, server = world.host(), Server(NoData("none"))
    assert await host.ask(server) == NoData("none")
    assert server.tries == 1


async def test_the_breaker_opens_after_failures_in_a_row_and_nothing_is_sent(world: World) -> None:
    host, server = world.host(failures=3, rest=8), Server(DOWN)
    for _ in range(3):
        assert await host.ask(server) == DOWN
    assert server.tries == 9
    state = host.state()
    assert (state.breaker, state.failures, state.limited) == ("open", 3, False)
    assert state.closed_until is not None
    refused = await host.ask(server)
    assert isinstance(refused, SourceDown)
    assert refused.detail.startswith("not asked: it did not answer; tried again in")
    assert server.tries == 9


async def test_one_bad_question_among_good_ones_opens_nothing(world: World) -> None:
    host = world.host(failures=3)
    for _ in range(20):
        assert await host.ask(Server(DOWN)) == DOWN
        assert await host.ask(Server("prices")) == "prices"
    assert host.state().breaker == "closed"


async def test_one_probe_goes_out_and_its_answer_closes_the_breaker(world: World) -> None:
    host = world.host(failures=1, rest=8)
    await host.ask(Server(DOWN))
    world.real += 11
    assert host.state().breaker == "half-open"
    server = Server("prices")
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(host.ask(server)) for _ in range(4)]
    answers = [task.result() for task in asked]
    assert answers == ["prices", *[SourceDown("not asked: it did not answer; being tried")] * 3]
    assert server.tries == 1
    assert host.state().breaker == "closed"
    assert await host.ask(server) == "prices"


async def test_a_probe_that_fails_is_one_try_and_doubles_the_rest(world: World) -> None:
    host, server = world.host(failures=1, rest=8), Server(DOWN)
    await host.ask(server)
    rests = []
    for _ in range(8):
        tries = server.tries
        until = host.state().closed_until
        assert until is not None
        rests.append((until - world.now()).total_seconds())
        world.real += rests[-1] + 0.001
        await host.ask(server)
        assert server.tries == tries + 1
    assert 6 <= rests[0] <= 10
    assert 12 <= rests[1] <= 20
    assert all(rest <= 375 for rest in rests)
    assert rests[-1] >= 225


async def test_a_probe_that_is_given_up_leaves_room_for_another(world: World) -> None:
    host = world.host(failures=1)
    await host.ask(Server(DOWN))
    world.real += 10
    never = asyncio.Event()
    probe = asyncio.create_task(host.ask(never.wait))
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert await host.ask(Server("prices")) == "prices"


async def test_what_was_under_way_when_the_breaker_opened_does_not_lengthen_its_rest(
    world: World,
) -> None:
    host = world.host(failures=1, rest=8)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(host.ask(Server(DOWN), tries=1))
    until = host.state().closed_until
    assert until is not None
    assert (until - world.now()).total_seconds() <= 10


async def test_durations_are_real_seconds_on_a_clock_that_runs_faster() -> None:
    world = World(rate=3600)
    host = world.host(per_minute=60, burst=1, failures=1, rest=8)
    for _ in range(3):
        await host.ask(Server("prices"))
    assert world.slept == pytest.approx([1, 1])
    await host.ask(Server(RateLimited(30)))
    until = host.state().closed_until
    assert until == world.now() + timedelta(hours=30)
    world.real += 5
    assert await host.ask(Server("prices")) == RateLimited(pytest.approx(25))


async def test_a_clock_that_stands_is_waited_for_in_real_time() -> None:
    world = World(rate=0)
    host = world.host(per_minute=60, burst=1)
    for _ in range(3):
        assert await host.ask(Server("prices")) == "prices"
    assert world.slept == pytest.approx([1, 2])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), (" 8 ", 8), (None, 60), ("soon", 60), ("-5", 60), ("0", 1), ("999999", 3600)],
)
def test_a_retry_after_is_read_within_bounds(header: str | None, seconds: float) -> None:
    assert read_wait(header, BEGIN) == seconds


def test_a_retry_after_may_be_a_date_also_a_past_one() -> None:
    for offset, seconds in ((90, 90), (-90, 1)):
        at = format_datetime(BEGIN + timedelta(seconds=offset), usegmt=True)
        assert read_wait(at, BEGIN) == seconds
