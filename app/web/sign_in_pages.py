"""Coming in and going out: `/login`, `/register`, `/logout`.

The forms that change who one is are sent without htmx: the whole page is another one then. A name
that there is and one that there is not are answered with the same body and status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, BadInput
from app.graphql.execute import run_document
from app.web.auth import (
    caller_of,
    check_sign_in,
    close_browser_session,
    half_of,
    open_browser_session,
)
from app.web.forms import Form, local_address, read_form, refuse, with_next
from app.web.graphql_endpoint import make_context
from app.web.render import get_renderer
from app.web.shell import find_shell, translator


async def login(request: Request) -> Response:
    """`GET /login?next=`: the form; who has signed in already goes on."""
    onwards = local_address(request.query_params.get("next"))
    if caller_of(request).identity is not None:
        return RedirectResponse(onwards, 303)
    return await show_login(request, Form(), onwards)


async def sign_in(request: Request) -> Response:
    """`POST /login`: opens a session and goes on to `next`; asks for a code if there is one."""
    typed = await read_form(request)
    onwards = local_address(typed.get("next"))
    context = make_context(request)
    try:
        user = await check_sign_in(request, typed)
    except AppError as error:
        half = half_of(error)
        if half is not None and not typed.get("half"):
            return await show_login(request, Form(), onwards, half=half)
        place = "code" if half is not None else "" if typed.get("half") else "password"
        form = refuse(error, typed, context.locale, field=place)
        return await show_login(request, form, onwards, half=half)
    response = RedirectResponse(onwards, 303)
    await open_browser_session(request, user.id)
    return response


async def sign_out(request: Request) -> Response:
    """`POST /logout`: ends this sign-in and goes to the dashboard."""
    response = RedirectResponse("/", 303)
    if caller_of(request).identity is not None:
        await run_document("login/_out", None, make_context(request))
        close_browser_session(request)
    return response


async def register(request: Request) -> Response:
    """`GET /register?invitation=&next=`: the form, as far as one may register here."""
    onwards = local_address(request.query_params.get("next"))
    if caller_of(request).identity is not None:
        return RedirectResponse(onwards, 303)
    typed = {"invitation": request.query_params.get("invitation", "")[:80]}
    return await show_register(request, Form(typed=typed), onwards)


async def create_account(request: Request) -> Response:
    """`POST /register`: makes the account, signs in, and goes on to `next`."""
    typed = await read_form(request)
    onwards = local_address(typed.get("next"))
    made = await enrol(request, typed)
    if isinstance(made, Form):
        return await show_register(request, made, onwards)
    response = RedirectResponse(onwards, 303)
    await open_browser_session(request, made)
    return response


async def enrol(request: Request, typed: Mapping[str, str]) -> int | Form:
    """Makes the account of a form: who may be signed in now, or the form with what was wrong."""
    context = make_context(request)
    names = ("username", "email", "password", "invitation")
    variables = {name: typed.get(name, "") for name in names}
    try:
        if typed.get("disclaimer") != "yes":
            raise BadInput("Read and accept this to make an account.", field="disclaimer")
        await run_document("register/_register", variables, context)
        user = await check_sign_in(request, typed)
    except AppError as error:
        return refuse(error, typed, context.locale, field="username")
    return user.id


async def show_register(request: Request, form: Form, onwards: str) -> Response:
    """The form that makes an account, or why there is none."""
    return await show_gate(request, "register/page.html", {"form": form, "onwards": onwards})


async def show_login(
    request: Request, form: Form, onwards: str, half: str | None = None
) -> Response:
    """The form that signs in; with `half` it asks for the code alone."""
    _ = translator(request)
    notices = {
        "reset": _("The password is changed. Sign in with it."),
        "confirm": _("The address is confirmed."),
    }
    data = {
        "form": form,
        "half": half,
        "notice": notices.get(request.query_params.get("done", "")),
        "onwards": onwards,
        "register": with_next("/register", onwards),
    }
    return await show_gate(request, "login/page.html", data)


async def show_gate(request: Request, template: str, data: Mapping[str, Any]) -> Response:
    """A page that is shown even where the market may not be read."""
    shell = await find_shell(request)
    found = await run_document("login/page", None, make_context(request))
    form: Form = data["form"]
    answer = get_renderer().page(
        request, template, shell, {**data, "options": found["signInOptions"]}, status=form.status
    )
    answer.headers["Cache-Control"] = "no-store"
    return form.complete(answer)
