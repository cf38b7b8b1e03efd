"""`/portfolios`: one's own portfolios, opening one, and the page of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, BadInput
from app.graphql.execute import run_document
from app.translations import translate_error
from app.web.figures import Translate
from app.web.forms import Form, read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.listing import sector_word
from app.web.portfolio_listing import (
    draw_equity,
    group_sales,
    list_months,
    list_slices,
    list_summaries,
)
from app.web.portfolio_view import read_portfolio_view
from app.web.render import get_renderer
from app.web.shell import load_shell, nodes, translator

_FIELDS: Final = ("name", "kind", "baseCurrency", "initialCapital", "lotMethod")


async def portfolios(request: Request) -> Response:
    """`GET /portfolios`: what one has, and the form that opens another."""
    return await _show_all(request, Form())


async def create(request: Request) -> Response:
    """`POST /portfolios`: opens one and goes to its page; an error stands at its field."""
    typed = await read_form(request)
    given = {name: typed[name].strip() for name in _FIELDS if typed.get(name, "").strip()}
    given.setdefault("name", "")
    if "initialCapital" in given:
        given["initialCapital"] = given["initialCapital"].replace(",", "")
    context = make_context(request)
    try:
        made = await run_document("portfolios/_create", {"input": given}, context)
    except AppError as error:
        return await _show_all(request, refuse(error, typed, context.locale))
    return RedirectResponse(f"/portfolios/{made['createPortfolio']['id']}", 303)


async def portfolio(request: Request) -> Response:
    """`GET /portfolios/{id}`: value, positions, cash, allocation, sales and income.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    context = make_context(request)
    shell = await load_shell(context)
    variables = {"id": request.path_params["id"]}
    view = read_portfolio_view(request.url.path, request.query_params)
    found = await run_document("portfolio/page", variables | view.variables(), context.renewed())
    it = found["portfolio"]
    data: dict[str, Any] = {
        "benchmarks": nodes(found["benchmarks"]) or nodes(found["instruments"]),
        "curve": None,
        "closed": group_sales(nodes(it["sales"])),
        "it": it,
        "months": list_months(it["incomeByMonth"]),
        "performance": None,
        "slices": list_slices(it["allocation"]),
        "sectors": _sector_words(it["allocation"], translator(request)),
        "view": view,
    }
    try:
        told = await run_document("portfolio/_performance", variables, context.renewed())
        data["performance"] = told["portfolio"]["performance"]
        data["curve"] = draw_equity(told["portfolio"]["equity"])
        data["gap"] = None
    except BadInput as error:  # a day has no price or rate: the rest of the page has
        data["gap"] = translate_error(error, context.locale)
    return get_renderer().page(request, "portfolio/page.html", shell, data)


async def why(request: Request) -> Response:
    """`GET /portfolios/{id}/why/{figure}?symbol=`: the formula of a figure and the rows behind it.

    Raises:
        NotFound: there is no such portfolio, or it is somebody else's.
        BadInput: there is no such figure, or the position does not have it.
    """
    context = make_context(request)
    shell = await load_shell(context)
    variables = {
        "id": request.path_params["id"],
        "figure": request.path_params["figure"],
        "symbol": request.query_params.get("symbol") or None,
    }
    found = await run_document("portfolio/why", variables, context.renewed())
    data = {"it": found["portfolio"]}
    return get_renderer().page(request, "portfolio/why.html", shell, data)


def _sector_words(slices: Iterable[Mapping[str, Any]], _: Translate) -> dict[str, str]:
    names = [one["name"] for one in slices if one["name"]]
    return {name: sector_word(name, _) or name for name in names}


async def _show_all(request: Request, form: Form) -> Response:
    context = make_context(request)
    shell = await load_shell(context)
    page = await run_document("portfolios/page", None, context.renewed())
    data = {"form": form, "portfolios": list_summaries(page["portfolios"])}
    return get_renderer().page(request, "portfolios/page.html", shell, data, status=form.status)
