"""Yahoo's prices over its chart API (`/v8/finance/chart/SYMBOL`), and what went wrong when it did.

    404 with the API's error object     NotListed
    200 without rows, 400 and 422       NoData
    429                                 RateLimited; nothing is sent until Retry-After has passed
    5xx, a redirect, no answer          SourceDown, after two more tries with growing random pauses
    anything that breaks a rule         BadPayload, with what broke

Yahoo refuses the TLS fingerprints of plain clients, so libcurl speaks as a browser does. At most
four requests run at a time. `SISE_YAHOO_URL` names another server of the same API.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
import polars as pl
from httpx_curl_cffi import AsyncCurlTransport

from app.adapters.prices import (
    BadPayload,
    Failure,
    History,
    Intraday,
    NoData,
    NotListed,
    RateLimited,
    SourceDown,
    Tick,
)
from app.adapters.yahoo_parse import (
    Malformed,
    parse_history,
    parse_intraday,
    parse_tick,
    read_chart,
    read_error,
    read_result,
)

INTRADAY_MINUTES: Final = (1, 5, 15, 60)
TRIES: Final = 3
LONGEST_WAIT: Final = 3600.0  # seconds that a Retry-After is believed
_USUAL_WAIT: Final = 60.0
_LARGEST_BODY: Final = 32 << 20
_SYMBOL_LENGTH: Final = 24
_EXTRA: Final = frozenset(".^=-&")
_EVENTS: Final = "div,splits,capitalGains"
_RANDOM: Final = SystemRandom()

_Answer = TypeVar("_Answer")
_log = logging.getLogger(__name__)


class YahooSource:
    """The chart API at `url`. `now` is the clock, `transport` (None: libcurl as a browser) the way.

    `timeout`: seconds for one try in all; `pause`: the mean seconds before the second try.
    """

    def __init__(
        self,
        url: str,
        *,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 20.0,
        pause: float = 0.5,
    ) -> None:
        self._url = url.rstrip("/")
        self._now = now
        self._transport = transport
        self._timeout = timeout
        self._pause = pause
        self._slots = asyncio.Semaphore(4)
        self._closed_until: datetime | None = None
        self._client: httpx.AsyncClient | None = None

    @property
    def name(self) -> str:
        """What `bar.source` holds."""
        return "yahoo"

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
        first_day, last_day = start or date.min, end or date.max
        within = pl.col("day").is_between(first_day, last_day)
        bars = history.bars.filter(within)
        rejected = [row for row in history.rejected if first_day <= row[0] <= last_day]
        if bars.is_empty() and not rejected:
            return NoData(f"no daily prices of {symbol} from {start} to {end or 'now'}")
        splits, dividends = history.splits.filter(within), history.dividends.filter(within)
        return History(history.info, bars, splits, dividends, rejected)

    async def intraday(self, symbol: str, *, minutes: int, days: int) -> Intraday | Failure:
        """Bars of 1, 5, 15 or 60 minutes; Yahoo keeps the first for a week, the rest two months."""
        if minutes not in INTRADAY_MINUTES:
            return NoData(f"there are no bars of {minutes} minutes, but of {INTRADAY_MINUTES}")
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
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _quote(self, symbol: str) -> Tick | Failure:
        query = {"interval": "1m", "range": "1d"}
        return await self._ask(symbol, query, lambda r: parse_tick(r, symbol))

    def _tomorrow(self) -> int:
        return int(self._now().timestamp()) + 86_400

    async def _ask(
        self, symbol: str, query: dict[str, str], parse: Callable[[dict[str, Any]], _Answer]
    ) -> _Answer | Failure:
        """One question: the answer parsed, or why there is none."""
        if not _is_symbol(symbol):
            return NotListed(symbol)
        answer: tuple[int, bytes] | Failure = SourceDown("not asked")
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(self._pause * 2 ** (attempt - 1) * _RANDOM.uniform(0.5, 1.5))
            answer = await self._get(symbol, query)
            if not isinstance(answer, SourceDown):
                break
        if not isinstance(answer, tuple):
            return answer
        status, body = answer
        try:
            return await asyncio.to_thread(lambda: _read(symbol, status, body, parse))
        except Malformed as broken:
            _log.warning("bad payload", extra={"symbol": symbol, "broken": str(broken)})
            return BadPayload(str(broken))

    async def _get(self, symbol: str, query: dict[str, str]) -> tuple[int, bytes] | Failure:
        """One try: status and body."""
        async with self._slots:
            wait = self._wait()
            if wait > 0:
                return RateLimited(wait)
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._send(symbol, query)
            except TimeoutError:
                return SourceDown(f"no answer within {self._timeout:g} s")
            except (httpx.HTTPError, OSError) as error:
                reason = str(error).partition(" See http")[0]
                return SourceDown(f"{type(error).__name__}: {reason}"[:200])

    async def _send(self, symbol: str, query: dict[str, str]) -> tuple[int, bytes] | Failure:
        url = f"{self._url}/v8/finance/chart/{quote(symbol, safe='')}"
        body = bytearray()
        async with self._open().stream("GET", url, params=query) as response:
            if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                return self._shut(response.headers.get("Retry-After"))
            if response.status_code not in {200, 400, 404, 422}:
                return SourceDown(f"the answer was {response.status_code}")
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST_BODY:
                    return BadPayload(f"the answer is larger than {_LARGEST_BODY >> 20} MB")
        return response.status_code, bytes(body)

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            transport = self._transport or AsyncCurlTransport(
                impersonate="chrome", default_headers=True, max_connections=4
            )
            limit = httpx.Timeout(self._timeout, connect=min(5.0, self._timeout))
            self._client = httpx.AsyncClient(transport=transport, timeout=limit, trust_env=False)
        return self._client

    def _wait(self) -> float:
        """Seconds until Yahoo may be asked again."""
        if self._closed_until is None:
            return 0.0
        return max(0.0, (self._closed_until - self._now()).total_seconds())

    def _shut(self, retry_after: str | None) -> RateLimited:
        seconds = min(max(_read_wait(retry_after, self._now()), 1.0), LONGEST_WAIT)
        until = self._now() + timedelta(seconds=seconds)
        self._closed_until = max(until, self._closed_until or until)
        _log.warning("Yahoo limits the rate", extra={"retry_after": seconds})
        return RateLimited(seconds)


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


def _read_wait(retry_after: str | None, now: datetime) -> float:
    """Seconds of a Retry-After: a number or an HTTP date; a minute when it is neither."""
    if retry_after is None:
        return _USUAL_WAIT
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return _USUAL_WAIT
    return (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _is_symbol(symbol: str) -> bool:
    letters = all((c.isascii() and c.isalnum()) or c in _EXTRA for c in symbol)
    return letters and symbol == symbol.upper() and 0 < len(symbol) <= _SYMBOL_LENGTH
