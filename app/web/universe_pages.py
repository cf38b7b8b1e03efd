"""`/universe`: what is watched, lists that are pasted or ship with Sise, and removing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, NotFound
from app.graphql.execute import run_document
from app.translations import translate_error
from app.web.forms import TYPED_WRONG, read_form
from app.web.graphql_endpoint import make_context
from app.web.listing import title_of
from app.web.render import get_renderer
from app.web.shell import load_shell, nodes

_NOTHING: Final[Mapping[str, Any]] = {"typed": "", "error": None, "report": None}


async def universe(request: Request) -> Response:
    """`GET /universe`: the forms, and fifty instruments from `?after=` on."""
    return await _show(request, _NOTHING)


async def track_many(request: Request) -> Response:
    """`POST /universe`: adds what was pasted and shows what became of each word."""
    typed = (await read_form(request)).get("symbols", "")
    return await _add(request, "universe/_track", {"symbols": typed.splitlines()}, typed)


async def track_list(request: Request) -> Response:
    """`POST /universe/lists`: adds a list that ships with Sise."""
    key = (await read_form(request)).get("key", "")
    return await _add(request, "universe/_list", {"key": key}, "")


async def removal(request: Request) -> Response:
    """`GET /instruments/{symbol}/remove`: what would go with an instrument.

    Raises:
        NotFound: there is none of that symbol.
    """
    symbol = request.path_params["symbol"]
    context = make_context(request)
    shell = await load_shell(context)
    page = await run_document("remove/page", {"symbol": symbol}, context.renewed())
    it = page["instrument"]
    if it is None:
        raise NotFound("There is no instrument %(symbol).40r.", symbol=symbol)
    data = {"it": it, "dependents": page["dependents"], "title": title_of(it, context.locale)}
    return get_renderer().page(request, "remove/page.html", shell, data)


async def remove(request: Request) -> Response:
    """`POST /instruments/{symbol}/remove`: removes it; without a confirmation it asks again."""
    symbol = request.path_params["symbol"]
    if (await read_form(request)).get("confirm") != "yes":
        return RedirectResponse(f"/instruments/{quote(symbol)}/remove", 303)
    await run_document("remove/_remove", {"symbol": symbol}, make_context(request))
    return RedirectResponse("/universe", 303)


async def _add(request: Request, document: str, variables: dict[str, Any], typed: str) -> Response:
    context = make_context(request)
    try:
        (report,) = (await run_document(document, variables, context)).values()
    except AppError as error:
        if error.code not in TYPED_WRONG:
            raise
        message = translate_error(error, context.locale)
        return await _show(request, {"typed": typed, "error": message, "report": None}, status=422)
    refused = [row["text"] for row in report["lines"] if row["symbol"] is None]
    return await _show(request, {"typed": " ".join(refused), "error": None, "report": report})


async def _show(request: Request, form: Mapping[str, Any], *, status: int = 200) -> Response:
    context = make_context(request)
    shell = await load_shell(context)
    after = request.query_params.get("after")
    page = await run_document("universe/page", {"after": after}, context.renewed())
    info = page["instruments"]["pageInfo"]
    report = form["report"]
    data = {
        **form,
        "after": info["endCursor"] if info["hasNextPage"] else None,
        "count": page["instruments"]["totalCount"],
        "first": after is None,
        "instruments": nodes(page["instruments"]),
        "lists": page["symbolLists"],
        "notable": report and [row for row in report["lines"] if row["outcome"] != "ADDED"],
    }
    return get_renderer().page(request, "universe/page.html", shell, data, status=status)
