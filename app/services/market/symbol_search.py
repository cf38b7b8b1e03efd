"""Finding what is not watched yet: by name or code, in English or Korean, at the sources.

Korean words and codes go to the Korean source, and to the table of well-known Korean names, which
needs no network; everything else, and a code too, goes to Yahoo. The folder is searched for all.
Yahoo and the folder are asked only where the order of sources of some exchange has them, and what
they know of an exchange whose order has not is left out. The sample knows what it holds.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from app.adapters.prices import Failure, InstrumentInfo, SourceDown
from app.domain.korean_names import KOREAN_NAMES
from app.domain.symbol_list import guess_listing, read_symbol
from app.env import Env
from app.errors import BadInput
from app.services.market.defaults import DEFAULTS, Seed
from app.services.market.instruments import LONGEST_SEARCH, find_instruments
from app.services.paging import check_first
from app.services.settings import get_source
from app.services.sources.source_order import order_of, providers_of

PATIENCE: Final = 4.0  # seconds that a reader waits for a source
TITLES: Final = {"yahoo": "Yahoo Finance", "yfinance": "Yahoo Finance", "krx": "Naver"}

_NAMES: Final = "krx"  # knows Korean names, whoever has the prices
_HANGUL: Final = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_CODE: Final = re.compile(r"[0-9][0-9A-Za-z]{0,5}(?:\.[kK][sSqQ])?")


@dataclass(frozen=True)
class Hit:
    """An instrument that a source knows; `tracked` is whether it is watched already."""

    symbol: str
    name: str
    name_local: str | None
    mic: str
    kind: str
    tracked: bool


@dataclass(frozen=True)
class Found:
    """The hits, the best first, and the names of the sources that did not answer."""

    hits: list[Hit]
    silent: list[str]


@runtime_checkable
class Finder(Protocol):
    """A source that can be searched."""

    async def search(self, query: str, *, count: int = 10) -> list[InstrumentInfo] | Failure:
        """What it knows by these words, the best first."""


async def search_sources(env: Env, query: str, first: int = 10) -> Found:
    """What the sources know by these words.

    Raises:
        BadInput: the words are none, or too long; `first` is not from 1 to 50.
        Unavailable: no source has been chosen yet.
    """
    check_first(first, 50)
    words = " ".join(query.split())
    if not words or len(words) > LONGEST_SEARCH or not words.isprintable():
        message = "query is %(value).60r; it must be 1 to %(bound)d printable characters"
        raise BadInput(message, field="query", value=query, bound=LONGEST_SEARCH)
    if await get_source(env) == "sample":
        return Found(await _judge(env, _in_sample(words), first), [])
    names = _sources_for(env, words)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_ask(env, name, words, first)) for name in names]
    answers = [task.result() for task in tasks]
    told = list(zip(names, answers, strict=True))
    infos = _well_known(words)
    for name, answer in told:
        if isinstance(answer, list):
            infos += [hit for hit in answer if name == _NAMES or _may_ask(env, name, hit.mic)]
    silent = [TITLES.get(n, n) for n, a in told if not isinstance(a, list)]
    return Found(await _judge(env, infos, first), silent)


def _sources_for(env: Env, words: str) -> list[str]:
    """The names of the sources to ask for those words."""
    code = _CODE.fullmatch(words)
    exchanges = ["XKRX"] if code else [*env.settings.source_order]
    sources = ("folder", "yahoo") if words.isascii() else ("folder",)
    allowed = [
        name
        for name in sources
        if name in env.sources and any(_may_ask(env, name, mic) for mic in exchanges)
    ]
    return [_NAMES, *allowed] if code or _HANGUL.search(words) else allowed


def _may_ask(env: Env, provider: str, mic: str) -> bool:
    return provider in providers_of(order_of(env, mic))


async def _ask(env: Env, name: str, words: str, first: int) -> list[InstrumentInfo] | Failure:
    source = env.sources.get(name)
    if not isinstance(source, Finder):
        return []
    try:
        async with asyncio.timeout(PATIENCE):
            return await source.search(words, count=first)
    except TimeoutError:
        return SourceDown(f"no answer within {PATIENCE:g} s")


async def _judge(env: Env, infos: Iterable[InstrumentInfo], first: int) -> list[Hit]:
    """Each symbol once, with whether it is watched."""
    once: dict[str, InstrumentInfo] = {}
    for info in infos:
        once.setdefault(info.symbol, info)
    known = await find_instruments(env, list(once))
    return [
        Hit(
            symbol=info.symbol,
            name=info.name,
            name_local=info.name_local,
            mic=info.mic,
            kind=info.kind,
            tracked=info.symbol in known and known[info.symbol].tracked,
        )
        for info in list(once.values())[:first]
    ]


def _well_known(words: str) -> list[InstrumentInfo]:
    """Of the table of Korean names; only Korean words are looked for there."""
    if not _HANGUL.search(words):
        return []
    wanted = words.casefold().replace(" ", "")
    found = [s for s, name in KOREAN_NAMES.items() if wanted in name.casefold().replace(" ", "")]
    return [_guess(symbol) for symbol in found if read_symbol(symbol) == symbol]


def _guess(symbol: str) -> InstrumentInfo:
    listing, name = guess_listing(symbol), KOREAN_NAMES[symbol]
    return InstrumentInfo(symbol, name, listing.mic, listing.currency, listing.kind, name)


def _in_sample(words: str) -> list[InstrumentInfo]:
    wanted = words.casefold()
    return [_of_seed(s) for s in DEFAULTS["sample"] if _has(s, wanted)]


def _has(seed: Seed, wanted: str) -> bool:
    texts = (seed.symbol, seed.name, seed.name_local or "")
    return any(wanted in text.casefold() for text in texts)


def _of_seed(s: Seed) -> InstrumentInfo:
    return InstrumentInfo(s.symbol, s.name, s.mic, s.currency, s.kind, s.name_local)
