"""Hits of a screen: instruments whose newest figures fulfil a filter, sorted, in pages.

A screen is one statement over `screen_row`; delisted instruments are never hits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import text

from app.domain.screening import (
    CROSSES,
    FIELDS,
    PRESETS,
    Filter,
    ScreenPreset,
    SmaCross,
    Term,
    check_field,
    check_filter,
)
from app.domain.sessions import LAG
from app.domain.signals import SignalStrength
from app.env import Env
from app.errors import BadInput
from app.services.market.markets import expected_days
from app.services.market.prices import GRACE, horizon
from app.services.paging import Page, check_first, cut_page, make_cursor, read_cursor
from app.services.screening.rows import catch_up

SYMBOL: Final = "symbol"
_FARTHEST: Final = 100_000  # rows that a cursor may skip
_LEVELS: Final = {cross: level for level, cross in CROSSES.items()}


@dataclass(frozen=True)
class Screen:
    """What is asked for: a preset and a filter, both to be fulfilled, and the order of the hits."""

    preset: ScreenPreset | None = None
    groups: Filter = ()
    sort: str = SYMBOL
    descending: bool = False


@dataclass(frozen=True)
class HitRow:
    """An instrument's newest figures; `current`: its newest finished session, none of it held."""

    symbol: str
    day: date
    current: bool
    close: Decimal
    volume: int | None
    strength: int | None
    sma_cross: int | None
    fundamental_day: date | None
    figures: dict[str, float | None] = field(default_factory=dict)


def check_screen(screen: Screen) -> Screen:
    """The screen, if it can be asked for.

    Raises:
        BadInput: an impossible filter, or an order by what is no figure.
    """
    groups = check_filter(screen.groups)
    if screen.sort != SYMBOL:
        check_field(screen.sort)
    return Screen(screen.preset, groups, screen.sort, screen.descending)


async def list_hits(
    env: Env, screen: Screen, first: int = 50, after: str | None = None
) -> Page[HitRow]:
    """A page of hits. What is unknown comes last, in either order.

    Raises:
        BadInput: an impossible filter or order, `first` not from 1 to 200, a foreign cursor.
        Unavailable: the database does not answer.
    """
    check_first(first)
    skipped = 0 if after is None else read_cursor(after, int)[0]
    if not 0 <= skipped <= _FARTHEST:
        raise BadInput("after is no cursor of a screen", field="after")
    where, params = await _where(env, check_screen(screen))
    down = "DESC" if screen.descending else "ASC"
    order = f"{_EXPRESSIONS[screen.sort]} {down} NULLS LAST, r.symbol"
    query = _PAGE.format(order=order, where=where)
    async with env.db.read() as db:
        found = await db.execute(text(query), params | {"rows": first + 1, "skipped": skipped})
        rows = [_hit(row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name
    cursors = [make_cursor(skipped + place) for place in range(1, len(rows) + 1)]
    return cut_page(rows, cursors, first)


async def count_hits(env: Env, screen: Screen) -> int:
    """How many hits there are on all pages.

    Raises:
        BadInput, Unavailable: as `list_hits`.
    """
    where, params = await _where(env, check_screen(screen))
    async with env.db.read() as db:
        return int(await db.scalar(text(f"SELECT count(*) {_FROM} WHERE {where}"), params) or 0)


async def list_words(env: Env) -> dict[str, list[str]]:
    """The words that instruments have now, of each field whose words are not fixed."""
    async with env.db.read() as db:
        rows = (await db.execute(text(_WORDS))).one()
    return {name: list(words or ()) for name, words in rows._mapping.items()}  # noqa: SLF001


async def _where(env: Env, screen: Screen) -> tuple[str, dict[str, Any]]:
    """The condition in SQL with its parameters; in a replay the rows are of its day then."""
    until = await horizon(env)
    if until is not None:
        await catch_up(env, until)
    params: dict[str, Any] = {"historic": until is not None}
    expected = {} if params["historic"] else await expected_days(env, LAG + GRACE)
    params |= {"mics": list(expected), "days": list(expected.values())}
    groups = (*(PRESETS[screen.preset] if screen.preset else ()), *screen.groups)
    numbers = iter(range(10_000))
    parts = ["i.delisted_at IS NULL"]
    for group in groups:
        some = [_condition(term, numbers, params) for term in group]
        parts.append(f"({' OR '.join(some)})")
    return " AND ".join(parts), params


def _condition(term: Term, numbers: Iterator[int], params: dict[str, Any]) -> str:
    """One term in SQL; its values become parameters."""
    column = _EXPRESSIONS[term.field]
    if term.words:
        name = f"p{next(numbers)}"
        params[name] = [_stored(term.field, word) for word in term.words]
        return f"{column} = ANY(:{name})"
    ends = []
    for sign, end in ((">", term.low), ("<", term.high)):
        if end is not None:
            name = f"p{next(numbers)}"
            params[name] = end
            equal = "" if term.open else "="
            ends.append(f"{column} {sign}{equal} CAST(:{name} AS float8)")
    return f"({' AND '.join(ends)})"


def _stored(key: str, word: str) -> Any:
    """A word as the table has it."""
    if key == "signal":
        return SignalStrength(word).level
    if key == "sma_cross":
        return _LEVELS[SmaCross(word)]
    return word == "YES" if key == "current" else word


def _hit(row: Any) -> HitRow:
    own = {name: row[name] for name in HitRow.__dataclass_fields__ if name != "figures"}
    return HitRow(**own, figures={name: row[name] for name in FIGURES})


_CURRENT: Final = """(CAST(:historic AS boolean) OR coalesce(r.day >= e.day, false)
    AND NOT EXISTS (SELECT FROM quarantine WHERE symbol = r.symbol AND kind = 'BAR'
        AND state = 'HELD' AND day > r.day))"""
_OTHERS: Final = {
    SYMBOL: "r.symbol",
    "signal": "r.strength",
    "sector": "i.sector",
    "exchange": "i.mic",
    "currency": "i.currency",
    "kind": "i.kind",
    "current": _CURRENT,
}
_EXPRESSIONS: Final = {key: f"r.{key}" for key in FIELDS} | _OTHERS
FIGURES: Final = tuple(
    key for key in FIELDS if key not in {*_OTHERS, "close", "volume", "sma_cross"}
)
"""Numbers of a hit beside its price and volume."""

_SELECTED: Final = f"""
    r.symbol, r.day, {_CURRENT} AS current, trim_scale(r.close) AS close, r.volume, r.strength,
    r.sma_cross, r.fundamental_day, {", ".join(f"r.{name}" for name in FIGURES)}
"""
_FROM: Final = """
    FROM screen_row AS r
    JOIN instrument AS i ON i.symbol = r.symbol
    LEFT JOIN unnest(CAST(:mics AS text[]), CAST(:days AS date[])) AS e (mic, day) ON e.mic = i.mic
"""
_PAGE: Final = f"""
    WITH hit AS MATERIALIZED (
        SELECT r.symbol, row_number() OVER (ORDER BY {{order}}) AS place {_FROM}
        WHERE {{where}} ORDER BY {{order}} LIMIT :rows OFFSET :skipped
    )
    SELECT {_SELECTED} {_FROM} JOIN hit ON hit.symbol = r.symbol ORDER BY hit.place
"""
"""Marks and figures are read of the rows of the page alone."""

_WORDS: Final = """
    SELECT array_agg(DISTINCT sector ORDER BY sector) FILTER (WHERE sector IS NOT NULL) AS sector,
        array_agg(DISTINCT mic ORDER BY mic) AS exchange,
        array_agg(DISTINCT currency ORDER BY currency) AS currency
    FROM instrument JOIN screen_row USING (symbol) WHERE delisted_at IS NULL
"""
