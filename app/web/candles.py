"""`/api/candles/{symbol}`: the columns of a chart as JSON, and what the address asks for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.errors import AppError, BadInput, NotFound
from app.graphql.context import Context
from app.graphql.execute import run_document
from app.translations import translate_error
from app.web.chart_view import ChartView, first_day, read_view
from app.web.graphql_endpoint import make_context
from app.web.preferences import read_preferences
from app.web.shell import load_shell, newest_day

CACHING: Final = "private, max-age=30"
REPLAYING: Final = "private, no-cache"
"""A replayed day lasts seconds, and charts that are compared should end with the same one."""

OLDER_BARS: Final = 300
"""How many bars `before=` gives: what a chart asks for when it is moved to the left."""

_INDICATORS: Final = {"rsi": "RSI", "macd": "MACD", "bollinger": "BOLLINGER"}


async def candles(request: Request) -> Response:
    """Answers `{symbol, currency, interval, reason, series, signals}`; `series` holds columns.

    The bars are those of the range, or of the days `from` and `to`, or the 300 before the one that
    has the day `before` in it. An error is `{code, message}` in the reader's language with its
    status.
    """
    try:
        answer, caching = await _load(request)
    except AppError as error:
        message = translate_error(error, read_preferences(request).locale)
        return _json({"code": error.code, "message": message}, error.status, "no-store")
    return _json(answer, 200, caching)


async def _load(request: Request) -> tuple[dict[str, Any], str]:
    symbol = request.path_params["symbol"]
    view = read_view(request.url.path, symbol, request.query_params, named=False)
    context = make_context(request)
    variables = indicator_variables(view)
    variables |= {"symbol": symbol, "interval": view.interval, "basis": view.basis}
    variables |= await _span(request, view, context)
    variables["signals"] = "signals" in view.panes and view.interval == "DAY"
    page = await run_document("instrument/candles", variables, context)
    found = page["instrument"]
    if found is None:
        raise NotFound("There is no instrument %(symbol).40r.", symbol=symbol)
    intraday = view.range in ChartView.INTRADAY
    answer = {
        "symbol": found["symbol"],
        "currency": found["currency"],
        "interval": view.interval,
        "reason": found["intradayReason"] if intraday else None,
        "series": found["series"],
        "signals": found.get("strongSignals"),
    }
    return answer, REPLAYING if page["source"]["historic"] else CACHING


async def _span(request: Request, view: ChartView, context: Context) -> dict[str, Any]:
    """The days asked for; `last` bounds the bars where only their end is given."""
    before = _read_day(request, "before")
    if before is not None:
        return {"to": _day_ahead(before, view.interval).isoformat(), "last": OLDER_BARS}
    start, end = _read_day(request, "from"), _read_day(request, "to")
    if start is None and end is None:
        start = first_day(view.range, newest_day(context, await load_shell(context)))
    return {"from": start and start.isoformat(), "to": end and end.isoformat()}


def _day_ahead(day: date, interval: str) -> date:
    """The day before the bar that has this day in it: a week begins on Monday."""
    if interval == "WEEK":
        day -= timedelta(days=min(day.weekday(), day.toordinal() - 1))
    elif interval == "MONTH":
        day = day.replace(day=1)
    return date.fromordinal(max(day.toordinal() - 1, 1))


def indicator_variables(view: ChartView) -> dict[str, Any]:
    """Indicators and averages of a view; minutes have averages alone."""
    shown = view.panes if view.interval in ChartView.INTERVALS else ()
    return {
        "indicators": [_INDICATORS[pane] for pane in shown if pane in _INDICATORS],
        "studies": [int(bars) for bars in view.mas],
    }


def _read_day(request: Request, name: str) -> date | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(
            "%(name)s is %(value).40r; it must be a day such as 2026-01-05",
            field=name,
            name=name,
            value=text,
        ) from None


def _json(body: dict[str, Any], status: int, caching: str) -> Response:
    headers = {"Cache-Control": caching, "Vary": "Cookie, Accept-Language"}
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
