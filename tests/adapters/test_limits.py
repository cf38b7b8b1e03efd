"""Tries are counted for all processes; without the broker each process still counts."""

from __future__ import annotations

from app.adapters.bus import Bus
from app.adapters.limits import Tally


async def test_processes_share_the_count_within_its_window(env):
    one, other = Tally(env.bus), Tally(env.bus)
    assert (await one.seen("a")).count == 0
    assert [(await t.add("a", 60)).count for t in (one, other, one)] == [1, 2, 3]
    seen = await other.seen("a")
    assert seen.count == 3
    assert 55 < seen.seconds <= 60
    await one.clear("a")
    assert (await other.add("a", 60)).count == 1


async def test_without_the_broker_a_process_counts_by_itself_and_forgets_in_time():
    now = 0.0
    gone = Bus("redis://127.0.0.1:1")
    tally = Tally(gone, lambda: now)
    try:
        assert [(await tally.add("a", 60)).count for _ in range(3)] == [1, 2, 3]
        assert (await tally.seen("a")).count == 3
        now = 61.0
        assert (await tally.seen("a")).count == 0
        assert (await tally.add("a", 60)).count == 1
        await tally.clear("a")
        assert (await tally.seen("a")).count == 0
    finally:
        await gone.close()
