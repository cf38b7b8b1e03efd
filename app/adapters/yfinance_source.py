"""Yahoo as the library yfinance reads it: a second reader of prices, profiles and fundamentals.

It brings pandas along, so that only workers load it (`app.adapters.worker_sources`). Questions go
through `Ticker` alone (`download` swallows faults), with its exceptions shown, one a thread. The
library makes its own session with Yahoo; only towards `SISE_YAHOO_URL` it is given one that sends
each request to that server. It asks for a cookie, a crumb and a time zone besides: a question is
one to three requests. What its exceptions mean:

    YFRateLimitError                    RateLimited (the library keeps no Retry-After to itself)
    no time zone, 404, "No data found"  NotListed
    prices missing, meta there          NoData
    an HTML page, a broken connection   SourceDown
    anything else it stumbles over      BadPayload

A row whose prices are all missing is left out: the library writes a missing volume as 0, so that
it cannot be told from a halt. A halt keeps the last close, and is told by that.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import polars as pl
import yfinance
from curl_cffi.requests import Session
from yfinance.data import YfData
from yfinance.exceptions import (
    YFException,
    YFPricesMissingError,
    YFRateLimitError,
    YFTzMissingError,
)

from app.adapters.politeness import USUAL_WAIT, Politeness
from app.adapters.prices import (
    DIVIDEND_SCHEMA,
    INTRADAY_SCHEMA,
    BadPayload,
    Failure,
    History,
    HostState,
    InstrumentInfo,
    Intraday,
    NoData,
    NotListed,
    Profile,
    RateLimited,
    SourceDown,
    Tick,
    is_symbol,
)
from app.adapters.yahoo_fundamentals import read_fundamentals
from app.adapters.yahoo_parse import (
    MINUTES,
    Malformed,
    make_history,
    parse_tick,
    price_digits,
    read_info,
    tidy_splits,
)
from app.adapters.yahoo_search import read_hit
from app.domain.bars import PRICES, check_prices, to_as_traded
from app.domain.fundamentals import Fundamentals

_FIRST_DAY: Final = date(1950, 1, 1)
_INFO_COST: Final = 3  # requests of one `get_info`
_COLUMNS: Final = {
    "open": "Open",
    "high": "High",
    "low": "Low",
    "close": "Close",
    "adj_close": "Adj Close",
    "volume": "Volume",
}
_META: Final = (
    "symbol", "currency", "exchangeName", "instrumentType", "exchangeTimezoneName", "longName",
    "shortName", "regularMarketPrice", "regularMarketTime", "regularMarketVolume", "previousClose",
    "chartPreviousClose",
)  # fmt: skip
_UNKNOWN: Final = ("No data found", "Not Found", "delisted")

_Answer = TypeVar("_Answer")
warnings.filterwarnings("ignore", module=r"yfinance\.")  # of its own use of pandas


class YFinanceSource:
    """yfinance towards Yahoo, or towards `url`. `cache`: the folder of its time zones and cookies.

    `timeout`: seconds for one request of the library; `host`: the manners towards the server.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        now: Callable[[], datetime],
        host: Politeness | None = None,
        cache: Path | None = None,
        timeout: float = 10.0,
    ) -> None:
        self._now = now
        self._host = host or Politeness(now=now)
        self._timeout = timeout
        self._session = None if url is None else _Redirected(url)
        yfinance.config.debug.hide_exceptions = False
        yfinance.config.network.retries = 0
        if cache is not None:
            yfinance.set_tz_cache_location(str(cache))

    @property
    def name(self) -> str:
        """What it is called."""
        return "yfinance"

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
        """What is known of the server."""
        return self._host.state()

    async def history(
        self, symbol: str, *, start: date | None = None, end: date | None = None
    ) -> History | Failure:
        """Daily bars and events; the answer always reaches up to now, for the splits since."""

        def read() -> History | Failure:
            ticker = self._ticker(symbol)
            frame = self._prices(ticker, start or _FIRST_DAY, interval="1d")
            info, _ = read_info({"meta": _meta(ticker)}, symbol, None)
            found = _to_history(info, frame).within(start, end)
            if found.bars.is_empty() and found.refused.is_empty():
                return NoData(f"no daily prices of {symbol} from {start} to {end or 'now'}")
            return found

        return await self._ask(symbol, read)

    async def intraday(self, symbol: str, *, minutes: int, days: int) -> Intraday | Failure:
        """Bars of 1, 5, 15 or 60 minutes."""
        if minutes not in MINUTES:
            return NoData(f"there are no bars of {minutes} minutes, but of {MINUTES}")
        reach = timedelta(days=min(days * 7 // 5 + 5, 7 if minutes == 1 else 59))

        def read() -> Intraday | Failure:
            ticker = self._ticker(symbol)
            frame = self._prices(ticker, (self._now() - reach).date(), interval=f"{minutes}m")
            info, _ = read_info({"meta": _meta(ticker)}, symbol, None)
            rows = to_as_traded(_to_rows(frame), _splits(frame), digits=price_digits(info))
            rows = rows.with_columns(at=pl.Series(_instants(frame)))
            sessions = rows["day"].unique().sort().tail(days)
            rows = rows.filter(pl.col("day").is_in(sessions.implode()), check_prices().is_null())
            return Intraday(info, rows.select(INTRADAY_SCHEMA.names()).cast(INTRADAY_SCHEMA))

        return await self._ask(symbol, read)

    async def quotes(self, symbols: list[str]) -> dict[str, Tick | Failure]:
        """The newest price of each symbol."""
        async with asyncio.TaskGroup() as group:
            tasks = {symbol: group.create_task(self._quote(symbol)) for symbol in symbols}
        return {symbol: task.result() for symbol, task in tasks.items()}

    async def search(self, query: str, *, count: int = 10) -> list[InstrumentInfo] | Failure:
        """Instruments of the supported markets whose name or code is like the words."""
        if not query.strip():
            return []

        def read() -> list[InstrumentInfo]:
            hits = yfinance.Search(
                query,
                max_results=count,
                news_count=0,
                lists_count=0,
                session=self._session,
                timeout=self._timeout,
            ).quotes
            return [hit.info for entry in hits if (hit := read_hit(entry)) is not None]

        return await self._ask("SEARCH", read)

    async def profile(self, symbol: str) -> Profile | Failure:
        """Name, sector and industry."""

        def read() -> Profile | Failure:
            facts = self._ticker(symbol).get_info()
            names = {"longname": facts.get("longName"), "shortname": facts.get("shortName")}
            known = {name: facts.get(name) for name in ("exchange", "quoteType")}
            business = {name: facts.get(name) for name in ("sector", "industry")}
            if known["quoteType"] in {None, "NONE"}:
                return NotListed(symbol)
            found = read_hit({"symbol": symbol, **names, **known, **business})
            return found or BadPayload(f"{symbol} is of a market or kind that is not supported")

        return await self._ask(symbol, read, cost=_INFO_COST)

    async def fundamentals(self, symbol: str) -> Fundamentals | Failure:
        """What the company costs, earns and owes."""

        def read() -> Fundamentals | Failure:
            facts = self._ticker(symbol).get_info()
            if facts.get("quoteType") in {None, "NONE"}:
                return NotListed(symbol)
            found = read_fundamentals(symbol, facts)
            return NoData(f"there are no fundamentals of {symbol}") if found.empty else found

        return await self._ask(symbol, read, cost=_INFO_COST)

    async def close(self) -> None:
        """Lets go of connections."""
        if self._session is not None:
            await asyncio.to_thread(self._session.close)

    async def _quote(self, symbol: str) -> Tick | Failure:
        def read() -> Tick | NoData:
            ticker = self._ticker(symbol)
            try:
                self._prices(ticker, None, period="1d", interval="1d")
            except YFPricesMissingError as error:
                if error.yahoo_reason is not None:
                    raise
            return parse_tick({"meta": _meta(ticker)}, symbol)

        return await self._ask(symbol, read)

    async def _ask(
        self, symbol: str, read: Callable[[], _Answer | Failure], *, cost: int = 1
    ) -> _Answer | Failure:
        """One question in a thread: the answer, or why there is none; `cost` in requests."""
        if not is_symbol(symbol):
            return NotListed(symbol)

        def safely() -> _Answer | Failure:
            YfData.cache_get.cache_clear()  # it would give old answers for ever
            try:
                return read()
            except Malformed as broken:
                return BadPayload(str(broken))
            except YFException as error:
                return _explain(symbol, error)
            except OSError as error:  # those of curl among them
                return _explain_http(symbol, error)
            except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
                return _explain_stumble(error)

        return await self._host.ask(lambda: asyncio.to_thread(safely), cost=cost)

    def _ticker(self, symbol: str) -> Any:
        return yfinance.Ticker(symbol, session=self._session)

    def _prices(self, ticker: Any, start: date | None, **how: str) -> Any:
        """The table of prices and events from `start` to now."""
        span = {} if start is None else {"start": start, "end": self._now() + timedelta(days=1)}
        try:
            return ticker.history(
                **span, **how, auto_adjust=False, actions=True, keepna=True, timeout=self._timeout
            )
        except YFPricesMissingError as error:
            if error.yahoo_reason is None and not _meta(ticker).get("symbol"):
                raise Malformed("the answer has neither prices nor an error") from error
            raise


class _Redirected(Session):  # type: ignore[type-arg]
    """Every request of yfinance goes to one server, its host as the first part of the path."""

    def __init__(self, base: str) -> None:
        super().__init__(impersonate="chrome")
        self._server = base.rstrip("/")

    def request(self, method: Any, url: str, **options: Any) -> Any:  # type: ignore[override]
        """The request, redirected."""
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        there = f"{self._server}/{parts.hostname}{parts.path}{query}"
        return super().request(method, there, **options)


def _explain(symbol: str, error: YFException) -> Failure:
    if isinstance(error, YFRateLimitError):
        return RateLimited(USUAL_WAIT)
    if isinstance(error, YFTzMissingError):
        return NotListed(symbol)
    text = str(error)[:200]
    if not isinstance(error, YFPricesMissingError):
        return SourceDown(text)
    if any(word in (error.yahoo_reason or "") for word in _UNKNOWN):
        return NotListed(symbol)
    return NoData(text)


def _explain_http(symbol: str, error: OSError) -> Failure:
    status = getattr(getattr(error, "response", None), "status_code", None) or 0
    if status == 404:
        return NotListed(symbol)
    if status == 429:
        return RateLimited(USUAL_WAIT)
    reason = str(error).partition(" See http")[0]
    return SourceDown(f"{type(error).__name__}: {reason}"[:200])


def _explain_stumble(error: Exception) -> Failure:
    if str(getattr(error, "doc", "")).lstrip().startswith("<"):
        return SourceDown("the answer was a page, not prices")
    return BadPayload(f"{type(error).__name__}: {error}"[:200])


def _meta(ticker: Any) -> dict[str, Any]:
    """What the answer said of the instrument, the instants as whole seconds again."""
    known = ticker.get_history_metadata()
    meta = {name: known[name] for name in _META if name in known}
    at = meta.get("regularMarketTime")
    if at is not None and not isinstance(at, int):
        meta["regularMarketTime"] = int(at.timestamp())
    return meta


def _instants(frame: Any) -> list[datetime]:
    return [at.to_pydatetime().astimezone(UTC) for at in frame.index]


def _to_rows(frame: Any) -> pl.DataFrame:
    """Rows that have a price, by day (of the exchange, which is the zone of the index)."""
    columns = [
        pl.Series(ours, frame[theirs].to_numpy(dtype="float64"), nan_to_null=True)
        for ours, theirs in _COLUMNS.items()
    ]
    days = pl.Series("day", [at.date() for at in frame.index], dtype=pl.Date)
    return pl.DataFrame([days, *columns])


def _to_history(info: InstrumentInfo, frame: Any) -> History:
    rows = _to_rows(frame)
    rows = rows.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in PRICES))
    rows = rows.unique("day", keep="last", maintain_order=True).sort("day")
    paid = []
    for name in ("Dividends", "Capital Gains"):
        if name in frame.columns:
            paid += [[at.date(), float(cash)] for at, cash in frame[name].items() if cash > 0]
    dividends = pl.DataFrame(paid, schema=DIVIDEND_SCHEMA, orient="row")
    return make_history(info, rows, _splits(frame), dividends)


def _splits(frame: Any) -> pl.DataFrame:
    rows = []
    for at, ratio in frame["Stock Splits"].items():
        if ratio > 0:
            exact = Fraction(ratio).limit_denominator(1000)
            rows.append([at.date(), float(exact.numerator), float(exact.denominator)])
    return tidy_splits(rows)
