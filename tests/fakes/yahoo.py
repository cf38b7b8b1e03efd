"""A local Yahoo: chart API and price stream over real sockets, with faults on demand and a log.

    with start_fake_yahoo() as yahoo:              # in a thread of this process
        yahoo.url, yahoo.stream_url                # what the product is pointed at
        yahoo.fault("AAPL", "429", retry_after=30)
        yahoo.tick("AAPL", 431.5)
        yahoo.log("AAPL")                          # every request, oldest first

`python -m tests.fakes.yahoo --port 0 --latency 0.2` is the same as a process: its first line is the
URL, and `FakeYahoo(url)` steers it (the control paths begin with `/__`).

Faults (`kind`): 429, 500, 401, html, truncated, empty, null, nulls, lengths, unordered, negative,
types, currency, symbol, nan, huge, slow (`delay` seconds), held (until the faults are cleared),
reset, cut (the connection ends within the answer). The symbol `stream` with `refuse` turns streams away; `search` is the search's.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import inspect
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.clock import Clock
from app.config import load_settings
from tests.fakes import company
from tests.fakes.chart import chart, visible
from tests.fakes.faults import broken, render, reset, spoil
from tests.fakes.listings import PRICES, Listing, change_bars, load_listings
from tests.fakes.pricing import PricingData
from tests.fakes.running import listen, run_app, server_config
from tests.fakes.yahoo_state import Noticing, State


def _plain(symbol: str, status: int, code: str, text: str) -> Response:
    error = {"code": code, "description": text}
    return JSONResponse({"chart": {"result": None, "error": error}}, status)


async def _chart(request: Request) -> Response:
    state: State = request.app.state.yahoo
    symbol = request.path_params["symbol"].upper()
    query = dict(request.query_params)
    entry = {"at": time.monotonic(), "symbol": symbol, "path": request.url.path, "query": query}
    state.log.append(entry)
    now = state.clock.now() if state.clock else None
    told = {"symbol": symbol, "interval": query.get("interval"), "now": now and now.isoformat()}
    state.note(event="asked", **told)
    fault = state.take_fault(symbol)
    kind = entry["fault"] = str(fault["kind"])
    await asyncio.sleep(state.latency + (fault.get("delay", 5.0) if kind == "slow" else 0))
    while kind == "held" and fault in state.faults:
        await asyncio.sleep(0.005)
    if kind == "reset":
        return reset(request.receive)
    response = _answer(state, symbol, query, kind, fault)
    entry["status"] = response.status_code
    state.note(event="answered", status=response.status_code, **told)
    return response


def _answer(
    state: State, symbol: str, query: dict[str, str], kind: str, fault: dict[str, Any]
) -> Response:
    response = broken(kind, fault)
    if response is not None:
        return response
    listing = state.listings.get(symbol)
    if listing is None:
        return _plain(symbol, 404, "Not Found", "No data found, symbol may be delisted")
    if state.clock is not None:
        listing = visible(listing, state.clock.now().timestamp())
    result = chart(listing, query)
    if "error" in result:
        return _plain(symbol, *result["error"])
    if "timestamp" in result:
        spoil(kind, result)
    return render(kind, {"chart": {"result": [result], "error": None}})


async def _stream(socket_: WebSocket) -> None:
    """{"subscribe": [...]} in, {"type": "pricing", "message": base64(PricingData)} out."""
    state: State = socket_.app.state.yahoo
    if state.take_fault("stream")["kind"] == "refuse":
        await socket_.close(1011)
        return
    await socket_.accept()
    state.sockets[socket_] = set()
    with suppress(WebSocketDisconnect, RuntimeError):
        while socket_ in state.sockets:
            message = json.loads(await socket_.receive_text())
            state.touched = True
            state.log.append({"at": time.monotonic(), "symbol": "stream", "query": message})
            symbols = state.sockets.get(socket_, set())
            symbols |= set(message.get("subscribe", []))
            symbols -= set(message.get("unsubscribe", []))
    state.sockets.pop(socket_, None)


async def _tick(state: State, tick: dict[str, Any]) -> int:
    """Sends one price to whoever subscribed, and lets the chart's `meta` follow."""
    listing = state.listings[tick["symbol"]]
    at, price = tick.get("at") or Clock().now().timestamp(), tick["price"]
    before = tick.get("previous_close") or listing.bars["close"].drop_nulls()[-1]
    meta = {
        "regularMarketPrice": price,
        "regularMarketTime": int(at),
        "regularMarketVolume": tick.get("volume") or 0,
        "previousClose": before,
        "chartPreviousClose": before,
    }
    state.listings[listing.symbol] = replace(listing, quote=listing.quote | meta)
    data = PricingData(
        id=listing.symbol,
        price=price,
        time=round(at * 1000),
        currency=listing.currency,
        exchange=listing.exchange,
        quote_type={"EQUITY": 8, "INDEX": 9, "ETF": 20, "CURRENCY": 14}[listing.kind],
        market_hours=1,
        change=price - before,
        change_percent=100 * (price / before - 1),
        previous_close=before,
        day_volume=tick.get("volume") or 0,
        price_hint=2,
    )
    message = base64.b64encode(data.SerializeToString()).decode()
    return await _send(state, json.dumps({"type": "pricing", "message": message}), listing.symbol)


async def _send(state: State, text: str, symbol: str | None) -> int:
    sent = 0
    for socket_, symbols in list(state.sockets.items()):
        if symbol is None or symbol in symbols:
            with suppress(WebSocketDisconnect, RuntimeError):
                await socket_.send_text(text)
                sent += 1
    return sent


async def _control(request: Request) -> Response:
    state: State = request.app.state.yahoo
    action = _CONTROLS.get((request.method, request.path_params["what"]))
    if action is None:
        return PlainTextResponse("no such control", 404)
    answer = action(state, json.loads(await request.body() or b"null"))
    return JSONResponse(await answer if inspect.isawaitable(answer) else answer)


def _set_latency(state: State, seconds: float) -> None:
    state.latency = seconds


async def _send_raw(state: State, body: dict[str, str]) -> int:
    return await _send(state, body["text"], None)


async def _drop(state: State, body: None) -> None:
    while state.sockets:  # none is listed once it is being closed
        socket_, _ = state.sockets.popitem()
        with suppress(RuntimeError):
            await socket_.close(1012)


def _change(state: State, body: dict[str, Any]) -> None:
    """Moves the data: `bars` are merged by day, `drop` takes days away, the rest is replaced.

    `fresh`: there are no bars and events before.
    """
    symbol = body["symbol"]
    like = body.get("like")
    listing = replace(state.listings[like], symbol=symbol) if like else state.listings[symbol]
    if body.get("fresh"):
        listing = replace(listing, bars=listing.bars.clear(), splits={}, dividends={})
    bars = change_bars(listing.bars, body)
    changes: dict[str, Any] = {"bars": bars}
    for name in ("splits", "dividends", "closes"):
        if name in body:
            changes[name] = {date.fromisoformat(d): v for d, v in body[name].items()}
    if "intraday" in body:
        columns = ["at", *PRICES, "volume"]
        changes["intraday"] = pl.DataFrame(body["intraday"], schema=columns, orient="row")
    for name in ("live", "name", "exchange", "kind", "currency", "zone"):
        if name in body:
            changes[name] = body[name]
    if "quote" in body:
        changes["quote"] = listing.quote | body["quote"]
    state.listings[symbol] = replace(listing, **changes)


_CONTROLS: dict[tuple[str, str], Callable[[State, Any], Any]] = {
    ("PUT", "fault"): lambda state, body: state.faults.append(body),
    ("DELETE", "fault"): lambda state, _: state.faults.clear(),
    ("GET", "log"): lambda state, _: state.log,
    ("DELETE", "log"): lambda state, _: state.log.clear(),
    ("GET", "symbols"): lambda state, _: sorted(state.listings),
    ("GET", "streams"): lambda state, _: [sorted(s) for s in state.sockets.values()],
    ("POST", "set"): _change,
    ("POST", "figures"): lambda state, body: state.figures.change(**body),
    ("POST", "tick"): _tick,
    ("POST", "raw"): _send_raw,
    ("POST", "drop"): _drop,
    ("POST", "latency"): _set_latency,
    ("POST", "reset"): lambda state, _: state.reset(),
}


def build_app(
    listings: dict[str, Listing], latency: float = 0.0, clock: Clock | None = None
) -> Starlette:
    """The server as an ASGI app; a path may begin with Yahoo's host name."""
    app = Starlette(
        routes=[
            Route("/__{what}", _control, methods=["GET", "PUT", "POST", "DELETE"]),
            Route("/v8/finance/chart/{symbol}", _chart),
            Route("/{host}/v8/finance/chart/{symbol}", _chart),
            *company.ROUTES,
            WebSocketRoute("/stream", _stream),
        ]
    )
    app.state.yahoo = State(listings, latency, clock)
    app.add_middleware(Noticing, state=app.state.yahoo)
    return app


class FakeYahoo:
    """Steers a running server, in this process (then `state` is its) or another, over HTTP."""

    def __init__(self, url: str, state: State | None = None) -> None:
        self.url, self._state = url, state
        self.stream_url = url.replace("http", "ws", 1) + "/stream"
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=60)

    def _call(self, method: str, what: str, body: Any = None) -> Any:
        response = self._client.request(method, f"/__{what}", json=body)
        assert response.status_code == 200, f"{method} /__{what}: {response.text}"
        return response.json()

    def log(self, symbol: str | None = None) -> list[dict[str, Any]]:
        """Requests, oldest first: at, symbol, path, query, fault, status."""
        return [e for e in self._call("GET", "log") if symbol in {None, e["symbol"]}]

    def clear_log(self) -> None:
        """Forgets the requests so far."""
        self._call("DELETE", "log")

    def fault(self, symbol: str, kind: str, *, times: int | None = None, **options: Any) -> None:
        """From now on (or `times` times) the symbol, `*` for all, `stream`, answers with a fault."""
        self._call("PUT", "fault", {"symbol": symbol, "kind": kind, "times": times, **options})

    def clear_faults(self) -> None:
        """All is well again."""
        self._call("DELETE", "fault")

    def tick(
        self,
        symbol: str,
        price: float,
        previous_close: float | None = None,
        at: datetime | None = None,
        volume: int | None = None,
    ) -> int:
        """Sends a price to the subscribers; returns how many there were."""
        body = {"symbol": symbol, "price": price, "previous_close": previous_close}
        body |= {"at": at and at.astimezone(UTC).timestamp(), "volume": volume}
        return int(self._call("POST", "tick", body))

    def set(self, symbol: str, **changes: Any) -> None:
        """Moves the data, see `_change`; dates as ISO text; `like` begins with another's listing."""
        self._call("POST", "set", {"symbol": symbol, **changes})

    def tell(self, symbol: str, **figures: Any) -> None:
        """Changes fundamentals, under Yahoo's names; None: it does not tell that one."""
        self._call("POST", "figures", {"symbol": symbol, "figures": figures})

    def set_latency(self, seconds: float) -> None:
        """How long each answer takes."""
        self._call("POST", "latency", seconds)

    def symbols(self) -> list[str]:
        """What is listed."""
        return list(self._call("GET", "symbols"))

    def streams(self) -> list[list[str]]:
        """The open streams and the symbols of each."""
        return list(self._call("GET", "streams"))

    def send_raw(self, text: str) -> None:
        """Sends a text to every stream, whatever it is."""
        self._call("POST", "raw", {"text": text})

    def drop_streams(self) -> None:
        """Closes every stream."""
        self._call("POST", "drop")

    def reset(self) -> None:
        """No faults, no log, the data as at the start; they are when nobody has come since then."""
        if self._state is None or self._state.touched:
            self._call("POST", "reset")

    def close(self) -> None:
        """Lets go of the connection."""
        self._client.close()


@contextmanager
def start_fake_yahoo(
    data: str = "sample", *, latency: float = 0.0, port: int = 0
) -> Iterator[FakeYahoo]:
    """Runs the server in a thread until the block ends."""
    app = build_app(load_listings(data), latency)
    with run_app(app, port=port) as url:
        yahoo = FakeYahoo(url, app.state.yahoo)
        try:
            yield yahoo
        finally:
            yahoo.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the server as a process; prints its URL as the first line."""
    parser = argparse.ArgumentParser(description="A local Yahoo for tests")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--data", default="sample", help="`sample` or a folder of real prices")
    parser.add_argument("--clock", help="as SISE_CLOCK: bars appear at their open, settle at close")
    parser.add_argument("--changes", type=Path, help="a JSON list of what /__set takes")
    parser.add_argument("--journal", type=Path, help="where requests are noted, also after a kill")
    options = parser.parse_args(arguments)
    clock = load_settings({"SISE_CLOCK": options.clock}).clock if options.clock else None
    app = build_app(load_listings(options.data), options.latency, clock)
    app.state.yahoo.journal = options.journal
    for change in json.loads(options.changes.read_text()) if options.changes else []:
        _change(app.state.yahoo, change)
    with listen(options.port) as listener:
        server = uvicorn.Server(server_config(app))
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        server.run([listener])


if __name__ == "__main__":
    main(sys.argv[1:])
