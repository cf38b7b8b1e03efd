"""Equal questions are joined, and no answer is older than its question."""

from __future__ import annotations

import asyncio

import pytest

from app.single_flight import SingleFlight


async def test_who_asks_at_a_time_shares_one_question():
    asked = 0
    under_way, answer = asyncio.Event(), asyncio.Event()

    async def question() -> int:
        nonlocal asked
        asked += 1
        number = asked
        under_way.set()
        await answer.wait()
        return number

    flights = SingleFlight()
    async with asyncio.TaskGroup() as tasks:
        first = [tasks.create_task(flights.ask("a", question)) for _ in range(5)]
        await under_way.wait()  # its answer would be too old
        second = [tasks.create_task(flights.ask("a", question)) for _ in range(5)]
        under_way.clear()
        other = tasks.create_task(flights.ask("b", question))
        await under_way.wait()
        answer.set()
    assert [task.result() for task in first] == [1] * 5
    assert [task.result() for task in second] == [3] * 5
    assert other.result() == 2
    assert await flights.ask("a", question) == 4
    assert flights._flying == flights._boarding == {}


async def test_an_error_reaches_all_and_is_not_kept():
    async def refuse() -> None:
        raise ValueError("no")

    async def agree() -> str:
        return "yes"

    flights = SingleFlight()
    waiting = [asyncio.create_task(flights.ask("a", refuse)) for _ in range(3)]
    await asyncio.wait(waiting)
    assert [str(task.exception()) for task in waiting] == ["no"] * 3
    assert await flights.ask("a", agree) == "yes"


async def test_what_is_under_way_ends_with_its_process():
    ended = []
    under_way = asyncio.Event()

    async def question() -> None:
        under_way.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    flights = SingleFlight()
    waiting = [asyncio.create_task(flights.ask("a", question)) for _ in range(2)]
    await under_way.wait()
    waiting += [asyncio.create_task(flights.ask("a", question))]  # which waits for the next
    await asyncio.sleep(0)
    await flights.close()
    await asyncio.wait(waiting)
    assert all(task.cancelled() for task in waiting)
    assert ended == [True]


async def test_one_who_is_cancelled_leaves_the_others_their_answer():
    under_way, answer = asyncio.Event(), asyncio.Event()

    async def question() -> str:
        under_way.set()
        await answer.wait()
        return "here"

    flights = SingleFlight()
    leaving = asyncio.create_task(flights.ask("a", question))
    staying = asyncio.create_task(flights.ask("a", question))
    await under_way.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    answer.set()
    assert await staying == "here"
