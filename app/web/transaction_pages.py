"""`/portfolios/{id}/transactions`: the ledger of a portfolio, writing into it and reversing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError
from app.graphql.execute import run_document
from app.web.forms import Form, read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.render import get_renderer
from app.web.shell import load_shell, nodes
from app.web.transaction_view import KINDS, read_transaction_view

_PROPOSED: Final = ("kind", "symbol", "day")
_AMOUNTS: Final = frozenset(
    {"quantity", "price", "amount", "fee", "tax", "amountTo", "rate", "quantityTo"}
)
_MONEY: Final = frozenset({"price", "amount", "fee", "tax"})
_OF_SHARES: Final = frozenset({"SPLIT", "CORPORATE_ACTION"})
_FIELDS: Final = (
    *("kind", "day", "settlesOn", "symbol", "quantity", "price", "currency", "amount", "fee"),
    *("tax", "currencyTo", "amountTo", "rate", "numerator", "denominator", "action", "symbolTo"),
    *("quantityTo", "costShare", "note"),
)


async def transactions(request: Request) -> Response:
    """`GET`: the newest transactions, or those and in the order that the address says.

    Raises:
        NotFound: there is no such portfolio, or it is somebody else's.
    """
    return await show(request, Form())


async def record(request: Request) -> Response:
    """`POST`: writes a transaction; the form's own key keeps a second click from a second one."""
    portfolio = request.path_params["id"]
    typed = await read_form(request)
    given: dict[str, Any] = {"portfolio": portfolio}
    for name in _FIELDS:
        text = typed.get(name, "").strip()
        if text:
            given[name] = text.replace(",", "") if name in _AMOUNTS else text
    if given.get("kind") in _OF_SHARES and not _MONEY & given.keys():
        given.pop("currency", None)  # the form has one chosen always
    given["tags"] = _split_tags(typed.get("tags", ""))
    key = typed.get("key") or uuid4().hex
    context = make_context(request)
    try:
        await run_document("transactions/_record", {"input": given, "key": key}, context)
    except AppError as error:
        return await show(request, refuse(error, typed, context.locale, name="record"))
    return RedirectResponse(f"/portfolios/{portfolio}/transactions", 303)


async def reverse(request: Request) -> Response:
    """`POST …/reverse`: undoes a transaction by a second one; once, however often it is sent."""
    portfolio = request.path_params["id"]
    typed = await read_form(request)
    number = typed.get("id", "")
    context = make_context(request)
    variables = {"id": number, "key": f"reverse-{number}"}
    try:
        await run_document("transactions/_reverse", variables, context)
    except AppError as error:
        return await show(request, refuse(error, {}, context.locale, name="reverse"))
    view = read_transaction_view(dict(parse_qsl(typed.get("query", ""))))
    query = "&".join(filter(None, (view.query(), urlencode({"undone": number}))))
    return RedirectResponse(f"/portfolios/{portfolio}/transactions?{query}", 303)


async def decide(request: Request) -> Response:
    """`POST …/proposals`: records a split or dividend that is proposed, or dismisses it."""
    portfolio = request.path_params["id"]
    typed = await read_form(request)
    act = "accept" if typed.get("act") == "accept" else "dismiss"
    variables = {"id": portfolio, **{name: typed.get(name, "") for name in _PROPOSED}}
    context = make_context(request)
    try:
        await run_document(f"transactions/_{act}", variables, context)
    except AppError as error:
        return await show(request, refuse(error, {}, context.locale, name="proposal"))
    return RedirectResponse(f"/portfolios/{portfolio}/transactions", 303)


async def show(request: Request, form: Form) -> Response:
    """The page, with the state of the form that was sent."""
    context = make_context(request)
    shell = await load_shell(context)
    view = read_transaction_view(request.query_params)
    variables = {"id": request.path_params["id"], **view.variables()}
    found = await run_document("transactions/page", variables, context.renewed())
    it = found["portfolio"]
    page = it["transactions"]
    rows = nodes(page)
    info = page["pageInfo"]
    data = {
        "count": page["totalCount"],
        "form": form,
        "it": it,
        "key": form.typed.get("key") or uuid4().hex,
        "kinds": KINDS,
        "next": view.query(after=info["endCursor"]) if info["hasNextPage"] else None,
        "presets": found["recordPresets"],
        "rows": rows,
        "undone": _find_undone(rows, request.query_params.get("undone")),
        "today": context.env.clock.now().date().isoformat(),
        "view": view,
    }
    status = form.status
    return get_renderer().page(request, "transactions/page.html", shell, data, status=status)


def _find_undone(rows: Iterable[Mapping[str, Any]], number: str | None) -> dict[str, str] | None:
    """What the form of the page would say to record a transaction again that was just reversed.

    None where it is not among the rows.
    """
    row = next((one for one in rows if one["id"] == number and one["reversedBy"]), None)
    if row is None:
        return None
    known = {name: row[name] for name in _FIELDS if row[name] is not None}
    return known | {"tags": _join_tags(row["tags"]), "id": row["id"]}


def _join_tags(tags: Iterable[str]) -> str:
    """Tags as the form has them; a backslash stands before a comma or a backslash within one."""
    return ", ".join(re.sub(r"[\\,]", r"\\\g<0>", tag) for tag in tags)


def _split_tags(text: str) -> list[str]:
    """The tags of `_join_tags`; a backslash before anything else is one."""
    parts = re.findall(r"(?:\\[\\,]|[^,])+", text)
    return [re.sub(r"\\([\\,])", r"\1", part.strip()) for part in parts if part.strip()]
