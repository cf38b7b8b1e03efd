"""`/alerts`: rules, history, channels, hours, and what could not be delivered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, BadInput, NotFound
from app.graphql.execute import run_document
from app.web.account_pages import Act, find_act, require_person, run_act
from app.web.forms import Form, read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.render import get_renderer, wants_dialog
from app.web.shell import load_shell, nodes

ACTS: Final = {
    "save": Act("alerts/_save"),
    "delete": Act("alerts/_delete", ("id",)),
    "pause": Act("alerts/_pause", ("id",)),
    "resume": Act("alerts/_resume", ("id",)),
    "acknowledge": Act("alerts/_acknowledge", ("id",)),
    "all": Act("alerts/_all"),
    "channel": Act("alerts/_channel", ("kind", "name", "address"), "address"),
    "remove": Act("alerts/_remove", ("id",)),
    "test": Act("alerts/_test", ("id",)),
    "retry": Act("alerts/_retry", ("id",)),
    "hours": Act("alerts/_hours", ("quietFrom", "quietUntil", "digestAt")),
}
ANCHORS: Final = {
    "save": "#rules",
    **dict.fromkeys(("delete", "pause", "resume"), "#rules"),
    "channel": "#channels",
    "remove": "#channels",
    "test": "#notices",
    "retry": "#notices",
    "hours": "#hours",
}
_TEXTS: Final = ("id", "kind", "symbol", "portfolio", "indicator", "strength", "delivery", "note")
_FIGURES: Final = ("level", "hysteresis")
_WHOLE: Final = ("sessions", "cooldownMinutes")
_DAY: Final = timedelta(days=1)
_MOMENT: Final = timedelta(microseconds=1)


async def alerts(request: Request) -> Response:
    """`GET /alerts`; `?after=` shows older ones, `?edit=` fills the form with a rule.

    Raises:
        NotFound: there is no such rule to change.
    """
    return await _show(request, Form(), request.query_params.get("edit"))


async def new_alert(request: Request) -> Response:
    """`GET /alerts/new?symbol=&level=`: the form alone, also for the dialog of an instrument."""
    asked = request.query_params
    typed = {name: asked[name] for name in ("symbol", "level", "kind") if asked.get(name)}
    return await _show_new(request, Form("save", typed))


async def change_alerts(request: Request) -> Response:
    """`POST /alerts`: one of `ACTS`."""
    me, typed = require_person(request), await read_form(request)
    name, act = find_act(ACTS, typed)
    context = make_context(request)
    try:
        if name == "save":
            given = {"input": read_rule(typed, me.time_zone)}
            made = await run_document(act.document, given, context)
            if wants_dialog(request):
                return await _show_new(request, Form(), made["saveAlertRule"])
        else:
            await run_act(request, act, typed)
    except AppError as error:
        form = refuse(error, typed, context.locale, name=name, field=act.at)
        show = _show_new if name == "save" and wants_dialog(request) else _show
        return await show(request, form)
    return RedirectResponse(f"/alerts{ANCHORS.get(name, '')}", 303)


def read_rule(typed: Mapping[str, str], zone: str) -> dict[str, Any]:
    """What was typed as the schema takes it; a rule ends with the day in the reader's zone.

    Raises:
        BadInput: a whole number or a day that is none.
    """
    plain = {name: text.strip() for name, text in typed.items()}
    given: dict[str, Any] = {name: plain[name] for name in _TEXTS if plain.get(name)}
    given |= {name: plain[name].replace(",", "") for name in _FIGURES if plain.get(name)}
    for name in _WHOLE:
        if text := plain.get(name):
            given[name] = _whole(name, text)
    if text := plain.get("expiresAt"):
        try:
            day = datetime.combine(datetime.fromisoformat(text).date(), time(), ZoneInfo(zone))
        except ValueError:
            msg = "The end is %(value).40r; it must be a day such as 2026-01-05"
            raise BadInput(msg, field="expiresAt", value=text) from None
        given["expiresAt"] = (day + _DAY).isoformat()
    return given | ({"paused": True} if plain.get("paused") else {})


def write_rule(rule: Mapping[str, Any], zone: str) -> dict[str, str]:
    """A rule as the form has it, `read_rule` the other way round; `zone` is the reader's."""
    names = (*_TEXTS, *_FIGURES, *_WHOLE, "levelBeforeSplit")
    typed = {name: str(rule[name]) for name in names if rule[name] is not None}
    if rule["expiresAt"]:
        end = datetime.fromisoformat(rule["expiresAt"]).astimezone(ZoneInfo(zone))
        typed["expiresAt"] = (end - _MOMENT).date().isoformat()
    return typed | ({"paused": "yes"} if rule["paused"] else {})


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        msg = "%(name)s is %(value).40r; it must be a whole number"
        raise BadInput(msg, field=name, name=name, value=text)
    return int(text)


async def _show(request: Request, form: Form, edited: str | None = None) -> Response:
    me = require_person(request)
    context = make_context(request)
    shell = await load_shell(context)
    after = request.query_params.get("after")
    found = await run_document("alerts/page", {"after": after}, context.renewed())
    info = found["alerts"]["pageInfo"]
    if edited is not None:
        rule = next((one for one in found["alertRules"] if one["id"] == edited), None)
        if rule is None:
            raise NotFound("There is nothing of that id, or it is not yours.")
        form = Form("save", write_rule(rule, me.time_zone))
    data = {
        **{name: rows for name, rows in found.items() if name not in {"me", "alerts"}},
        "form": form,
        "history": nodes(found["alerts"]),
        "me_now": found["me"],
        "names": {one["id"]: one["name"] for one in found["portfolios"]},
        "next": info["endCursor"] if info["hasNextPage"] else None,
    }
    return get_renderer().page(request, "alerts/page.html", shell, data, status=form.status)


async def _show_new(
    request: Request, form: Form, made: Mapping[str, Any] | None = None
) -> Response:
    require_person(request)
    context = make_context(request)
    shell = await load_shell(context)
    found = await run_document("alerts/new", None, context.renewed())
    data = {"form": form, "made": made, "portfolios": found["portfolios"]}
    return get_renderer().page(request, "alerts/new.html", shell, data, status=form.status)
