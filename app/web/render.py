"""Templates to answers: an environment per language, one template for page and fragment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.config import resource_dir
from app.translations import LOCALES, Locale, load_translations
from app.web.auth import caller_of
from app.web.formats import make_filters
from app.web.forms import Form, with_next
from app.web.graphql_endpoint import make_context
from app.web.headers import VARY
from app.web.names import short_name
from app.web.preferences import Preferences, read_preferences, wants_welcome
from app.web.static import StaticFiles
from app.web.svg import last_rows, polyline
from app.web.trust_listing import exact

FULL: Final = "base.html"
FRAGMENT: Final = "fragment.html"
DIALOG: Final = "dialog.html"
_GATES: Final = frozenset({"/login", "/register", "/forgot", "/reset", "/confirm"})
"""Pages that nobody wants to come back to."""


@dataclass(frozen=True)
class Shell:
    """What every page says about the prices it shows: their source, and whether it is recorded.

    `unread` is how many alerts the reader has not seen.
    `clocks` are those of Seoul and New York: zone, whether the market is open, and when that turns.
    """

    source_title: str = ""
    historic: bool = False
    replay_day: str | None = None
    clocks: tuple[Mapping[str, Any], ...] = ()
    now: str | None = None
    unread: int = 0


class Renderer:
    """Renders templates in the reader's language. `statics` gives the addresses of static files."""

    def __init__(self, statics: StaticFiles) -> None:
        self._environments = {locale: _environment(locale, statics) for locale in LOCALES}

    def page(
        self,
        request: Request,
        template: str,
        shell: Shell,
        data: Mapping[str, Any],
        *,
        status: int = 200,
    ) -> HTMLResponse:
        """A page: whole, or what htmx is about to put into `<main>`, or into the dialog."""
        layout = FRAGMENT if wants_fragment(request) else FULL
        if wants_dialog(request):
            layout = DIALOG
        return self._answer(request, template, {"layout": layout, "shell": shell, **data}, status)

    def part(
        self, request: Request, template: str, data: Mapping[str, Any], *, status: int = 200
    ) -> HTMLResponse:
        """A fragment of a page without anything around it."""
        return self._answer(request, template, data, status)

    def _answer(
        self, request: Request, template: str, data: Mapping[str, Any], status: int
    ) -> HTMLResponse:
        preferences = read_preferences(request)
        caller = caller_of(request)
        me = caller.identity.user if caller.identity is not None else None
        first_run = caller.first_run and wants_welcome(request)
        welcome = first_run and make_context(request).operator
        data = {"me": me, "welcome": welcome, **data}
        place = (template, preferences, request.url.path, here(request))
        text = self.text(*place, data)
        form = data.get("form")
        if isinstance(form, Form) and (whole := form.find_unshown(text)):
            text = self.text(*place, data | {"form": whole})
        headers = {
            "Cache-Control": "private, no-cache",
            "Content-Language": preferences.locale,
            "Vary": VARY,
        }
        return HTMLResponse(text, status_code=status, headers=headers)

    def text(
        self,
        template: str,
        preferences: Preferences,
        path: str,
        address: str,
        data: Mapping[str, Any],
    ) -> str:
        """The text of a template; `address` is the path with its query."""
        environment = self._environments[preferences.locale]
        surroundings = {"prefs": preferences, "path": path, "here": address}
        return environment.get_template(template).render({**surroundings, **data})

    def names(self) -> list[str]:
        """Every template."""
        return self._environments["en"].list_templates(extensions=["html"])


@cache
def get_renderer() -> Renderer:
    """The renderer of this process."""
    return Renderer(get_statics())


@cache
def get_statics() -> StaticFiles:
    """The static files of this process."""
    return StaticFiles(resource_dir("static"))


def wants_fragment(request: Request) -> bool:
    """Whether htmx asks for a part of a page: not on Back, and not when it selects from a page."""
    headers = request.headers
    return (
        headers.get("hx-request") == "true"
        and headers.get("hx-request-type") != "full"
        and "hx-history-restore-request" not in headers
    )


def wants_dialog(request: Request) -> bool:
    """Whether htmx asks for what a page has for the dialog: its block of that name."""
    return wants_fragment(request) and request.headers.get("hx-target", "").endswith("#dialog-body")


def here(request: Request) -> str:
    """Path and query of the page that is asked for."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def came_for(request: Request) -> str:
    """The page that was asked for, or that the form stood on: where one wants to be afterwards."""
    if request.method == "GET":
        return here(request)
    came = urlsplit(request.headers.get("referer", ""))
    return f"{came.path}?{came.query}" if came.query else came.path


def _sign_in_address(address: str) -> str:
    """Where signing in begins that leads back to this page."""
    path = urlsplit(address).path
    return "/login" if path in _GATES else with_next("/login", address)


def _environment(locale: Locale, statics: StaticFiles) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(resource_dir("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    translations = load_translations(locale)
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= make_filters(locale)
    environment.filters |= {
        "exact": exact,
        "last_rows": last_rows,
        "polyline": polyline,
        "short_name": short_name,
        "sign_in_address": _sign_in_address,
    }
    environment.globals |= {"locale": locale, "static": statics.url}
    return environment
