"""Faults of the local Yahoo: whole answers that are wrong, and charts with one thing broken."""

from __future__ import annotations

import json
import math
import socket
import struct
from collections.abc import Callable
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from tests.fakes.listings import PRICES

PAGE = "<!doctype html><title>Yahoo</title><p>Will be right back..."


def broken(kind: str, fault: dict[str, Any]) -> Response | None:
    """Faults that need no chart."""
    if kind == "429":
        after = fault.get("retry_after", 60)
        headers = {} if after is None else {"Retry-After": str(after)}
        return PlainTextResponse("Edge: Too Many Requests", 429, headers)
    answers: dict[str, Callable[[], Response]] = {
        "500": lambda: HTMLResponse(PAGE, 503),
        "401": lambda: PlainTextResponse("Unauthorized", 401),
        "html": lambda: HTMLResponse(PAGE),
        "truncated": lambda: Response('{"chart":{"result":[{"meta":{"currency":"USD","sym'),
        "empty": lambda: JSONResponse({"chart": {"result": [], "error": None}}),
        "null": lambda: JSONResponse({"chart": {"result": None, "error": None}}),
        "huge": lambda: Response(b" " * (40 << 20)),
        "cut": lambda: Response(b"{", headers={"Content-Length": "1000"}),
    }
    return answers[kind]() if kind in answers else None


def reset(receive: Any) -> Response:
    """Ends the connection at once, without an answer (RST)."""
    transport = receive.__self__.transport  # uvicorn's
    option = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
    transport.abort()
    return Response()


def render(kind: str, answer: dict[str, Any]) -> Response:
    """The answer as JSON; with `nan` the last close is written as NaN, which is none."""
    if kind == "nan":
        quote = answer["chart"]["result"][0]["indicators"].get("quote", [{}])[0]
        for name in quote:
            quote[name][-1] = math.nan
    return Response(json.dumps(answer), media_type="application/json")


def spoil(kind: str, result: dict[str, Any]) -> None:
    """Faults inside a chart."""
    meta, quote = result["meta"], result["indicators"]["quote"][0]
    if kind == "nulls":
        for name in (*PRICES, "volume"):
            quote[name][-1] = None
    elif kind == "lengths":
        del quote["close"][-1]
    elif kind == "unordered":
        result["timestamp"].reverse()
    elif kind == "negative":
        quote["low"][-1] = -quote["low"][-1]
    elif kind == "types":
        quote["open"][0] = str(quote["open"][0])
    elif kind == "currency":
        meta["currency"] = "GBp"
    elif kind == "symbol":
        meta["symbol"] = "OTHER"
