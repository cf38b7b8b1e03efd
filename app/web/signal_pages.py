"""`/signals`: what the votes of the newest session came to, and what such signals were worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.graphql.context import Context
from app.graphql.execute import run_document
from app.web.graphql_endpoint import make_context
from app.web.listing import list_votes, strength_word
from app.web.render import get_renderer
from app.web.shell import load_shell, nodes, translator
from app.web.under_way import find_under_way

STRENGTHS: Final = ("STRONG_BUY", "BUY", "HOLD", "SELL", "STRONG_SELL")
STRONG: Final = ("STRONG_BUY", "STRONG_SELL")
DIRECTIONS: Final = {"STRONG_BUY": "up", "BUY": "up", "SELL": "down", "STRONG_SELL": "down"}


async def signals(request: Request) -> Response:
    """`GET`: the strong signals, or those of the strength that the address names."""
    context = make_context(request)
    shell = await load_shell(context)
    _ = translator(request)
    chosen = request.query_params.get("strength", "")
    chosen = chosen if chosen in STRENGTHS else ""
    variables = {
        "strengths": [chosen] if chosen else list(STRONG),
        "descending": True,
        "after": request.query_params.get("after") or None,
    }
    page = await run_document("signals/page", variables, context.renewed())
    info = page["screen"]["pageInfo"]
    kept = {"strength": chosen} if chosen else {}
    more = urlencode(kept | {"after": info["endCursor"]}) if info["hasNextPage"] else None
    data = {
        "chosen": chosen,
        "count": page["screen"]["totalCount"],
        "directions": DIRECTIONS,
        "hits": [show_signal(hit, _) for hit in nodes(page["screen"]) if hit["instrument"]],
        "next": more,
        "strengths": {key: strength_word(key, _) for key in STRENGTHS},
        "under_way": await find_under_way(request, context),
        "worth": list_worth(page["signalWorth"], _),
    }
    return get_renderer().page(request, "signals/page.html", shell, data)


async def find_strongest(context: Context, _: Any) -> list[dict[str, Any]]:
    """The strongest of the newest session, for the dashboard."""
    page = await run_document("dashboard/_signals", None, context.renewed())
    return [show_signal(hit, _) for hit in nodes(page["screen"]) if hit["instrument"]]


def show_signal(hit: dict[str, Any], _: Any) -> dict[str, Any]:
    """A hit with its signal in words."""
    signal = hit["instrument"]["signal"]
    return hit | {
        "direction": DIRECTIONS.get(hit["signal"], "flat"),
        "word": strength_word(hit["signal"], _),
        "votes": list_votes(signal, _) if signal else [],
        "summary": signal["summary"] if signal else "",
        "worth": signal["worth"] if signal else [],
    }


def list_worth(rows: list[dict[str, Any]], _: Any) -> list[dict[str, Any]]:
    """A row for each market and strength, both horizons side by side."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["currency"], row["strength"])
        line = found.setdefault(key, _line(row, _))
        line["horizons"][row["horizon"]] = row
    return list(found.values())


def _line(row: Mapping[str, Any], _: Any) -> dict[str, Any]:
    return {
        "currency": row["currency"],
        "direction": DIRECTIONS.get(row["strength"], "flat"),
        "horizons": {},
        "instruments": row["instruments"],
        "first_day": row["firstDay"],
        "last_day": row["lastDay"],
        "word": strength_word(row["strength"], _),
    }
