"""`/portfolios/{id}/order`: the ticket of an order, its preview, and the orders there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError
from app.graphql.execute import run_document
from app.web.forms import Form, read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.render import get_renderer, wants_dialog
from app.web.shell import load_shell, nodes

SIDES: Final = ("BUY", "SELL")
TYPES: Final = ("MARKET", "LIMIT", "STOP")
LIFETIMES: Final = ("DAY", "GTC")

_AMOUNTS: Final = frozenset({"quantity", "amount", "price"})
_FIELDS: Final = (
    *("symbol", "side", "type", "quantity", "amount", "price", "timeInForce"),
    "autoExchange",
)


async def order(request: Request) -> Response:
    """`GET`: the ticket, for `?symbol=` and `?side=`, and the newest orders, from `?after=` on.

    Raises:
        NotFound: there is no such portfolio, or it is somebody else's.
    """
    asked = request.query_params
    typed = {name: asked[name].strip() for name in _FIELDS if name in asked}
    return await _show(request, Form("order", typed))


async def send(request: Request) -> Response:
    """`POST`: shows what the order would cost; with `place` places it, by the form's own key."""
    typed = await read_form(request)
    given = _read(request.path_params["id"], typed)
    context = make_context(request)
    try:
        if "place" in typed:
            key = typed.get("key") or uuid4().hex
            made = await run_document("order/_place", {"input": given, "key": key}, context)
            if wants_dialog(request):
                return await _show(request, Form(), placed=made["placeOrder"])
            return RedirectResponse(f"/portfolios/{given['portfolio']}/order#orders", 303)
        found = await run_document("order/_preview", {"input": given}, context)
    except AppError as error:
        return await _show(request, refuse(error, typed, context.locale, name="order"))
    return await _show(request, Form("order", typed), found["previewOrder"])


async def cancel(request: Request) -> Response:
    """`POST …/cancel`: takes back what is left of an order."""
    number = (await read_form(request)).get("id", "")
    context = make_context(request)
    try:
        await run_document("order/_cancel", {"id": number}, context)
    except AppError as error:
        return await _show(request, refuse(error, {}, context.locale, name="cancel"))
    return RedirectResponse(f"/portfolios/{request.path_params['id']}/order#orders", 303)


async def begin(request: Request) -> Response:
    """`GET /order?symbol=`: on to the ticket of the oldest portfolio that takes orders."""
    found = await run_document("order/_portfolios", None, make_context(request))
    taking = [one["id"] for one in found["portfolios"] if one["kind"] != "TRACKED"]
    if not taking:
        return RedirectResponse("/portfolios", 303)
    asked = {name: request.query_params.get(name, "") for name in ("symbol", "side")}
    query = urlencode({name: value for name, value in asked.items() if value})
    return RedirectResponse(f"/portfolios/{taking[0]}/order?{query}", 303)


async def _show(
    request: Request,
    form: Form,
    preview: Mapping[str, Any] | None = None,
    placed: Mapping[str, Any] | None = None,
) -> Response:
    context = make_context(request)
    shell = await load_shell(context)
    after = request.query_params.get("after")
    variables = {"id": request.path_params["id"], "after": after}
    found = await run_document("order/page", variables, context.renewed())
    it = found["portfolio"]
    asked = {name: form.typed.get(name, "") for name in ("symbol", "side")}
    preset = urlencode({name: value for name, value in asked.items() if value})
    info = it["orders"]["pageInfo"]
    data = {
        "after": after,
        "count": it["orders"]["totalCount"],
        "fields": _FIELDS,
        "form": form,
        "it": it,
        "key": form.typed.get("key") or uuid4().hex,
        "lifetimes": LIFETIMES,
        "next": urlencode({"after": info["endCursor"]}) if info["hasNextPage"] else None,
        "others": [one for one in found["portfolios"] if one["kind"] != "TRACKED"],
        "placed": placed,
        "preset": f"?{preset}" if preset else "",
        "preview": preview,
        "rows": nodes(it["orders"]),
        "sides": SIDES,
        "types": TYPES,
    }
    return get_renderer().page(request, "order/page.html", shell, data, status=form.status)


def _read(portfolio: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """What was typed, as the schema takes it; figures without the commas between thousands."""
    given: dict[str, Any] = {"portfolio": portfolio, "symbol": "", "side": "BUY"}
    for name in _FIELDS:
        text = typed.get(name, "").strip()
        if text:
            given[name] = text.replace(",", "") if name in _AMOUNTS else text
    given["autoExchange"] = "autoExchange" in given
    return given
