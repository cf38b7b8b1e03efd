"""Instruments: what is watched, how it is looked up and how one is added."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.prices import (
    BadPayload,
    Failure,
    History,
    InstrumentInfo,
    NoData,
    NotListed,
)
from app.adapters.prices import RateLimited as TooManyQuestions
from app.db.models import Exchange, Instrument
from app.domain.korean_names import find_korean_name
from app.domain.market import Kind
from app.env import Env
from app.errors import AppError, BadInput, NotFound, RateLimited, Unavailable
from app.services.market.defaults import DEFAULTS, find_seed
from app.services.paging import Page, check_first, cut_page, make_cursor, read_cursor
from app.services.settings import hold_source, read_removed
from app.services.sources.asking import Asked, ask_in_turn
from app.services.sources.source_order import Order, find_order
from app.services.work.events import announce, hand_over
from app.services.work.jobs import open_job

LONGEST_SEARCH: Final = 60
TITLES: Final = {
    "yahoo": "Yahoo Finance",
    "yfinance": "Yahoo Finance",
    "krx": "Naver",
    "folder": "The price folder",
    "sample": "The sample",
}

_SYMBOL: Final = re.compile(r"[A-Z0-9^][A-Z0-9.^=-]{0,19}")
_PAIR: Final = re.compile(r"[A-Z]{6}=X")
_LOOK_BACK: Final = timedelta(days=14)  # surely holds a session of every market


@dataclass(frozen=True)
class InstrumentRow:
    """One instrument. `problem`: why the last collection brought nothing, None when it did.

    `delisted_at`: its last stored day, once the source has not known it for two weeks.
    """

    symbol: str
    name: str
    name_local: str | None
    mic: str
    currency: str
    kind: str
    sector: str | None
    industry: str | None
    tracked: bool
    position: int
    added_at: datetime
    checked_at: datetime | None
    problem: str | None
    problem_detail: str | None
    delisted_at: date | None


@dataclass(frozen=True)
class ExchangeRow:
    """A market by its MIC; `currency` is None for the currency market."""

    mic: str
    name: str
    name_local: str | None
    time_zone: str
    currency: str | None


def check_symbol(text: str) -> str:
    """A symbol in upper case, without blanks around it.

    Raises:
        BadInput: it has characters that no symbol has, or more than 20.
    """
    symbol = text.strip().upper()
    if not _SYMBOL.fullmatch(symbol):
        msg = "symbol is %(value).40r; it must be at most 20 of A-Z 0-9 . - ^ =, such as 005930.KS"
        raise BadInput(msg, field="symbol", value=text)
    return symbol


async def find_instrument(env: Env, symbol: str) -> InstrumentRow | None:
    """The instrument of that symbol in any case, None when there is none."""
    return (await find_instruments(env, [symbol])).get(symbol.strip().upper())


async def get_instrument(env: Env, symbol: str) -> InstrumentRow:
    """The instrument of that symbol.

    Raises:
        NotFound: there is none.
    """
    row = await find_instrument(env, symbol)
    if row is None:
        raise NotFound("There is no instrument %(symbol).40r.", symbol=symbol)
    return row


async def hold_instrument(db: AsyncSession, symbol: str) -> bool:
    """Holds an instrument's row until the caller's transaction ends; whether it is there.

    Whoever stores something of an instrument holds it first: it is not removed meanwhile, nor does
    another one store.
    """
    row = select(Instrument.symbol).where(Instrument.symbol == symbol)
    return await db.scalar(row.with_for_update(key_share=True)) is not None


async def find_instruments(env: Env, symbols: Sequence[str]) -> dict[str, InstrumentRow]:
    """The instruments of these symbols, by symbol; unknown ones are left out."""
    wanted = {s for s in (text.strip().upper() for text in symbols) if _SYMBOL.fullmatch(s)}
    if not wanted:
        return {}
    async with env.db.read() as db:
        rows = await db.execute(select(*_COLUMNS).where(Instrument.symbol.in_(wanted)))
        return {row.symbol: InstrumentRow(*row) for row in rows}


async def list_instruments(  # noqa: PLR0913 - filters and paging
    env: Env,
    *,
    symbols: Sequence[str] | None = None,
    search: str | None = None,
    kinds: Sequence[Kind] | None = None,
    first: int = 50,
    after: str | None = None,
) -> Page[InstrumentRow]:
    """Tracked instruments in the order of the watchlist.

    `symbols` and `kinds` are these alone; `search` begins a symbol, or stands anywhere in a name in
    either language, in any case.

    Raises:
        BadInput: `first` is not from 1 to 200, the cursor is none of ours, the search is too long.
    """
    check_first(first)
    query = _wanted(select(*_COLUMNS), symbols, search, kinds)
    if after is not None:
        place = tuple_(Instrument.position, Instrument.symbol)
        query = query.where(place > tuple_(*read_cursor(after, int, str)))
    query = query.order_by(Instrument.position, Instrument.symbol).limit(first + 1)
    async with env.db.read() as db:
        rows = [InstrumentRow(*row) for row in await db.execute(query)]
    return cut_page(rows, [make_cursor(r.position, r.symbol) for r in rows], first)


async def count_instruments(
    env: Env,
    *,
    symbols: Sequence[str] | None = None,
    search: str | None = None,
    kinds: Sequence[Kind] | None = None,
) -> int:
    """How many instruments `list_instruments` has on all pages."""
    query = _wanted(select(func.count(Instrument.symbol)), symbols, search, kinds)
    async with env.db.read() as db:
        return int(await db.scalar(query) or 0)


async def list_exchanges(env: Env) -> dict[str, ExchangeRow]:
    """Every market by its MIC."""
    columns = [Exchange.__table__.c[field.name] for field in fields(ExchangeRow)]
    async with env.db.read() as db:
        return {row.mic: ExchangeRow(*row) for row in await db.execute(select(*columns))}


async def seed_instruments(db: AsyncSession, source: str, now: datetime) -> int:
    """Writes the source's defaults that are not there yet; how many they were.

    Those that the operator has removed stay away.
    """
    removed = set(await read_removed(db))
    rows = [
        {
            "symbol": seed.symbol,
            "name": seed.name,
            "name_local": seed.name_local,
            "mic": seed.mic,
            "currency": seed.currency,
            "kind": seed.kind,
            "sector": seed.sector,
            "industry": seed.industry,
            "position": place,
            "added_at": now,
        }
        for place, seed in enumerate(DEFAULTS[source], 1)
        if seed.symbol not in removed
    ]
    if not rows:
        return 0
    new = insert(Instrument).values(rows).on_conflict_do_nothing()
    return len((await db.scalars(new.returning(Instrument.symbol))).all())


async def track_instrument(env: Env, symbol: str) -> InstrumentRow:
    """Adds an instrument that the source knows and has its history collected by a job.

    One that is tracked already is returned as it is. Nothing is stored when this fails.

    Raises:
        BadInput: not a symbol, unknown to the source, without prices, of an unsupported market.
        RateLimited: the source has had too many questions.
        Unavailable: the source does not answer, or it was switched meanwhile.
    """
    symbol = check_symbol(symbol)
    known = await find_instrument(env, symbol)
    if known is not None and known.tracked:
        return known
    order = await find_order(env, None, symbol)
    source, now = order.mode, env.clock.now()
    asked = await _find_history(order, symbol, now.date() - _LOOK_BACK)
    answer = asked.answer
    if isinstance(answer, BadPayload):  # also: a market, a kind or a currency that is not supported
        msg = "%(symbol)s cannot be used: %(detail)s"
        raise BadInput(msg, field="symbol", symbol=symbol, detail=answer.detail)
    if not isinstance(answer, History):
        raise refusal(answer, asked.source.name, symbol)
    if answer.info.mic not in await list_exchanges(env):
        msg = "%(symbol)s trades on %(mic)s. Only markets of Korea and the US are supported."
        raise BadInput(msg, field="symbol", symbol=symbol, mic=answer.info.mic)
    if answer.info.kind == "FX" and not _PAIR.fullmatch(symbol):
        msg = "%(symbol)s must name both currencies, such as USDKRW=X"
        raise BadInput(msg, field="symbol", symbol=symbol)
    async with env.db.write() as db:
        if await hold_source(db) != source:
            raise Unavailable("The price source was switched just now. Try again.")
        jobs = []
        if await _store(db, symbol, answer.info, source, now):
            key = f"collect:{symbol}:added:{now.isoformat()}"
            jobs = [await open_job(db, "collect", symbol, None, key, now)]
    await hand_over(env, jobs)
    await announce(env, "tracked", symbol=symbol)
    return await get_instrument(env, symbol)


async def _find_history(order: Order, symbol: str, start: date) -> Asked:
    """The prices of the first provider that knows the symbol, else the first one's failure."""
    found: list[Asked] = []
    here = [p for p in order.providers if order.having(p)]
    for provider in here or order.providers:
        sources = order.of(provider)
        asked = await ask_in_turn(sources, symbol, start=start)
        if isinstance(asked.answer, NoData):  # nothing of late: halted for long, or recorded
            asked = await ask_in_turn(sources, symbol)
        if isinstance(asked.answer, History):
            return asked
        found.append(asked)
        if not isinstance(asked.answer, NotListed | NoData):
            break
    return found[0]


def refusal(failure: Failure, source: str, symbol: str) -> AppError:
    """What a person who named the symbol is told about a source's failure."""
    title = TITLES[source]
    match failure:
        case NotListed():
            msg = "%(title)s does not know %(symbol)r. Check the spelling: 005930.KS, AAPL, ^GSPC."
            return BadInput(msg, field="symbol", title=title, symbol=symbol)
        case NoData():
            msg = "%(title)s has no daily prices of %(symbol)s: %(detail)s"
            why = failure.detail
            return BadInput(msg, field="symbol", title=title, symbol=symbol, detail=why)
        case TooManyQuestions():
            msg = "%(title)s has had too many questions. Try again in %(seconds).0f s."
            wait = failure.retry_after
            return RateLimited(msg, retry_after=wait, title=title, seconds=wait)
        case _:
            msg = "%(title)s does not answer as it should. Try again later. (%(detail)s)"
            return Unavailable(msg, title=title, detail=failure.detail)


async def _store(
    db: AsyncSession, symbol: str, info: InstrumentInfo, source: str, now: datetime
) -> bool:
    """Whether it was not tracked before: of two that add the same at once, one is told so."""
    seed = find_seed(source, symbol)
    values = {
        "symbol": symbol,
        "name": seed.name if seed else info.name,
        "name_local": find_korean_name(symbol) or info.name_local,
        "mic": info.mic,
        "currency": info.currency,
        "kind": info.kind,
        "tracked": False,
        "added_at": now,
    }
    await db.execute(insert(Instrument).values(values).on_conflict_do_nothing())
    untracked = update(Instrument).where(Instrument.symbol == symbol, ~Instrument.tracked)
    changed = await db.scalar(untracked.values(tracked=True).returning(Instrument.symbol))
    return changed is not None


def _wanted(
    query: Select[Any],
    symbols: Sequence[str] | None,
    search: str | None,
    kinds: Sequence[Kind] | None,
) -> Select[Any]:
    if symbols is not None:
        wanted = [s for s in (text.strip().upper() for text in symbols) if _SYMBOL.fullmatch(s)]
        query = query.where(Instrument.symbol.in_(wanted))
    else:
        query = query.where(Instrument.tracked)
    if kinds is not None:
        query = query.where(Instrument.kind.in_(kinds))
    return query if search is None else query.where(_matches(search))


def _matches(search: str) -> ColumnElement[bool]:
    """Compares texts by position, not by pattern: `%` and `_` are characters like others."""
    text = unicodedata.normalize("NFC", search).strip()
    if len(text) > LONGEST_SEARCH or not text.isprintable():
        msg = "search is %(value).60r; it must be at most %(bound)d printable characters"
        raise BadInput(msg, field="search", value=search, bound=LONGEST_SEARCH)
    lower = func.lower(text)
    return or_(
        func.starts_with(Instrument.symbol, func.upper(text)),
        func.strpos(func.lower(Instrument.name), lower) > 0,
        func.strpos(func.lower(func.coalesce(Instrument.name_local, "")), lower) > 0,
    )


_COLUMNS: Final = tuple(Instrument.__table__.c[field.name] for field in fields(InstrumentRow))
