"""`/settings/…` of who has signed in: the account, the ways in, the sign-ins, and the tokens.

Each page has one address for looking and for changing: the field `act` of a form says which of its
changes is meant. What is shown once is in the answer to the form and nowhere else.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, BadInput, Unauthenticated
from app.graphql.execute import run_document
from app.web.auth import caller_of, close_browser_session, open_browser_session
from app.web.devices import name_device
from app.web.forms import Form, read_form, read_pairs, refuse
from app.web.graphql_endpoint import make_context
from app.web.qr import draw_qr
from app.web.render import get_renderer
from app.web.shell import find_shell, site_of, translator

USUAL_LIFE: Final = timedelta(days=90)
EXAMPLE: Final = (
    'curl {url}/graphql -H "Authorization: Bearer {token}" -H "Content-Type: application/json" '
    """-d '{{"query": "{{ me {{ username }} }}"}}'"""
)
"""A question that a program asks."""

_LONGEST_URI: Final = 400


@dataclass(frozen=True)
class Act:
    """A change that a form of a page asks for: its document, the fields that are its variables.

    `at` is the field where a refusal stands that names none.
    """

    document: str
    fields: tuple[str, ...] = ()
    at: str = ""


ACCOUNT: Final = {
    "email": Act("settings/_email", ("password", "email"), "password"),
    "password": Act("settings/_password", ("current", "password"), "current"),
    "delete": Act("settings/_delete", ("password",), "password"),
    "verify": Act("settings/_verify"),
}
SECURITY: Final = {
    "begin": Act("settings/_begin"),
    "confirm": Act("settings/_confirm", ("password", "code"), "password"),
    "renew": Act("settings/_renew", ("password",), "password"),
    "off": Act("settings/_off", ("password",), "password"),
    "end": Act("settings/_end", ("id",)),
    "everywhere": Act("settings/_everywhere"),
    "link": Act("settings/_link", ("about", "password"), "password"),
    "unlink": Act("settings/_unlink", ("about", "password"), "password"),
}


async def account(request: Request) -> Response:
    """`GET /settings/account`: address, password, the data, and the end of the account."""
    return await _show_account(request, Form())


async def change_account(request: Request) -> Response:
    """`POST /settings/account`: one of `ACCOUNT`."""
    me, typed = require_person(request), await read_form(request)
    name, act = find_act(ACCOUNT, typed)
    try:
        if name == "delete" and typed.get("confirm", "").strip() != me.username:
            raise BadInput("Type your username to delete the account.", field="confirm")
        await run_act(request, act, typed)
    except AppError as error:
        form = refuse(error, typed, make_context(request).locale, name=name, field=act.at)
        return await _show_account(request, form)
    if name == "delete":
        response = RedirectResponse("/", 303)
        close_browser_session(request)
        return response
    response = RedirectResponse(f"/settings/account?done={name}", 303)
    if name == "password":  # the session has a new secret after it
        await open_browser_session(request, me.id)
    return response


async def export(request: Request) -> Response:
    """`POST /settings/export`: everything about the account, as a zip."""
    found = await run_document("settings/_export", None, make_context(request))
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": 'attachment; filename="sise-account.zip"',
    }
    body = base64.b64decode(found["exportAccount"])
    return Response(body, headers=headers, media_type="application/zip")


async def security(request: Request) -> Response:
    """`GET /settings/security`: the second factor, other sites to come in by, and the sign-ins."""
    return await _show_security(request, Form())


async def change_security(request: Request) -> Response:
    """`POST /settings/security`: one of `SECURITY`."""
    require_person(request)
    typed = await read_form(request)
    typed["act"], _, typed["about"] = typed.get("act", "").partition(" ")
    name, act = find_act(SECURITY, typed)
    try:
        found = await run_act(request, act, typed)
    except AppError as error:
        form = refuse(error, typed, make_context(request).locale, name=name, field=act.at)
        return await _show_security(request, form, enrolment=_typed_enrolment(typed))
    if name == "begin":
        return await _show_security(request, Form(), enrolment=found["beginSecondFactor"])
    if name in {"confirm", "renew"}:
        (codes,) = found.values()
        return await _show_security(request, Form(), codes=codes)
    if name == "link":  # by a link: a form may not lead to another site
        return await _show_security(request, Form(), onwards=found["linkProvider"])
    if name == "everywhere":
        response = RedirectResponse("/login", 303)
        close_browser_session(request)
        return response
    return RedirectResponse(f"/settings/security?done={name}", 303)


async def tokens(request: Request) -> Response:
    """`GET /settings/tokens`: one's API tokens, and a form for another."""
    return await _show_tokens(request, Form())


async def change_tokens(request: Request) -> Response:
    """`POST /settings/tokens`: makes one, or revokes one."""
    pairs = await read_pairs(request)
    typed = dict(pairs)
    context = make_context(request)
    if typed.get("act") == "revoke":
        await run_document("settings/_revoke", {"id": typed.get("id", "")}, context)
        return RedirectResponse("/settings/tokens?done=revoke", 303)
    scopes = [value for name, value in pairs if name == "scopes"]
    variables = {
        "name": typed.get("name", ""),
        "scopes": scopes,
        "expiresOn": typed.get("expiresOn") or None,
    }
    try:
        found = await run_document("settings/_create", variables, context)
    except AppError as error:
        form = refuse(error, typed | {"scopes": " ".join(scopes)}, context.locale, name="create")
        return await _show_tokens(request, form)
    return await _show_tokens(request, Form(), made=found["createApiToken"])


def find_act(acts: Mapping[str, Act], typed: Mapping[str, str]) -> tuple[str, Act]:
    """Which change a form means, and its name.

    Raises:
        BadInput: none of the page's.
    """
    name = typed.get("act", "")
    if name not in acts:
        message = "act is %(value).20r; it must be one of %(known)s"
        raise BadInput(message, field="act", value=name, known=", ".join(acts))
    return name, acts[name]


async def run_act(request: Request, act: Act, typed: Mapping[str, str]) -> dict[str, Any]:
    """Does it with what was typed; the answer."""
    variables = {name: typed.get(name, "") for name in act.fields}
    return await run_document(act.document, variables, make_context(request))


def require_person(request: Request) -> Any:
    """Who has signed in.

    Raises:
        Unauthenticated: nobody.
    """
    identity = caller_of(request).identity
    if identity is None:
        raise Unauthenticated("Sign in first.")
    return identity.user


def _typed_enrolment(typed: Mapping[str, str]) -> dict[str, str] | None:
    """The secret that the form was made for: a wrong code does not make another one."""
    uri = typed.get("uri", "")
    if not uri.startswith("otpauth://") or len(uri) > _LONGEST_URI:
        return None
    return {"secret": typed.get("secret", ""), "uri": uri}


async def _show_account(request: Request, form: Form) -> Response:
    _ = translator(request)
    found = await run_document("login/page", None, make_context(request))
    mail = found["signInOptions"]["mail"]
    done = {
        "email": _("The address is changed.")
        if not mail
        else _("A link was sent there. The new address counts once it was opened."),
        "verify": _("A link was sent to the address."),
        "confirm": _("The address is confirmed."),
        "password": _("The password is changed. Every other sign-in has ended."),
    }
    return await show_section(request, "settings/account.html", form, done, {"mail": mail})


async def _show_security(
    request: Request,
    form: Form,
    *,
    enrolment: Mapping[str, str] | None = None,
    codes: list[str] | None = None,
    onwards: str | None = None,
) -> Response:
    _ = translator(request)
    done = {
        "link": _("The site is connected."),
        "unlink": _("The site is not connected any more."),
        "off": _("The second factor is off."),
        "end": _("That sign-in has ended."),
    }
    found = await run_document("settings/security", None, make_context(request))
    linked = {row["key"] for row in found["linkedProviders"]}
    known = found["signInOptions"]["providers"]
    data = {
        **found,
        "known": {provider["key"]: provider["title"] for provider in known},
        "linkable": [provider for provider in known if provider["key"] not in linked],
        "onwards": onwards,
        "codes": codes,
        "enrolment": enrolment,
        "picture": draw_qr(enrolment["uri"]) if enrolment else None,
        "name_device": name_device,
    }
    return await show_section(request, "settings/security.html", form, done, data)


async def _show_tokens(
    request: Request, form: Form, made: Mapping[str, Any] | None = None
) -> Response:
    _ = translator(request)
    done = {"revoke": _("The token is revoked.")}
    context = make_context(request)
    usual = context.env.clock.now().date() + USUAL_LIFE
    data = {**await run_document("settings/tokens", None, context), "made": made, "usual": usual}
    if made is not None:
        data["example"] = EXAMPLE.format(token=made["text"], url=site_of(request))
    return await show_section(request, "settings/tokens.html", form, done, data)


async def show_section(
    request: Request, template: str, form: Form, done: Mapping[str, str], data: Mapping[str, Any]
) -> Response:
    """A section of the settings; `done` has the words for what was changed by the last form."""
    require_person(request)
    shell = await find_shell(request)
    state = {"done": done.get(request.query_params.get("done", "")), "form": form}
    answer = get_renderer().page(request, template, shell, {**state, **data}, status=form.status)
    return form.complete(answer)
