"""`/backtests`: what was tested, asking for more, the result of each, and several side by side."""

from __future__ import annotations

import csv
import io
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, NotFound
from app.graphql.execute import run_document
from app.web.backtest_form import (
    DEFAULTS,
    EXITS,
    in_percent,
    read_input,
    write_query,
    write_request,
)
from app.web.backtest_listing import (
    SMALL,
    draw_curves,
    draw_trades,
    rows_of,
    shade,
    tell_exits,
    tell_values,
    with_years,
)
from app.web.forms import Form, read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.render import get_renderer
from app.web.shell import load_shell, nodes

_FIRST: Final = "sma_cross"
_DRAWN: Final = 4
"""Instruments whose trades are drawn."""


async def backtests(request: Request) -> Response:
    """`GET /backtests?after=`: one's own, the newest first, fifty at a time."""
    context = make_context(request)
    shell = await load_shell(context)
    after = request.query_params.get("after")
    page = await run_document("backtests/page", {"after": after}, context.renewed())
    info = page["backtests"]["pageInfo"]
    data = {
        "backtests": nodes(page["backtests"]),
        "count": page["backtests"]["totalCount"],
        "after": info["endCursor"] if info["hasNextPage"] else None,
        "first": after is None,
    }
    return get_renderer().page(request, "backtests/page.html", shell, data)


async def new(request: Request) -> Response:
    """`GET /backtests/new?strategy=`: the form of a strategy."""
    page = await run_document("backtests/new", None, make_context(request))
    return await _show_form(request, Form(typed=dict(request.query_params)), page)


async def run(request: Request) -> Response:
    """`POST /backtests/new`: begins and goes to its page; an error stands at its field."""
    typed = await read_form(request)
    context = make_context(request)
    page = await run_document("backtests/new", None, context.renewed())
    key = typed.get("strategy", _FIRST)
    unknown = {"key": key, "parameters": []}  # the schema refuses it
    strategy = next((one for one in page["strategies"] if one["key"] == key), unknown)
    try:
        wanted = read_input(typed, strategy)
        made = await run_document("backtests/_run", {"input": wanted}, context)
    except AppError as error:
        form = refuse(in_percent(error), typed, context.locale)
        return await _show_form(request, form, page)
    return RedirectResponse(f"/backtests/{made['runBacktest']['id']}", 303)


async def backtest(request: Request) -> Response:
    """`GET /backtests/{id}`: how far it is, and what came of it.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    return await _show(request, Form())


async def _show(request: Request, form: Form) -> Response:
    """The page of one, with what was wrong with a form on it."""
    context = make_context(request)
    shell = await load_shell(context)
    variables = {"id": request.path_params["id"]}
    page = await run_document("backtest/page", variables, context.renewed())
    it = page["backtest"]
    data: dict[str, Any] = {
        "form": form,
        "it": it,
        "again": urlencode(write_request(it)),
        "open": it["state"] in {"PENDING", "RUNNING"},
        "portfolios": [one for one in page["portfolios"] if one["kind"] != "TRACKED"],
    }
    if it["result"] is not None:
        data |= await _result(request, it)
    return get_renderer().page(request, "backtest/page.html", shell, data, status=form.status)


async def repeat(request: Request) -> Response:
    """`POST /backtests/{id}/repeat`: runs it again after each collection, or no more."""
    typed, context = await read_form(request), make_context(request)
    variables = {"id": request.path_params["id"], "on": typed.get("on") == "on"}
    try:
        await run_document("backtest/_repeat", variables, context)
    except AppError as error:
        return await _show(request, refuse(error, typed, context.locale, field="repeat"))
    return RedirectResponse(f"/backtests/{variables['id']}", 303)


async def shadow(request: Request) -> Response:
    """`POST /backtests/{id}/shadow`: makes the twin of a portfolio and goes to its page."""
    typed, context = await read_form(request), make_context(request)
    variables = {"id": request.path_params["id"], "portfolio": typed.get("portfolio", "")}
    try:
        made = await run_document("backtest/_shadow", variables, context)
    except AppError as error:
        return await _show(request, refuse(error, typed, context.locale, field="portfolioId"))
    return RedirectResponse(f"/backtests/{made['shadowPortfolio']['id']}", 303)


async def cancel(request: Request) -> Response:
    """`POST /backtests/{id}/cancel`: ends it."""
    id_ = request.path_params["id"]
    await run_document("backtest/_cancel", {"id": id_}, make_context(request))
    return RedirectResponse(f"/backtests/{id_}", 303)


async def delete(request: Request) -> Response:
    """`POST /backtests/{id}/delete`: takes it out of sight."""
    variables = {"id": request.path_params["id"]}
    await run_document("backtest/_delete", variables, make_context(request))
    return RedirectResponse("/backtests", 303)


async def compare(request: Request) -> Response:
    """`GET /backtests/compare?ids=`: two to six side by side.

    Raises:
        NotFound: one is not there, or somebody else's.
    """
    context = make_context(request)
    given = request.query_params.getlist("ids")
    ids = [one for text in given for one in text.split(",") if one]
    shell = await load_shell(context)
    found: list[dict[str, Any]] = []
    if ids:
        page = await run_document("backtests/compare", {"ids": ids[:6]}, context.renewed())
        found = [one for one in page["compareBacktests"] if one["result"]]
    for number, one in enumerate(found, 1):
        one["number"] = number
        if one["result"]["sweep"]:  # its exits were varied
            best = rows_of(one["result"]["sweep"]["best"])[0]
            one["input"] |= {name: best[name] for name in EXITS if name in best}
        one["curve"] = draw_curves(one["result"]["equity"], SMALL)
    return get_renderer().page(request, "backtests/compare.html", shell, {"backtests": found})


async def export(request: Request) -> Response:
    """`GET /backtests/{id}/export.{suffix}`: its trades as CSV, all of it as JSON.

    Raises:
        NotFound: there is none, it is somebody else's, or it has no result yet.
    """
    suffix, id_ = request.path_params["suffix"], request.path_params["id"]
    context = make_context(request)
    it = (await run_document("backtest/export", {"id": id_}, context))["backtest"]
    if suffix not in {"csv", "json"} or it["result"] is None:
        raise NotFound("There is nothing of that id, or it is not yours.")
    body = _as_csv(it["result"]["fills"]) if suffix == "csv" else orjson.dumps(it)
    kind = "text/csv; charset=utf-8" if suffix == "csv" else "application/json"
    name = f'attachment; filename="backtest-{it["id"]}.{suffix}"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(body, media_type=kind, headers=headers)


async def _show_form(request: Request, form: Form, page: dict[str, Any]) -> Response:
    shell = await load_shell(make_context(request))
    wanted = form.typed.get("strategy", _FIRST)
    listed = page["strategies"]
    chosen = next((one for one in listed if one["key"] == wanted), listed[0] if listed else None)
    symbols = [it for it in nodes(page["instruments"]) if it["kind"] in {"EQUITY", "ETF"}]
    choices = [(one["key"], one["name"]) for one in listed]
    data = {
        "choices": choices,
        "chosen": chosen,
        "defaults": DEFAULTS,
        "form": form,
        "strategies": listed,
        "symbols": symbols,
    }
    return get_renderer().page(request, "backtests/new.html", shell, data, status=form.status)


async def _result(request: Request, it: dict[str, Any]) -> dict[str, Any]:
    """What the templates draw of a result."""
    result, context = it["result"], make_context(request)
    fills = rows_of(result["fills"])
    drawn = []
    traded = sorted({row["symbol"] for row in fills})
    for symbol in traded[:_DRAWN]:
        own = [row for row in fills if row["symbol"] == symbol]
        variables = {"symbol": symbol, "from": it["firstDay"], "to": it["lastDay"]}
        page = await run_document("backtest/_prices", variables, context.renewed())
        if page["instrument"] is None:
            continue
        columns = {"day": [r["day"] for r in own], "quantity": [r["quantity"] for r in own]}
        picture = draw_trades(page["instrument"]["series"], columns)
        marked = {f"{row['day']}{'+' if row['quantity'] > 0 else '-'}": None for row in own}
        drawn.append({"instrument": page["instrument"], "marked": " ".join(marked), **picture})
    told: dict[str, Any] = {
        "chosen": {},
        "curve": draw_curves(result["equity"]),
        "drawn": drawn,
        "traded": len(traded),
        "differences": nodes(result["shadow"]["trades"]) if result["shadow"] else [],
        "each": sorted(rows_of(result["each"] or {}), key=lambda row: -row["roi"]),
        "folds": rows_of(result["walkForward"]["folds"]) if result["walkForward"] else [],
        "months": with_years(result["monthlyReturns"]),
        "trades": nodes(result["roundTrips"]),
    }
    if result["sweep"]:
        told |= await _sweep(it, request)
    return told


async def _sweep(it: dict[str, Any], request: Request) -> dict[str, Any]:
    sweep = it["result"]["sweep"]
    names = [axis["name"] for axis in sweep["axes"]]
    x = request.query_params.get("x", names[0])
    y = request.query_params.get("y", names[1] if len(names) > 1 else names[0])
    variables = {"id": it["id"], "x": x, "y": y}
    page = await run_document("backtest/_heatmap", variables, make_context(request))
    matrix = page["backtest"]["result"]["sweep"]["heatmap"]
    best = rows_of(sweep["best"])[0]
    values = {name: best[name] for name in names}
    return {
        "best": tell_exits(best),
        "chosen": values,
        "best_query": urlencode(write_query(it, values)),
        "heatmap": {
            "columns": tell_values(x, matrix["columns"]),
            "rows": shade(matrix | {"rows": tell_values(y, matrix["rows"])}, middle=None),
            "x": x,
            "y": y,
        },
        "neighbours": [tell_exits(row) for row in rows_of(sweep["neighbours"])],
    }


def _as_csv(columns: dict[str, list[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([_plain(one) if isinstance(one, float) else one for one in row])
    return out.getvalue().encode()


def _plain(value: float) -> str:
    """The number without the noise of a float."""
    return repr(round(value, 8)).removesuffix(".0")
