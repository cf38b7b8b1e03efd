"""Indicators are stored for every bar; a tail after a collection, the whole after a split.

Signals are stored with them, of each day that has all three votes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
import talib
from sqlalchemy import text

from app.domain.signal_series import INPUTS, SIGNAL_COLUMNS
from app.domain.signals import VoteIndicator
from app.env import Env
from app.services.market.removal import remove_instrument
from app.services.schedule.due import open_due
from app.services.settings import choose_source
from app.services.signals.analysis import analyse
from tests.domain.plain_signals import plain_level, plain_votes
from tests.factories import make_bars, make_instrument, make_split

CLOSES = [round(100 + 20 * float(np.sin(i / 9)) + i / 11, 2) for i in range(760)]


async def rows(env: Env, symbol: str = "AAPL") -> list[Any]:
    async with env.db.read() as db:
        query = "SELECT * FROM indicator_daily WHERE symbol = :symbol ORDER BY day"
        return list((await db.execute(text(query), {"symbol": symbol})).mappings())


async def versions(env: Env) -> dict[date, int]:
    """Which transaction has written each row."""
    async with env.db.read() as db:
        query = "SELECT day, xmin::text::bigint FROM indicator_daily"
        return {row[0]: row[1] for row in await db.execute(text(query))}


async def signals(env: Env) -> dict[date, tuple[int, ...]]:
    """Strength and votes by day."""
    async with env.db.read() as db:
        query = f"SELECT day, {', '.join(SIGNAL_COLUMNS)} FROM signal"
        return {day: tuple(levels) for day, *levels in await db.execute(text(query))}


async def assert_signals_fit(env: Env, macd: VoteIndicator = VoteIndicator.MACD_CROSS) -> None:
    """Each day has the signal of its stored indicators, or none where one is unknown."""
    stored, wanted = await rows(env), {}
    rsi, slow_k, histogram = ([row[name] for row in stored] for name in INPUTS)
    for t, row in enumerate(stored):
        votes = plain_votes(rsi[t], slow_k[t], histogram[: t + 1], macd)
        if votes is not None:
            wanted[row["day"]] = (plain_level(votes), *votes)
    assert await signals(env) == wanted
    assert len({levels[0] for levels in wanted.values()}) > 3


def sma_20(closes: list[float]) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in talib.SMA(np.array(closes), 20)]


async def assert_right(env: Env, closes: list[float]) -> None:
    stored = await rows(env)
    assert len(stored) == len(closes)
    series = np.array(closes)
    for name, wanted in (
        ("sma_20", talib.SMA(series, 20)),
        ("sma_200", talib.SMA(series, 200)),
        ("rsi_14", talib.RSI(series, 14)),
        ("macd_signal", talib.MACD(series, 12, 26, 9)[1]),
        ("bollinger_upper", talib.BBANDS(series, 20, 2.0, 2.0)[0]),
    ):
        got = np.array([np.nan if r[name] is None else r[name] for r in stored])
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9, err_msg=name)


async def test_every_bar_gets_its_row(env: Env) -> None:
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", CLOSES)
    assert await analyse(env, "AAPL") == len(CLOSES)
    await assert_right(env, CLOSES)
    await assert_signals_fit(env)


async def test_a_second_time_writes_nothing(env: Env) -> None:
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", CLOSES)
    await analyse(env, "AAPL")
    before = await versions(env)
    assert await analyse(env, "AAPL") == 0
    assert await analyse(env, "AAPL", whole=True) == 0
    assert await versions(env) == before


async def test_new_bars_are_added_and_the_others_left_alone(env: Env) -> None:
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", CLOSES)
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM bar WHERE day > :day"), {"day": days[-4]})
    assert await analyse(env, "AAPL") == len(CLOSES) - 3
    before = await versions(env)
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM bar"))
    await make_bars(env, "AAPL", CLOSES)
    assert await analyse(env, "AAPL") == 3
    after = await versions(env)
    assert {day: after[day] for day in before} == before
    await assert_right(env, CLOSES)


async def test_a_corrected_bar_of_the_last_sessions_changes_what_comes_after_it(env: Env) -> None:
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", CLOSES)
    await analyse(env, "AAPL")
    corrected = [*CLOSES]
    corrected[-5] += 3
    async with env.db.write() as db:
        change = "UPDATE bar SET close = close + 3, high = high + 3 WHERE day = :day"
        await db.execute(text(change), {"day": days[-5]})
    assert await analyse(env, "AAPL") == 5
    await assert_right(env, corrected)
    await assert_signals_fit(env)


async def test_a_new_split_derives_the_whole_anew(env: Env) -> None:
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", CLOSES)
    await analyse(env, "AAPL")
    await make_split(env, "AAPL", days[-2], 4)
    assert await analyse(env, "AAPL") > 700
    await assert_right(env, [c / 4 for c in CLOSES[:-2]] + CLOSES[-2:])
    await assert_signals_fit(env)


async def test_a_signal_whose_input_is_gone_goes_too(env: Env) -> None:
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", CLOSES)
    await analyse(env, "AAPL")
    assert days[-1] in await signals(env)
    async with env.db.write() as db:
        change = "UPDATE bar SET close = NULL WHERE day = :day"
        await db.execute(text(change), {"day": days[-1]})
    await analyse(env, "AAPL")
    assert days[-1] not in await signals(env)
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM bar WHERE day = :day"), {"day": days[-9]})
    await analyse(env, "AAPL", whole=True)
    assert days[-9] not in await signals(env)


async def test_signals_follow_the_rule_of_the_installation(env: Env) -> None:
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", CLOSES[:200])
    await analyse(env, "AAPL")
    await assert_signals_fit(env)
    assert await open_due(env) == 0
    by_state = replace(env, settings=replace(env.settings, macd_vote="state"))
    assert await open_due(by_state) == 1
    await analyse(by_state, "AAPL")
    await assert_signals_fit(env, VoteIndicator.MACD_STATE)
    assert await open_due(by_state) == 0


async def test_days_without_a_close_get_a_row_of_nulls(env: Env) -> None:
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [*CLOSES[:300], None, *CLOSES[300:400]])
    assert await analyse(env, "AAPL") == 401
    (empty,) = [r for r in await rows(env) if r["day"] == days[300]]
    assert {empty[name] for name in empty if name not in {"symbol", "day"}} == {None}
    observed = [r["sma_20"] for r in await rows(env) if r["day"] != days[300]]
    assert observed[19:] == pytest.approx(sma_20(CLOSES[:400])[19:], rel=1e-12)


@pytest.mark.parametrize("symbol", ["AAPL", "NONE"])
async def test_without_bars_there_is_nothing_to_do(env: Env, symbol: str) -> None:
    await make_instrument(env, "AAPL")
    assert await analyse(env, symbol) == 0


async def test_one_bar_is_enough_for_a_row(env: Env) -> None:
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", [10.0])
    assert await analyse(env, "AAPL") == 1


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda env: choose_source(env, "yahoo"),
        lambda env: remove_instrument(env, "AAPL", confirmed=True),
    ],
    ids=["switched", "removed"],
)
async def test_what_is_analysed_is_still_there_and_of_the_chosen_source(
    env: Env, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Env], Awaitable[object]]
) -> None:
    await choose_source(env, "sample")
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", CLOSES[:30])
    whole = analyse.__globals__["_compute"]

    async def disturbed(*arguments: Any) -> Any:
        computed = await whole(*arguments)
        await meanwhile(env)
        return computed

    monkeypatch.setitem(analyse.__globals__, "_compute", disturbed)
    assert await analyse(env, "AAPL") == 0
    assert await rows(env) == []
