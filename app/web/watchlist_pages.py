"""`/watchlists`: one's own lists; each with its prices, its order, and a form that takes pastes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, BadInput
from app.graphql.context import Context
from app.graphql.execute import run_document
from app.web.forms import Form, local_address, read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.render import get_renderer
from app.web.shell import load_shell

_STEPS: Final = {"up": -1, "down": 1}
_LONGEST_SYMBOL: Final = 20


async def watchlists(request: Request) -> Response:
    """`GET /watchlists?symbol=`: all of them, and the form for another (with that on it)."""
    symbol = request.query_params.get("symbol", "")[:_LONGEST_SYMBOL]
    return await _show_all(request, Form(typed={"symbol": symbol}))


async def create(request: Request) -> Response:
    """`POST /watchlists`: makes one and goes to its page."""
    typed = await read_form(request)
    context = make_context(request)
    symbols = [typed["symbol"]] if typed.get("symbol") else []
    variables = {"name": typed.get("name", ""), "symbols": symbols}
    try:
        made = await run_document("watchlists/_create", variables, context)
    except AppError as error:
        return await _show_all(request, refuse(error, typed, context.locale, field="name"))
    return RedirectResponse(f"/watchlists/{made['saveWatchlist']['id']}", 303)


async def watchlist(request: Request) -> Response:
    """`GET /watchlists/{id}?edit=1&taken=`: its instruments, and what can be done with it.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    return await _show(request, Form())


async def change(request: Request) -> Response:
    """`POST /watchlists/{id}`: `act` says what; then back to the page that it was done on.

    rename, delete and add take fields; the others name a symbol: `take AAPL`, `up AAPL`,
    `down AAPL`, and `move` with `symbol` and `position`.
    """
    typed = await read_form(request)
    act, _, about = typed.get("act", "").partition(" ")
    given = {**typed, "symbol": about or typed.get("symbol", "")}
    context = make_context(request)
    try:
        document, variables = await _read_act(request, act, given)
        found = await run_document(document, variables, context)
    except AppError as error:
        field = {"rename": "name", "add": "symbols"}.get(act, "")
        return await _show(request, refuse(error, typed, context.locale, name=act, field=field))
    words = found.get("addToWatchlist", {}).get("words", [])
    refused = [word["text"] for word in words if word["outcome"] in {"UNKNOWN", "NOT_A_SYMBOL"}]
    if refused:
        return await _show(request, Form("add", {"symbols": " ".join(refused)}), words)
    return RedirectResponse(_afterwards(request, act, given), 303)


def _afterwards(request: Request, act: str, given: Mapping[str, str]) -> str:
    if act == "delete":
        return "/watchlists"
    if given.get("back"):
        return local_address(given["back"])
    here, symbol = request.url.path, quote(given["symbol"], safe="")
    if act == "take":
        return f"{here}?edit=1&taken={symbol}"
    return f"{here}?edit=1#{symbol}" if act in _STEPS else here


async def _read_act(
    request: Request, act: str, given: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """The document of a change and its variables.

    Raises:
        BadInput: there is no such change, or a position that is no number.
        NotFound: there is no such list, or it is somebody else's.
    """
    variables: dict[str, Any] = {"id": request.path_params["id"]}
    if act == "delete":
        return "watchlist/_delete", variables
    if act == "rename":
        return "watchlist/_rename", variables | {"name": given.get("name", "")}
    if act == "add":
        lines = given.get("symbols", "").splitlines() or [given["symbol"]]
        return "watchlist/_add", variables | {"symbols": lines}
    variables["symbol"] = given["symbol"]
    if act == "take":
        return "watchlist/_take", variables
    if act == "move":
        return "watchlist/_move", variables | {"position": _read_position(given)}
    if act in _STEPS:
        position = await _step(make_context(request), variables, _STEPS[act])
        return "watchlist/_move", variables | {"position": position}
    known = "rename, delete, add, take, up, down, move"
    message = "act is %(value).20r; it must be one of %(known)s"
    raise BadInput(message, field="act", value=act, known=known)


async def _step(context: Context, variables: Mapping[str, Any], step: int) -> int:
    """The place above or below where a symbol stands; at an end it stays."""
    found = await run_document("watchlist/_symbols", {"id": variables["id"]}, context)
    symbols = found["watchlist"]["symbols"]
    place = symbols.index(variables["symbol"]) if variables["symbol"] in symbols else 0
    return int(min(max(place + step, 0), max(len(symbols) - 1, 0)))


def _read_position(given: Mapping[str, str]) -> int:
    text = given.get("position", "")
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        message = "%(name)s is %(value).40r; it must be a whole number"
        raise BadInput(message, field="position", name="position", value=text)
    return int(text)


async def _show(
    request: Request, form: Form, report: list[dict[str, Any]] | None = None
) -> Response:
    context = make_context(request)
    shell = await load_shell(context)
    variables = {"id": request.path_params["id"]}
    it = (await run_document("dashboard/_watchlist", variables, context.renewed()))["watchlist"]
    known = {row["symbol"]: row for row in it["instruments"]}
    data = {
        "edit": "edit" in request.query_params,
        "form": form,
        "it": it,
        "report": report,
        "rows": [(symbol, known.get(symbol)) for symbol in it["symbols"]],
        "taken": request.query_params.get("taken", "")[:_LONGEST_SYMBOL],
    }
    return get_renderer().page(request, "watchlist/page.html", shell, data, status=form.status)


async def _show_all(request: Request, form: Form) -> Response:
    context = make_context(request)
    shell = await load_shell(context)
    page = await run_document("watchlists/page", None, context.renewed())
    data = {"form": form, "lists": page["watchlists"]}
    return get_renderer().page(request, "watchlists/page.html", shell, data, status=form.status)
