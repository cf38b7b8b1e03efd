"""`/portfolios`: one's own portfolios, opening one, and the page of each."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, BadInput
from app.graphql.execute import run_document
from app.translations import translate_error
from app.web.forms import Form, read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.portfolio_listing import (
    draw_equity,
    income_by_month,
    list_positions,
    list_slices,
    list_summaries,
)
from app.web.render import get_renderer
from app.web.shell import load_shell

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
    it = (await run_document("portfolio/page", variables, context.renewed()))["portfolio"]
    data: dict[str, Any] = {
        "curve": None,
        "it": it,
        "months": income_by_month(it["income"]),
        "performance": None,
        "positions": list_positions(it["value"]["positions"]),
        "slices": list_slices(it["allocation"], it["value"]["positions"]),
    }
    try:
        told = await run_document("portfolio/_performance", variables, context.renewed())
        data["performance"] = told["portfolio"]["performance"]
        data["curve"] = draw_equity(told["portfolio"]["equity"])
        data["gap"] = None
    except BadInput as error:  # a day has no price or rate: the rest of the page has
        data["gap"] = translate_error(error, context.locale)
    return get_renderer().page(request, "portfolio/page.html", shell, data)


async def _show_all(request: Request, form: Form) -> Response:
    context = make_context(request)
    shell = await load_shell(context)
    page = await run_document("portfolios/page", None, context.renewed())
    data = {"form": form, "portfolios": list_summaries(page["portfolios"])}
    return get_renderer().page(request, "portfolios/page.html", shell, data, status=form.status)
