"""Hits: those of a plain count over real prices, in order and in pages, each with its mark."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from app.db.models import Quarantine
from app.domain.screening import FIELDS, PRESETS, ScreenPreset, Term, WordField
from app.env import Env
from app.errors import BadInput
from app.services.screening.hits import Screen, count_hits, list_hits, list_words
from app.services.signals.analysis import analyse
from tests.clocks import at
from tests.factories import AT, make_bars, make_instrument, make_sessions
from tests.services.collect.test_ingest import NEEDS_REAL
from tests.services.screening.real_market import load_real_market

FIGURES = [key for key, field in FIELDS.items() if not isinstance(field, WordField)]


def fulfils(row: dict[str, Any], term: Term) -> bool:
    """A term read plainly."""
    value = row.get(term.field)
    if value is None:
        return False
    if term.words:
        return value in term.words
    if term.open:
        return (term.low is None or value > term.low) and (term.high is None or value < term.high)
    return (term.low is None or value >= term.low) and (term.high is None or value <= term.high)


def plain(rows: dict[str, dict[str, Any]], screen: Screen) -> list[str]:
    """The symbols of the hits, in order."""
    groups = (*(PRESETS[screen.preset] if screen.preset else ()), *screen.groups)
    found = [
        row for row in rows.values() if all(any(fulfils(row, t) for t in group) for group in groups)
    ]
    known = [row for row in found if row.get(screen.sort) is not None]
    known.sort(key=lambda row: row["symbol"])
    known.sort(key=lambda row: row[screen.sort], reverse=screen.descending)
    rest = sorted(row["symbol"] for row in found if row.get(screen.sort) is None)
    return [row["symbol"] for row in known] + rest


def draw_term(rng: random.Random, rows: dict[str, dict[str, Any]]) -> Term:
    """A term between two values that there are, or of words that there are."""
    key = rng.choice([*FIGURES, "signal", "sector", "exchange", "sma_cross"])
    values = sorted({row[key] for row in rows.values() if row.get(key) is not None})
    if key not in FIGURES:
        return Term(key, words=tuple(rng.sample(values, min(2, len(values)))))
    if not values:
        return Term(key, low=0.0)
    low, high = sorted(rng.choices(values, k=2))
    near = 1e-7 * max(abs(low), abs(high))  # two libraries agree to 1e-9
    ends = rng.choice([(low - near, None), (None, high + near), (low - near, high + near)])
    bounds = FIELDS[key]
    clamped = [None if e is None else min(max(e, bounds.low), bounds.high) for e in ends]
    return Term(key, *clamped)


async def symbols(env: Env, screen: Screen) -> list[str]:
    """All hits, page by page."""
    found, after = [], None
    while True:
        page = await list_hits(env, screen, 17, after)
        found += [row.symbol for row in page.rows]
        if not page.has_next:
            return found
        after = page.cursors[-1]


@NEEDS_REAL
async def test_hits_are_those_of_a_plain_count_over_real_prices(env):
    rows = await load_real_market(env)
    stored = {row.symbol: row for row in (await list_hits(env, Screen(), 200)).rows}
    assert stored.keys() == rows.keys()
    for symbol, row in stored.items():
        for key in FIGURES:
            told = row.figures[key] if key in row.figures else float(getattr(row, key))
            wanted = rows[symbol].get(key)
            assert told == (None if wanted is None else pytest.approx(float(wanted), rel=1e-7, abs=1e-9)), (symbol, key)  # fmt: skip
        rows[symbol]["signal"] = None  # the rule has its own tests
        if row.strength is not None:
            rows[symbol]["signal"] = {2: "STRONG_BUY", 1: "BUY", 0: "HOLD", -1: "SELL", -2: "STRONG_SELL"}[row.strength]  # fmt: skip
        async with env.db.write() as db:
            change = "UPDATE instrument SET sector = :sector WHERE symbol = :symbol"
            await db.execute(text(change), {"symbol": symbol, "sector": rows[symbol]["sector"]})
    rng = random.Random(5)
    met = 0
    for preset in [*ScreenPreset, *[None] * 60]:
        groups = tuple(
            tuple(draw_term(rng, rows) for _ in range(rng.randint(1, 3)))
            for _ in range(rng.randint(0, 2))
        )
        sort = rng.choice(["symbol", "rsi_14", "close", "trailing_pe", "from_high"])
        screen = Screen(preset, groups if preset is None else (), sort, rng.random() < 0.5)
        wanted = plain(rows, screen)
        assert await symbols(env, screen) == wanted, screen
        assert await count_hits(env, screen) == len(wanted)
        met += bool(wanted) and len(wanted) < len(rows)
    assert met > 25


@pytest.fixture
async def market(env):
    """Three shares on a Tuesday evening: one is there, one is late, one has a row under review."""
    async with env.db.write() as db:
        await db.execute(text("INSERT INTO setting VALUES ('source', '\"yahoo\"')"))
    start = date(2025, 1, 6)
    days = [start + timedelta(days=n) for n in range(40)]
    await make_sessions(env, "XNAS", [day for day in days if day.weekday() < 5])
    for symbol, count in (("AAPL", 22), ("LATE", 21), ("HELD", 21)):
        await make_instrument(env, symbol)
        last = (await make_bars(env, symbol, [100.0 + n for n in range(count)], start=start))[-1]
        await analyse(env, symbol)
    held = {"symbol": "HELD", "kind": "BAR", "day": last + timedelta(days=1), "reason": "JUMP"}
    rest = {"detail": "", "row": {}, "source": "yahoo", "found_at": AT, "state": "HELD"}
    async with env.db.write() as db:
        await db.execute(insert(Quarantine).values(**held, **rest))
    return at(env, "2025-02-04T21:40:00")


async def test_an_instrument_that_is_late_or_under_review_has_its_mark(market):
    marks = {row.symbol: row.current for row in (await list_hits(market, Screen())).rows}
    assert marks == {"AAPL": True, "LATE": False, "HELD": False}
    for word, wanted in (("YES", ["AAPL"]), ("NO", ["HELD", "LATE"])):
        assert await symbols(market, Screen(groups=((Term("current", words=(word,)),),))) == wanted
    earlier = at(market, "2025-02-04T15:00:00")  # the session is not over
    marks = {row.symbol: row.current for row in (await list_hits(earlier, Screen())).rows}
    assert marks == {"AAPL": True, "LATE": True, "HELD": False}


async def test_delisted_instruments_are_no_hits_and_words_are_those_there_are(market):
    assert await list_words(market) == {"sector": [], "exchange": ["XNAS"], "currency": ["USD"]}
    async with market.db.write() as db:
        await db.execute(
            text("UPDATE instrument SET delisted_at = '2025-02-01' WHERE symbol = 'LATE'")
        )
    assert await symbols(market, Screen()) == ["AAPL", "HELD"]


async def test_a_row_follows_its_bars(market):
    assert (await list_hits(market, Screen(sort="close", descending=True))).rows[0].close == 121
    async with market.db.write() as db:
        await db.execute(
            text("UPDATE bar SET close = 60, low = 50 WHERE symbol = 'AAPL' AND close = 121")
        )
    await analyse(market, "AAPL")
    (row,) = (await list_hits(market, Screen(groups=((Term("close", high=60.0),),)))).rows
    assert (row.symbol, row.figures["change"]) == ("AAPL", pytest.approx(-0.5))


async def test_in_a_replay_figures_are_those_of_the_day_before(sample_env):
    await make_instrument(sample_env, "AAPL")
    days = await make_bars(sample_env, "AAPL", [100.0 + n for n in range(60)])
    await analyse(sample_env, "AAPL")
    for day in (days[40], days[20]):  # it begins anew after the last day
        async with sample_env.db.write() as db:
            place = f'{{"day": "{day}", "step": 0}}'
            await db.execute(text("DELETE FROM setting WHERE key = 'replay'"))
            await db.execute(text(f"INSERT INTO setting VALUES ('replay', '{place}')"))
        (row,) = (await list_hits(sample_env, Screen())).rows
        assert (row.day, row.close) == (days[days.index(day) - 1], 99 + days.index(day))
        assert row.current


@pytest.mark.parametrize(
    ("screen", "message"),
    [
        (Screen(groups=((Term("rsi", low=1.0),),)), "There is no figure 'rsi' to screen by; there are: close"),
        (Screen(groups=((Term("rsi_14", low=120.0),),)), "rsi_14 is asked for at 120; it must be from 0 to 100"),
        (Screen(groups=((Term("rsi_14", low=float("nan")),),)), "rsi_14 is asked for at nan"),
        (Screen(groups=((Term("rsi_14", 40.0, 30.0),),)), "from 40 to 30: from must not be above to"),
        (Screen(groups=((Term("rsi_14"),),)), "rsi_14 has no range"),
        (Screen(groups=((Term("signal", words=("MAYBE",)),),)), "signal is never 'MAYBE'; there are: STRONG_BUY"),
        (Screen(groups=((Term("sector", low=1.0),),)), "sector takes one or more words"),
        (Screen(groups=((Term("close", words=("A",)),),)), "close is a number"),
        (Screen(groups=((Term("close", low=1.0),) * 1000,)), "filter has 1000 terms; 50 are allowed"),
        (Screen(groups=((Term("sector", words=("A",) * 99),),)), "sector has 99 words; 50 are allowed"),
        (Screen(sort="beauty"), "There is no figure 'beauty'"),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_for_is_named_with_its_bound(env, screen, message):
    with pytest.raises(BadInput, match=message.replace("(", r"\(")):
        await list_hits(env, screen)


async def test_a_word_with_a_quote_is_a_word(market):
    screen = Screen(groups=((Term("sector", words=("x' OR '1'='1",)),),))
    assert await symbols(market, screen) == []
    assert await count_hits(market, replace(screen, groups=())) == 3
