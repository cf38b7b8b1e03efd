"""Yahoo's prices over its chart API (`/v8/finance/chart/SYMBOL`), and what went wrong when it did.

    404 with the API's error object     NotListed
    200 without rows, 400 and 422       NoData
    429                                 RateLimited; nothing is sent until Retry-After has passed
    5xx, a redirect, no answer          SourceDown, after two more tries with growing random pauses
    anything that breaks a rule         BadPayload, with what broke

How often and how many at a time is a matter of `Politeness`. Yahoo refuses the TLS fingerprints of
plain clients, so libcurl speaks as a browser does. `SISE_YAHOO_URL` names another server of the
same API. `search` asks `/v1/finance/search`, which needs no cookie and no crumb.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx

from app.adapters.fetching import Fetcher
from app.adapters.politeness import Politeness
from app.adapters.prices import (
    BadPayload,
    Failure,
    History,
    HostState,
    InstrumentInfo,
    Intraday,
    NoData,
    NotListed,
    Profile,
    Tick,
    is_symbol,
)
from app.adapters.yahoo_parse import (
    MINUTES,
    Malformed,
    parse_history,
    parse_intraday,
    parse_tick,
    read_chart,
    read_error,
    read_result,
)
from app.adapters.yahoo_search import read_search

_QUERY_LENGTH: Final = 100
_EVENTS: Final = "div,splits,capitalGains"

_Answer = TypeVar("_Answer")
_log = logging.getLogger(__name__)


class YahooSource:
    """The chart API at `url`. `now` is the clock, `transport` (None: libcurl as a browser) the way.

    `timeout`: seconds for one try in all. `host`: the manners towards the server, shared with who
    else asks it; without, its own, with `pause` mean seconds before the second try.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
        self,
        url: str,
        *,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 20.0,
        pause: float = 0.5,
        host: Politeness | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._now = now
        self._host = host or Politeness(now=now, pause=pause)
        way = _browser if transport is None else lambda: transport
        self._fetcher = Fetcher(way, now=now, timeout=timeout)

    @property
    def name(self) -> str:
        """What it is called."""
        return "yahoo"

    @property
    def provider(self) -> str:
        """What `bar.source` holds."""
        return "yahoo"

    @property
    def minutes(self) -> tuple[int, ...]:
        """The lengths of its bars within days."""
        return MINUTES

    @property
    def live(self) -> bool:
        """Its quotes move during a session."""
        return True

    def state(self) -> HostState:
        """What is known of the server: whether it may be asked, and how often."""
        return self._host.state()

    async def history(
        self, symbol: str, *, start: date | None = None, end: date | None = None
    ) -> History | Failure:
        """Daily bars and events; the answer always reaches up to now, for the splits since."""
        first = 0 if start is None else _seconds(start) - 86_400
        query = {"interval": "1d", "events": _EVENTS, "includeAdjustedClose": "true"}
        query |= {"period1": str(first), "period2": str(self._tomorrow())}
        history = await self._ask(symbol, query, lambda r: parse_history(r, symbol))
        if not isinstance(history, History):
            return history
        found = history.within(start, end)
        if found.bars.is_empty() and found.refused.is_empty():
            return NoData(f"no daily prices of {symbol} from {start} to {end or 'now'}")
        return found

    async def intraday(self, symbol: str, *, minutes: int, days: int) -> Intraday | Failure:
        """Bars of 1, 5, 15 or 60 minutes; Yahoo keeps the first for a week, the rest two months."""
        if minutes not in MINUTES:
            return NoData(f"there are no bars of {minutes} minutes, but of {MINUTES}")
        reach = timedelta(days=min(days * 7 // 5 + 5, 7 if minutes == 1 else 59))
        query = {"interval": f"{minutes}m", "events": _EVENTS, "includePrePost": "false"}
        first = int((self._now() - reach).timestamp())
        query |= {"period1": str(first), "period2": str(self._tomorrow())}
        return await self._ask(
            symbol, query, lambda r: parse_intraday(r, symbol, minutes=minutes, days=days)
        )

    async def quotes(self, symbols: list[str]) -> dict[str, Tick | Failure]:
        """The newest price of each symbol."""
        async with asyncio.TaskGroup() as group:
            tasks = {symbol: group.create_task(self._quote(symbol)) for symbol in symbols}
        return {symbol: task.result() for symbol, task in tasks.items()}

    async def close(self) -> None:
        """Lets go of connections."""
        await self._fetcher.close()

    async def _quote(self, symbol: str) -> Tick | Failure:
        query = {"interval": "1m", "range": "1d"}
        return await self._ask(symbol, query, lambda r: parse_tick(r, symbol))

    def _tomorrow(self) -> int:
        return int(self._now().timestamp()) + 86_400

    async def search(self, query: str, *, count: int = 10) -> list[InstrumentInfo] | Failure:
        """Instruments of the supported markets whose name or code is like the words."""
        found = await self._search(query, count)
        return [hit.info for hit in found] if isinstance(found, list) else found

    async def profile(self, symbol: str) -> Profile | Failure:
        """Name, sector and industry, from the search for the symbol itself."""
        if not is_symbol(symbol):
            return NotListed(symbol)
        found = await self._search(symbol, 10)
        if not isinstance(found, list):
            return found
        return next((hit for hit in found if hit.info.symbol == symbol), NotListed(symbol))

    async def _search(self, query: str, count: int) -> list[Profile] | Failure:
        words = " ".join(query.split())[:_QUERY_LENGTH]
        if not words:
            return []
        params = {"q": words, "quotesCount": str(count), "newsCount": "0", "listsCount": "0"}
        params |= {"enableFuzzyQuery": "false", "quotesQueryId": "tss_match_phrase_query"}
        answer = await self._host.ask(lambda: self._get("/v1/finance/search", params))
        if not isinstance(answer, tuple):
            return answer
        if answer[0] == httpx.codes.BAD_REQUEST:  # words that it cannot search for, as Korean ones
            return []
        if answer[0] != httpx.codes.OK:
            return BadPayload(f"the answer to a search was {answer[0]}")
        return await _parse(words, lambda: read_search(answer[1])[:count])

    async def _ask(
        self, symbol: str, query: dict[str, str], parse: Callable[[dict[str, Any]], _Answer]
    ) -> _Answer | Failure:
        """One question: the answer parsed, or why there is none."""
        if not is_symbol(symbol):
            return NotListed(symbol)
        path = f"/v8/finance/chart/{quote(symbol, safe='')}"
        answer = await self._host.ask(lambda: self._get(path, query))
        if not isinstance(answer, tuple):
            return answer
        status, body = answer
        return await _parse(symbol, lambda: _read(symbol, status, body, parse))

    async def _get(self, path: str, query: dict[str, str]) -> tuple[int, bytes] | Failure:
        return await self._fetcher.get(self._url + path, query)


def _browser() -> httpx.AsyncBaseTransport:
    from httpx_curl_cffi import AsyncCurlTransport  # noqa: PLC0415 - 8 MB, for those who do ask

    return AsyncCurlTransport(impersonate="chrome", default_headers=True, max_connections=4)


async def _parse(asked: str, parse: Callable[[], _Answer]) -> _Answer | BadPayload:
    """The answer read in a thread; BadPayload, with what broke, when it breaks a rule."""
    try:
        return await asyncio.to_thread(parse)
    except Malformed as broken:
        _log.warning("bad payload", extra={"asked": asked, "broken": str(broken)})
        return BadPayload(str(broken))


def _read(
    symbol: str, status: int, body: bytes, parse: Callable[[dict[str, Any]], _Answer]
) -> _Answer | NotListed | NoData:
    chart = read_chart(body)
    error = read_error(chart)
    if error is None:
        if status != httpx.codes.OK:
            raise Malformed(f"the answer was {status} without an error")
        return parse(read_result(chart))
    code, description = error
    if status == httpx.codes.NOT_FOUND or code == "Not Found":
        return NotListed(symbol)
    return NoData(description)


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
