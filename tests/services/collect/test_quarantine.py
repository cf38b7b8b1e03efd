"""The quarantine: a person's word on rows that were not believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import text

from app.env import Env
from app.errors import BadInput, Conflict, NotFound
from app.services.collect.collections import collect_symbol
from app.services.collect.quarantine import drop, release
from app.services.settings import choose_source
from app.services.signals.analysis import analyse
from tests.clocks import at
from tests.deliveries import Delayed, ScriptedSource, Truth
from tests.factories import make_instrument, make_sessions, weekdays

DAYS = weekdays(date(2024, 1, 1), 24)
CLOSES = [400.0 + n for n in range(18)] + [105.0 + n for n in range(6)]
SPLIT = 18


@pytest.fixture
async def live(env: Env) -> Env:
    await choose_source(env, "yahoo")
    await make_sessions(env, "XNAS", weekdays(date(2023, 1, 2), 400))
    await make_instrument(env, "AAPL")
    return env


async def collect(env: Env, truth: Truth, today: int, **wrong: Any) -> str:
    source = ScriptedSource(truth.deliver("AAPL", today, **wrong))
    evening = at(env, datetime.combine(DAYS[today], time(22), UTC))
    return (await collect_symbol(replace(evening, sources={"yahoo": source}), "AAPL")).outcome


async def rows(env: Env, query: str) -> list[Any]:
    async with env.db.read() as db:
        return [tuple(row) for row in await db.execute(text(query))]


async def held(env: Env) -> list[tuple[int, str]]:
    return [
        (row, reason)
        for row, reason in await rows(
            env, "SELECT id, reason FROM quarantine WHERE state = 'HELD' ORDER BY day"
        )
    ]


LAST = "SELECT max(day) FROM bar"


async def test_a_released_crash_is_stored_with_what_goes_on_from_it(live):
    crash = Truth(DAYS, CLOSES)  # a fall to a quarter that no split explains
    await collect(live, crash, 22)
    found = await held(live)
    assert [reason for _, reason in found] == ["UNADJUSTED_SPLIT"] * 5
    assert await rows(live, LAST) == [(DAYS[SPLIT - 1],)]
    row = await release(at(live, "2024-02-01T00:00"), found[0][0])
    assert (row.state, row.day, row.row["close"]) == ("RELEASED", DAYS[SPLIT], "105")
    assert await held(live) == []
    assert await rows(live, LAST) == [(DAYS[22],)]
    assert await rows(live, "SELECT state, count(*) FROM quarantine GROUP BY 1 ORDER BY 1") == [
        ("MENDED", 4),
        ("RELEASED", 1),
    ]
    assert await rows(live, "SELECT kind, state FROM job") == [("collect", "PENDING")]
    assert await collect(live, crash, 23) == "STORED"
    assert await held(live) == []
    await analyse(live, "AAPL")
    made = "SELECT count(*) FROM indicator_daily WHERE rsi_14 IS NOT NULL"
    assert await rows(live, made) == [(24 - 14,)]


async def test_a_dropped_row_stays_away_until_its_values_change(live):
    truth = Truth(DAYS, CLOSES[:SPLIT])
    truth = replace(truth, days=DAYS[:SPLIT])
    await collect(live, truth, 17, stale=True)
    ((number, reason),) = await held(live)
    assert reason == "STALE_REPEAT"
    assert (await drop(live, number)).state == "DROPPED"
    await collect(live, truth, 17, stale=True)
    assert await held(live) == []
    assert await rows(live, LAST) == [(DAYS[16],)]
    await collect(live, truth, 17)
    assert await rows(live, LAST) == [(DAYS[17],)]
    assert await rows(live, "SELECT state FROM quarantine") == [("MENDED",)]


async def test_a_decision_is_taken_once(live):
    await collect(live, Truth(DAYS, CLOSES), 18)
    ((number, _),) = await held(live)
    await drop(live, number)
    with pytest.raises(Conflict, match=r"AAPL on 2024-01-25 is not held any more: it is DROPPED"):
        await release(live, number)
    with pytest.raises(NotFound, match="no row 999999"):
        await drop(live, 999999)


async def test_a_row_that_is_no_bar_can_only_be_dropped(live):
    truth = Truth(DAYS, CLOSES[:SPLIT])
    answer = replace(truth, days=DAYS[:SPLIT]).deliver("AAPL", 17)
    refused = answer.bars.tail(1).with_columns(reason=None, close=None)
    broken = refused.with_columns(
        close=refused["close"].cast(float),
        reason=refused["reason"].cast(str).fill_null("incomplete: a price is missing"),
    )
    source = ScriptedSource(replace(answer, bars=answer.bars.head(-1), refused=broken))
    evening = at(live, datetime.combine(DAYS[17], time(22), UTC))
    await collect_symbol(replace(evening, sources={"yahoo": source}), "AAPL")
    ((number, reason),) = await held(live)
    assert reason == "INCOMPLETE"
    with pytest.raises(BadInput, match="a price is missing"):
        await release(live, number)
    assert (await drop(live, number)).state == "DROPPED"


async def test_a_large_dividend_is_paid_when_it_is_released(live):
    truth = Truth(DAYS[:SPLIT], CLOSES[:SPLIT], dividends=[(5, 120.0)])
    await collect(live, truth, 17)
    ((number, reason),) = await held(live)
    assert reason == "TOO_LARGE"
    assert await rows(live, "SELECT * FROM dividend") == []
    await release(live, number)
    stored = "SELECT day, trim_scale(amount)::text FROM dividend"
    assert await rows(live, stored) == [(DAYS[5], "120")]
    await collect(live, truth, 17)
    assert await rows(live, stored) == [(DAYS[5], "120")]
    assert await held(live) == []


async def test_a_released_scale_is_believed_with_all_of_its_answer(live):
    truth = Truth(DAYS, CLOSES, [Delayed(SPLIT, 4.0, adjusted=SPLIT, named=99)])
    await collect(live, truth, 17)
    assert await collect(live, truth, 19) == "HELD"
    found = await held(live)
    assert [reason for _, reason in found] == ["SCALED"] * 2
    assert await rows(live, LAST) == [(DAYS[17],)]
    await release(live, found[0][0])
    assert await collect(live, truth, 19) == "STORED"
    first = "SELECT trim_scale(close)::text FROM bar ORDER BY day LIMIT 1"
    assert await rows(live, first) == [("100",)]
    assert await held(live) == []
