"""What mails lead to: `/forgot` and `/reset` for the password, `/confirm` for the address.

The answer to `/forgot` is the same whether the address is somebody's. A link only shows a form:
what a mail program opens ahead of its reader does nothing.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError
from app.graphql.execute import run_document
from app.web.forms import Form, read_form, refuse
from app.web.graphql_endpoint import make_context
from app.web.sign_in_pages import show_gate

_LONGEST_TOKEN: Final = 200


async def forgot(request: Request) -> Response:
    """`GET /forgot`: where the mail is to be sent."""
    return await show_gate(request, "forgot/page.html", {"form": Form(), "sent": False})


async def send_link(request: Request) -> Response:
    """`POST /forgot`: asks for the mail."""
    typed = await read_form(request)
    context = make_context(request)
    try:
        await run_document("forgot/_request", {"email": typed.get("email", "")}, context)
    except AppError as error:
        form = refuse(error, typed, context.locale, field="email")
        return await show_gate(request, "forgot/page.html", {"form": form, "sent": False})
    return await show_gate(request, "forgot/page.html", {"form": Form(), "sent": True})


async def reset(request: Request) -> Response:
    """`GET /reset?token=`: the form for a new password."""
    return await show_gate(request, "reset/page.html", {"form": _with_token(request)})


async def save_password(request: Request) -> Response:
    """`POST /reset`: stores the new password; then one signs in with it."""
    typed = await read_form(request)
    context = make_context(request)
    variables = {name: typed.get(name, "") for name in ("token", "password")}
    try:
        await run_document("reset/_reset", variables, context)
    except AppError as error:
        form = refuse(error, typed, context.locale)
        return await show_gate(request, "reset/page.html", {"form": form})
    return RedirectResponse("/login?done=reset", 303)


async def confirm(request: Request) -> Response:
    """`GET /confirm?token=`: a button that says that the address is one's own."""
    return await show_gate(request, "confirm/page.html", {"form": _with_token(request)})


async def confirm_address(request: Request) -> Response:
    """`POST /confirm`: the address counts as verified."""
    typed = await read_form(request)
    context = make_context(request)
    try:
        await run_document("confirm/_confirm", {"token": typed.get("token", "")}, context)
    except AppError as error:
        form = refuse(error, typed, context.locale, field="token")
        return await show_gate(request, "confirm/page.html", {"form": form})
    onwards = quote("/settings/account?done=confirm")  # where who has signed in is told
    return RedirectResponse(f"/login?done=confirm&next={onwards}", 303)


def _with_token(request: Request) -> Form:
    return Form(typed={"token": request.query_params.get("token", "")[:_LONGEST_TOKEN]})
