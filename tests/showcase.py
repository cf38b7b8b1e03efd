"""An installation in which every state of the data is there at once, for the pages that show them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text, update

from app.db.models import Instrument
from app.env import Env
from tests.factories import (
    make_bars,
    make_dividend,
    make_instrument,
    make_sessions,
    make_split,
    weekdays,
)
from tests.trust_rows import make_cross_check, make_held, make_job, make_revision

NOW: Final = datetime(2025, 1, 17, 22, 30, tzinfo=UTC)
"""A Friday, after the sessions of Seoul and New York."""

DAYS: Final = weekdays(date(2025, 1, 6), 10)
DOWN: Final = (
    "ConnectError: Failed to perform, curl: (6) Could not resolve host: query2.finance.yahoo.com."
)
LIMITED: Final = "The source asks to wait 60 s."

NAMES: Final = {
    "005930.KS": ("Samsung Electronics Co., Ltd.", "삼성전자"),
    "000660.KS": ("SK hynix Inc.", "SK하이닉스"),
    "035720.KS": ("Kakao Corp.", "카카오"),
    "AAPL": ("Apple Inc.", "애플"),
    "MSFT": ("Microsoft Corporation", "마이크로소프트"),
    "NVDA": ("NVIDIA Corporation", "엔비디아"),
    "TSLA": ("Tesla, Inc.", "테슬라"),
    "SPY": ("SPDR S&P 500 ETF Trust", None),
    "NEW": ("Newly Listed Holdings International, Inc.", None),
}
HELD: Final[tuple[tuple[str, str, str, int, dict[str, str | None], str], ...]] = (
    ("NVDA", "BAR", "UNADJUSTED_SPLIT", 9, {"close": "12.49"}, "0.1 times the close before, as after a split of 10:1 that is not known"),
    ("TSLA", "BAR", "INCOMPLETE", 9, {"close": None}, "incomplete: a price is missing"),
    ("005930.KS", "BAR", "STALE_REPEAT", 3, {"close": "70300", "volume": "0"}, "no volume, and every price is the close before"),
    ("005930.KS", "BAR", "BEYOND_LIMIT", 4, {"close": "102500"}, "+45.8% in a session; the limit is 30%"),
    ("000660.KS", "BAR", "NO_SESSION", 5, {"close": "171500"}, "the exchange had no session that day"),
    ("AAPL", "BAR", "NOT_POSITIVE", 2, {"low": "0", "close": "182.3"}, "a price is not a number above zero"),
    ("AAPL", "BAR", "UNORDERED", 3, {"high": "120.55", "close": "183.51"}, "the high is below another price"),
    ("MSFT", "BAR", "BAD_VOLUME", 4, {"close": "417.19", "volume": "-1204"}, "the volume is below zero"),
    ("MSFT", "BAR", "OUT_OF_ORDER", 5, {"close": "417.19"}, "the day is not after the one before"),
    ("MSFT", "BAR", "SCALED", 6, {"close": "4171.9"}, "10 times what is stored, on 15 days up to 2025-01-14"),
    ("AAPL", "DIVIDEND", "TOO_LARGE", 4, {"amount": "45.675"}, "45.675 a share is 25% of the close before, 182.75"),
    ("NVDA", "SPLIT", "UNADJUSTED_SPLIT", 8, {"numerator": "10", "denominator": "1"}, "the prices do not follow this split"),
)  # fmt: skip


async def make_showcase(env: Env, *, more: int = 60) -> None:
    """Instruments in every state of freshness, `more` that are on time, and rows of every kind."""
    async with env.db.write() as db:
        await db.execute(text("INSERT INTO setting VALUES ('source', '\"yahoo\"')"))
    await make_sessions(env, "XKRX", DAYS, opens=0, closes=6)
    await make_sessions(env, "XNAS", DAYS)
    await make_sessions(env, "ARCX", DAYS[:-1])
    for position, (symbol, (name, local)) in enumerate(NAMES.items(), 1):
        facts: dict[str, Any] = {"mic": "ARCX", "kind": "ETF"} if symbol == "SPY" else {}
        await make_instrument(env, symbol, name=name, name_local=local, position=position, **facts)
    for number in range(more):
        await make_instrument(env, f"FILL{number:03}", name=f"Filler Number {number} Corporation")
        await make_bars(
            env, f"FILL{number:03}", [50.0 + number] * 10, start=DAYS[0], source="yahoo"
        )
    await _make_prices(env)
    await _make_held(env)
    await _make_changes(env)
    await _make_jobs(env)


async def _make_prices(env: Env) -> None:
    await make_bars(
        env, "005930.KS", [70_000 + 100 * i for i in range(10)], start=DAYS[0], source="yahoo"
    )
    await make_bars(
        env, "000660.KS", [170_000 + 500 * i for i in range(10)], start=DAYS[0], source="yahoo"
    )
    await make_bars(
        env, "035720.KS", [38_000, 38_100, *[None] * 8], start=DAYS[0], source="yahoo"
    )  # halted
    await make_bars(
        env, "AAPL", [182 + i / 4 for i in range(7)], start=DAYS[0], source="yahoo"
    )  # late
    await make_bars(
        env, "MSFT", [417 + i / 4 for i in range(7)], start=DAYS[0], source="yahoo"
    )  # limited
    await make_bars(env, "NVDA", [124.9] * 9, start=DAYS[0], source="yahoo")
    await make_bars(env, "TSLA", [412 + i for i in range(9)], start=DAYS[0], source="yahoo")
    await make_bars(
        env, "SPY", [590 + i / 4 for i in range(9)], start=DAYS[0], source="yahoo"
    )  # holiday
    await make_split(env, "AAPL", DAYS[2], 4)
    for month, amount in ((2, 0.24), (5, 0.25), (8, 0.25), (11, 0.25)):
        await make_dividend(env, "AAPL", date(2024, month, 9), amount)
    await make_dividend(env, "AAPL", DAYS[3], 0.25)
    async with env.db.write() as db:
        for symbol, problem, detail in (
            ("AAPL", "SOURCE_DOWN", DOWN),
            ("MSFT", "RATE_LIMITED", LIMITED),
            ("NEW", None, None),
        ):
            facts = {"problem": problem, "problem_detail": detail}
            row = update(Instrument).where(Instrument.symbol == symbol)
            await db.execute(row.values(**facts, problem_since=NOW - timedelta(hours=5)))
        known = update(Instrument).where(Instrument.symbol != "NEW")
        await db.execute(known.values(checked_at=NOW - timedelta(minutes=50)))


async def _make_held(env: Env) -> None:
    found = NOW - timedelta(hours=1)
    for symbol, kind, reason, place, values, detail in HELD:
        row: dict[str, str | None] = {}
        if kind == "BAR":
            row |= dict.fromkeys(("open", "high", "low", "close"), values.get("close"))
            row["volume"] = "123456"
        row |= values
        await make_held(
            env, symbol, DAYS[place], reason, kind=kind, row=row, detail=detail, found_at=found
        )
    for place, state in ((6, "RELEASED"), (7, "DROPPED"), (8, "MENDED")):
        await make_held(env, "000660.KS", DAYS[place], state=state, found_at=found)


async def _make_changes(env: Env) -> None:
    for at, (day, old, new) in enumerate(_revised_bars()):
        when = NOW - timedelta(days=2, minutes=at)
        await make_revision(env, "AAPL", day, old, new, at=when)
    split = {"numerator": "4", "denominator": "1"}
    await make_revision(env, "NVDA", DAYS[5], split, None, kind="SPLIT", at=NOW)
    paid = ({"amount": "361"}, {"amount": "365"})
    await make_revision(env, "005930.KS", DAYS[2], *paid, kind="DIVIDEND", at=NOW)
    differences = {DAYS[4]: ("70400", "70500"), DAYS[5]: ("70500", "35250")}
    await make_cross_check(env, "005930.KS", differences)
    await make_cross_check(env, "000660.KS", {})


def _revised_bars() -> Iterator[tuple[date, dict[str, str], dict[str, str]]]:
    """Old and new values of 25 bars; all fields of the last one differ."""
    for number, day in enumerate(weekdays(date(2024, 11, 4), 25)):
        old = {"open": "180", "high": "185", "low": "179", "close": f"{181 + number / 4}"}
        new = old | {"close": f"{181 + number / 4 + 0.0125}"}
        if number == 0:
            new = {name: f"{float(value) / 4}" for name, value in old.items()}
        yield day, old | {"volume": "50123400"}, new | {"volume": "50123400"}


async def _make_jobs(env: Env) -> None:
    due, ended = NOW - timedelta(minutes=4), NOW - timedelta(minutes=3)
    for symbol in ("005930.KS", "000660.KS", "SPY"):
        await make_job(
            env, symbol, "DONE", due_at=due, done_at=ended, attempts=1, bars=15, outcome="STORED"
        )
    await make_job(env, "NVDA", "RUNNING", due_at=due, started_at=ended, attempts=1)
    await make_job(env, "TSLA", "PENDING", due_at=due)
    tried = {"started_at": ended, "due_at": NOW + timedelta(minutes=6)}
    await make_job(
        env, "MSFT", "PENDING", attempts=2, outcome="RATE_LIMITED", last_error=LIMITED, **tried
    )
    failed = {"due_at": due, "done_at": ended, "attempts": 5}
    await make_job(env, "AAPL", "FAILED", outcome="SOURCE_DOWN", last_error=DOWN, **failed)
    unknown = "The source has no such symbol."
    await make_job(env, "NEW", "FAILED", outcome="NOT_LISTED", last_error=unknown, **failed)
