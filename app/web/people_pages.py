"""`/settings/people`, for administrators: accounts, what may become of them, invitations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, BadInput, Forbidden
from app.graphql.execute import run_document
from app.web.account_pages import Act, find_act, require_person, run_act, show_section
from app.web.forms import Form, read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.shell import nodes, site_of, translator

ACTS: Final = {
    "invite": Act("settings/_invite"),
    "role": Act("settings/_role", ("username", "role")),
    "deactivate": Act("settings/_deactivate", ("username",)),
    "activate": Act("settings/_activate", ("username",)),
    "delete": Act("settings/_delete_user", ("username",)),
}
_LONGEST: Final = 100  # characters of a cursor or of what is searched
_PLACE: Final = ("search", "after")


async def people(request: Request) -> Response:
    """`GET /settings/people?search=&after=`: fifty accounts, the oldest first."""
    return await _show(request, Form(), request.query_params)


async def change_people(request: Request) -> Response:
    """`POST /settings/people`: one of `ACTS`; an invitation is shown once."""
    _require_administrator(request)
    typed = await read_form(request)
    name, act = find_act(ACTS, typed)
    try:
        if name == "delete" and typed.get("confirm", "").strip() != typed.get("username"):
            raise BadInput("Type the username to delete the account.", field="confirm")
        found = await run_act(request, act, typed)
    except AppError as error:
        form = refuse(error, typed, make_context(request).locale, name=name)
        return await _show(request, form, typed)
    if name == "invite":
        address = f"{site_of(request)}/register?invitation={quote(found['invite'])}"
        return await _show(request, Form(), typed, address)
    return RedirectResponse(f"/settings/people?{urlencode({'done': name} | _place(typed))}", 303)


def _require_administrator(request: Request) -> None:
    """Returns when an administrator has signed in.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: it is somebody else.
    """
    require_person(request)
    if not make_context(request).operator:
        raise Forbidden("Only an administrator may change this, by a token with the scope ADMIN.")


def _place(given: Mapping[str, str]) -> dict[str, str]:
    """Which part of the list is shown."""
    return {name: given[name][:_LONGEST] for name in _PLACE if given.get(name)}


async def _show(
    request: Request, form: Form, given: Mapping[str, str], invitation: str | None = None
) -> Response:
    _require_administrator(request)
    _ = translator(request)
    done = {
        "role": _("The role is changed."),
        "deactivate": _("The account is disabled, and every sign-in of it has ended."),
        "activate": _("The account is enabled."),
        "delete": _("The account is deleted."),
    }
    place = _place(given)
    found = (await run_document("settings/people", place, make_context(request)))["users"]
    info = found["pageInfo"]
    onwards = urlencode(place | {"after": info["endCursor"]}) if info["hasNextPage"] else None
    data: dict[str, Any] = {
        "invitation": invitation,
        "onwards": onwards,
        "people": nodes(found),
        "place": place,
        "total": found["totalCount"],
    }
    return await show_section(request, "settings/people.html", form, done, data)
