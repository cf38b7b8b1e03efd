"""Korean prices and names from Naver, beside Yahoo: a second opinion on the Korea Exchange.

    fchart.stock.naver.com/sise.nhn              daily bars and the Korean name, as XML
    ac.stock.naver.com/ac                        search by Korean name or code, as JSON
    m.stock.naver.com/api/stocks/marketValue/…   all that is listed on KOSPI or KOSDAQ, by page

Why these and not the exchange's own data: docs/decisions/0007. Prices are of today's shares
(adjusted for splits, not for dividends) and there are no events; with `splits` known elsewhere they
are turned back. A session without a trade has zeros for open, high and low: a halt. Since the
second Korean market trades until 20:00, today's row moves until then and is left out before.
Symbols are Yahoo's: 005930.KS, 247540.KQ, ^KS11, ^KQ11.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import httpx
import polars as pl

from app.adapters.fetching import Fetcher
from app.adapters.krx_parse import parse_chart, parse_hits, parse_page
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
)
from app.adapters.yahoo_parse import Malformed, make_history
from app.domain.bars import PriceBasis

NAVER: Final = "https://naver.com"  # the name under which its hosts are asked
SEOUL: Final = ZoneInfo("Asia/Seoul")
INDICES: Final = {"^KS11": "KOSPI", "^KQ11": "KOSDAQ"}
BOARDS: Final = ("KOSPI", "KOSDAQ")
_SHARE: Final = re.compile(r"([0-9]{4}[0-9A-Z]{2})\.K[SQ]")
_MOST: Final = 6000  # rows of one answer
_SETTLED: Final = time(20, 10)  # when today's row has stopped moving
_CLOSE: Final = time(15, 30)
_PAGE: Final = 100
_PAGES: Final = 60

_Answer = TypeVar("_Answer")


class KrxSource:
    """Naver's hosts, or one server at `url` that speaks for them (the host first in the path)."""

    def __init__(
        self,
        url: str | None = None,
        *,
        now: Callable[[], datetime],
        host: Politeness | None = None,
        timeout: float = 15.0,
    ) -> None:
        self._url, self._now = url and url.rstrip("/"), now
        self._host = host or Politeness(now=now)
        headers = {"User-Agent": "Mozilla/5.0", "Referer": "https://finance.naver.com/"}
        self._fetcher = Fetcher(httpx.AsyncHTTPTransport, now=now, timeout=timeout, headers=headers)

    @property
    def name(self) -> str:
        """What it is called."""
        return "krx"

    @property
    def provider(self) -> str:
        """What `bar.source` holds."""
        return "krx"

    @property
    def minutes(self) -> tuple[int, ...]:
        """None: its bars within the day have closes only."""
        return ()

    @property
    def live(self) -> bool:
        """Its quotes are the last close."""
        return False

    def state(self) -> HostState:
        """What is known of the hosts."""
        return self._host.state()

    async def history(
        self,
        symbol: str,
        *,
        start: date | None = None,
        end: date | None = None,
        splits: pl.DataFrame | None = None,
    ) -> History | Failure:
        """Daily bars of today's shares, or as traded if all `splits` (SPLIT_SCHEMA) are given."""
        code = find_code(symbol)
        if code is None:
            return NotListed(symbol)
        today = self._now().astimezone(SEOUL)
        days = _MOST if start is None else (today.date() - start).days + 2
        params = {"symbol": code, "timeframe": "day", "requestType": "0"}
        params["count"] = str(min(max(days, 2), _MOST))

        def read(body: bytes) -> History | Failure:
            found = parse_chart(body, symbol, code)
            if not isinstance(found, History):
                return found
            if splits is not None:
                rows, none = found.bars, found.dividends
                refused = found.refused
                found = make_history(found.info, rows, splits, none)
                found = replace(found, refused=pl.concat([refused, found.refused]))
            else:
                found = replace(found, basis=PriceBasis.SPLIT_ADJUSTED)
            if today.time() < _SETTLED:
                before = pl.col("day") < today.date()
                bars, refused = found.bars.filter(before), found.refused.filter(before)
                found = replace(found, bars=bars, refused=refused)
            found = found.within(start, end)
            if found.bars.is_empty() and found.refused.is_empty():
                return NoData(f"no daily prices of {symbol} from {start} to {end or 'now'}")
            return found

        return await self._ask("fchart.stock.naver.com/sise.nhn", params, read)

    async def intraday(self, symbol: str, *, minutes: int, days: int) -> Intraday | Failure:  # noqa: ARG002
        """There are none: Naver's bars within the day have closes only."""
        found = await self._newest(symbol)
        return NoData("Naver has daily prices only") if isinstance(found, History) else found

    async def quotes(self, symbols: list[str]) -> dict[str, Tick | Failure]:
        """The newest settled close of each."""
        async with asyncio.TaskGroup() as group:
            tasks = {symbol: group.create_task(self._quote(symbol)) for symbol in symbols}
        return {symbol: task.result() for symbol, task in tasks.items()}

    async def search(self, query: str, *, count: int = 10) -> list[InstrumentInfo] | Failure:
        """Shares and funds of Korea by name, in Korean or English, or by code."""
        words = " ".join(query.split())[:100]
        if not words:
            return []
        params = {"q": words, "target": "stock"}
        return await self._ask(
            "ac.stock.naver.com/ac", params, lambda body: parse_hits(body)[:count]
        )

    async def profile(self, symbol: str) -> Profile | Failure:
        """The Korean name; there is no sector."""
        found = await self._newest(symbol)
        return Profile(found.info) if isinstance(found, History) else found

    async def listing(self, board: str) -> list[InstrumentInfo] | Failure:
        """All shares and funds of KOSPI or KOSDAQ, the largest first."""
        if board not in BOARDS:
            return NotListed(board)
        path = f"m.stock.naver.com/api/stocks/marketValue/{board}"
        listed: list[InstrumentInfo] = []
        for page in range(1, _PAGES + 1):
            params = {"page": str(page), "pageSize": str(_PAGE)}
            found = await self._ask(path, params, lambda body: parse_page(body, board))
            if not isinstance(found, tuple):
                return found
            total, infos = found
            listed += infos
            if not infos or page * _PAGE >= total:
                break
        return listed

    async def close(self) -> None:
        """Lets go of connections."""
        await self._fetcher.close()

    async def _newest(self, symbol: str) -> History | Failure:
        start = date.fromordinal(self._now().date().toordinal() - 30)
        return await self.history(symbol, start=start)

    async def _quote(self, symbol: str) -> Tick | Failure:
        found = await self._newest(symbol)
        if not isinstance(found, History):
            return found
        rows = found.bars.drop_nulls("close").tail(2).rows(named=True)
        if not rows:
            return NoData(f"no price of {symbol}")
        return Tick(
            symbol=symbol,
            price=rows[-1]["close"],
            at=datetime.combine(rows[-1]["day"], _CLOSE, SEOUL).astimezone(UTC),
            previous_close=rows[0]["close"] if len(rows) == 2 else None,
            volume=rows[-1]["volume"],
        )

    async def _ask(
        self, place: str, params: dict[str, str], read: Callable[[bytes], _Answer | Failure]
    ) -> _Answer | Failure:
        url = f"{self._url}/{place}" if self._url else f"https://{place}"
        answer: Any = await self._host.ask(lambda: self._fetcher.get(url, params))
        if not isinstance(answer, tuple):
            failure: Failure = answer
            return failure
        status, body = answer
        if status != httpx.codes.OK:
            return BadPayload(f"the answer was {status}")
        try:
            return await asyncio.to_thread(read, body)
        except Malformed as broken:
            return BadPayload(str(broken))


def find_code(symbol: str) -> str | None:
    """Naver's code of a Korean symbol; None for any other."""
    share = _SHARE.fullmatch(symbol)
    return share[1] if share else INDICES.get(symbol)
