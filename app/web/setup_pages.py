"""`/setup`: the first run in three steps, each of which may be skipped.

How pages look, an account (or, at this machine, one to look around), and what to follow. While
there is no account a notice on every page leads here; it can be put away for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError
from app.graphql.execute import run_document
from app.web.auth import caller_of, check_sign_in, open_browser_session
from app.web.forms import Form, local_address, read_form, read_pairs, refuse
from app.web.graphql_endpoint import make_context
from app.web.preferences import check_choices, put_welcome_away, set_preferences
from app.web.render import get_renderer
from app.web.settings_pages import keep_choices
from app.web.shell import find_shell
from app.web.sign_in_pages import enrol

STEPS: Final = ("look", "account", "follow")


async def setup(request: Request) -> Response:
    """`GET /setup?step=look|account|follow`."""
    return await _show(request, _read_step(request), Form())


async def take_step(request: Request) -> Response:
    """`POST /setup?step=look|account|follow`: what the step is for, then the next one."""
    steps = {"look": _save_look, "account": _make_account, "follow": _follow}
    return await steps[_read_step(request)](request)


async def later(request: Request) -> Response:
    """`POST /setup/later`: the notice is put away, and one stays where one was."""
    response = RedirectResponse(local_address((await read_form(request)).get("back")), 303)
    put_welcome_away(response, secure=request.url.scheme == "https")
    return response


async def _save_look(request: Request) -> Response:
    """Language, colours and base currency."""
    chosen = check_choices(await read_form(request))
    await keep_choices(request, chosen)
    response = RedirectResponse(_step("account"), 303)
    set_preferences(response, chosen, secure=request.url.scheme == "https")
    return response


async def _make_account(request: Request) -> Response:
    """The first account, which is its administrator's."""
    typed = await read_form(request)
    if typed.get("act") == "demo":
        return await _make_demo(request)
    made = await enrol(request, typed)
    if isinstance(made, Form):
        return await _show(request, "account", made)
    response = RedirectResponse(_step("follow"), 303)
    await open_browser_session(request, made)
    return response


async def _make_demo(request: Request) -> Response:
    """An account to look around, made by the service's rules; its password is shown once.

    Raises:
        AppError: there is an account already, or others can reach this machine.
    """
    made = (await run_document("setup/_demo", None, make_context(request)))["startDemo"]
    password = made["password"]
    user = await check_sign_in(request, {**made["user"], "password": password})
    await open_browser_session(request, user.id)
    return await _show(request, "account", Form(), password=password)


async def _follow(request: Request) -> Response:
    """The lists that were chosen and what was typed."""
    pairs = await read_pairs(request)
    typed = dict(pairs)
    context = make_context(request)
    try:
        for key in (value for name, value in pairs if name == "list"):
            await run_document("universe/_list", {"key": key}, context.renewed())
        lines = typed.get("symbols", "").splitlines()
        refused = await _track(request, lines) if "".join(lines).strip() else []
    except AppError as error:
        form = refuse(error, typed, context.locale, field="symbols")
        return await _show(request, "follow", form)
    if not refused:
        return RedirectResponse("/", 303)
    return await _show(request, "follow", Form(typed={"symbols": " ".join(refused)}), refused)


async def _track(request: Request, lines: list[str]) -> list[str]:
    """Adds these; the words that name nothing."""
    found = await run_document("universe/_track", {"symbols": lines}, make_context(request))
    return [row["text"] for row in found["trackInstruments"]["lines"] if row["symbol"] is None]


def _read_step(request: Request) -> str:
    asked = request.query_params.get("step", STEPS[0])
    return asked if asked in STEPS else STEPS[0]


def _step(name: str) -> str:
    return f"/setup?step={name}"


async def _show(
    request: Request,
    step: str,
    form: Form,
    refused: list[str] | None = None,
    password: str | None = None,
) -> Response:
    context = make_context(request)
    found = await run_document("setup/page", None, context)
    options = found["signInOptions"]
    if not (options["firstRun"] or context.operator or password):
        return RedirectResponse("/", 303)
    data: Mapping[str, Any] = {
        **found,
        "form": form,
        "number": STEPS.index(step) + 1,
        "onwards": "",
        "options": options,
        "password": password,
        "refused": refused,
        "signed_in": caller_of(request).identity is not None,
        "step": step,
    }
    shell = await find_shell(request)
    answer = get_renderer().page(request, "setup/page.html", shell, data, status=form.status)
    answer.headers["Cache-Control"] = "no-store"
    return form.complete(answer)
