"""`/markets`: clocks, the coming trading days, the corrections of the calendars and their form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, BadInput
from app.graphql.execute import run_document
from app.translations import translate_error
from app.web.forms import read_form
from app.web.graphql_endpoint import make_context
from app.web.listing import list_clocks
from app.web.market_listing import SEOUL, US, YORK, draft_of, list_days, list_overrides
from app.web.render import get_renderer
from app.web.shell import load_shell, translator

EMPTY: Final[Mapping[str, Any]] = {
    "mics": "XKRX",
    "day": "",
    "closed": True,
    "opens": "",
    "closes": "",
    "reason": "",
}
_TYPED_WRONG: Final = frozenset({"BAD_INPUT", "NOT_FOUND"})


async def markets(request: Request) -> Response:
    """`GET /markets`; `?edit=XKRX.2026-11-19` (or `US.…`) fills the form with that correction."""
    return await _show(request, None, None)


async def save_override(request: Request) -> Response:
    """`POST /markets/overrides`: writes a correction; an error stands at its field."""
    form = await read_form(request)
    draft = {**EMPTY, **{name: form.get(name, "").strip() for name in EMPTY}}
    draft["closed"] = form.get("closed") == "yes"
    wanted = {
        "mics": list(US) if draft["mics"] == "US" else [draft["mics"]],
        "day": draft["day"],
        "closed": draft["closed"],
        "opens": draft["opens"],
        "closes": draft["closes"],
        "reason": draft["reason"],
    }
    return await _act(request, "markets/_save", {"input": wanted}, draft)


async def remove_override(request: Request) -> Response:
    """`POST /markets/overrides/remove`: puts a correction out of force."""
    return await _turn(request, "markets/_remove")


async def restore_override(request: Request) -> Response:
    """`POST /markets/overrides/restore`: puts it into force again."""
    return await _turn(request, "markets/_restore")


async def _turn(request: Request, document: str) -> Response:
    """The same for each of the markets that the row names."""
    form = await read_form(request)
    for mic in form.get("mics", "").split(","):
        variables = {"mic": mic, "day": form.get("day", "")}
        answer = await _act(request, document, variables, None)
        if answer.status_code >= 400:
            return answer
    return answer


async def _act(
    request: Request, document: str, variables: dict[str, Any], draft: dict[str, Any] | None
) -> Response:
    context = make_context(request)
    try:
        await run_document(document, variables, context)
    except AppError as error:
        if error.code not in _TYPED_WRONG:
            raise
        field = error.field if isinstance(error, BadInput) else "day"
        message = translate_error(error, context.locale)
        return await _show(request, draft, {"field": field, "message": message})
    return RedirectResponse("/markets#overrides", 303)


async def _show(
    request: Request, draft: Mapping[str, Any] | None, error: Mapping[str, str] | None
) -> Response:
    context = make_context(request)
    shell = await load_shell(context)
    page = await run_document("markets/page", None, context.renewed())
    _, locale = translator(request), context.locale
    now = context.env.clock.now()
    fields = {"mics", "day", "opens", "closes", "reason"}
    named = error if error is None or error["field"] in fields else {**error, "field": "day"}
    data = {
        "clocks": list_clocks(page["markets"], now, locale, _),
        "draft": draft or _find_draft(page["sessionOverrides"], request.query_params.get("edit")),
        "error": named,
        "korea": list_days(page["korea"], SEOUL, YORK, locale, _),
        "korea_unusual": list_days(page["koreaUnusual"], SEOUL, YORK, locale, _),
        "now": now.isoformat(),
        "overrides": list_overrides(page["sessionOverrides"], locale, _),
        "us": list_days(page["us"], YORK, SEOUL, locale, _),
        "us_unusual": list_days(page["usUnusual"], YORK, SEOUL, locale, _),
    }
    status = 200 if error is None else 422
    return get_renderer().page(request, "markets/page.html", shell, data, status=status)


def _find_draft(overrides: list[dict[str, Any]], edit: str | None) -> Mapping[str, Any]:
    """The correction that the address names, else an empty form."""
    whole = bool(edit and edit.startswith("US."))
    wanted = edit.replace("US.", "XNYS.", 1) if edit and whole else edit
    named = (o for o in overrides if wanted == f"{o['mic']}.{o['day']}")
    found = next(named, None)
    if found is None:
        return EMPTY
    return draft_of(found) | ({"mics": "US"} if whole else {})
