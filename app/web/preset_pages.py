"""`/portfolios/{id}/transactions/presets`: mappings of brokers' columns, saved and forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, BadInput
from app.graphql.execute import run_document
from app.web.forms import read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.transaction_pages import show

_COLUMN: Final = "column-"


async def save_preset(request: Request) -> Response:
    """`POST`: keeps a mapping under its name, in the place of one that has it."""
    typed = await read_form(request)
    context = make_context(request)
    try:
        variables = {"name": typed.get("name", ""), "mapping": read_mapping(typed)}
        await run_document("transactions/_preset_save", variables, context)
    except AppError as error:
        return await show(request, refuse(error, typed, context.locale, name="preset"))
    return _back(request)


async def delete_preset(request: Request) -> Response:
    """`POST …/delete`: forgets one."""
    number = (await read_form(request)).get("id", "")
    context = make_context(request)
    try:
        await run_document("transactions/_preset_delete", {"id": number}, context)
    except AppError as error:
        return await show(request, refuse(error, {}, context.locale, name="preset"))
    return _back(request)


def read_mapping(typed: Mapping[str, str]) -> dict[str, Any]:
    """The mapping of a form as the schema takes it: names by comma, a word and its kind a line.

    Raises:
        BadInput: a line that is not `word = KIND`.
    """
    columns = [
        {"field": name.removeprefix(_COLUMN), "names": names}
        for name, text in typed.items()
        if name.startswith(_COLUMN) and (names := [n.strip() for n in text.split(",") if n.strip()])
    ]
    mapping: dict[str, Any] = {"columns": columns, "kinds": []}
    for line in filter(str.strip, typed.get("words", "").splitlines()):
        word, sign, kind = (part.strip() for part in line.rpartition("="))
        if not (word and sign and kind):
            message = "The line %(value).40r must be a word, the sign = and a kind such as BUY."
            raise BadInput(message, field="kinds", value=line.strip())
        mapping["kinds"].append({"word": word, "kind": kind.upper()})
    for name in ("currency", "dayOrder"):
        if typed.get(name):
            mapping[name] = typed[name]
    if typed.get("decimalComma"):
        mapping["decimalComma"] = True
    return mapping


def _back(request: Request) -> RedirectResponse:
    portfolio = request.path_params["id"]
    return RedirectResponse(f"/portfolios/{portfolio}/transactions#presets", 303)
