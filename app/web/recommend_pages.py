"""`/recommendations` and `/track-record`: what a rule says of a market, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.graphql.context import Context
from app.graphql.execute import run_document
from app.web.graphql_endpoint import make_context
from app.web.render import get_renderer
from app.web.shell import load_shell, nodes
from app.web.under_way import find_under_way

Row = dict[str, Any]

MARKETS: Final = ("KR", "US")
SHOWN: Final = 10  # of each market where all are shown
PAGE: Final = 50
SIZE: Final = 240  # of the drawn calibration curve


async def recommendations(request: Request) -> Response:
    """`/recommendations`: the best of each market; `?market=` one of them in pages.

    Raises:
        BadInput: `after` is no cursor of ours.
    """
    context = make_context(request)
    shell = await load_shell(context)
    asked = request.query_params.get("market")
    chosen = asked if asked in MARKETS else None
    markets = [
        await _find_market(context, key, request.query_params.get("after") if chosen else None)
        for key in ((chosen,) if chosen else MARKETS)
    ]
    data = {
        "chosen": chosen,
        "held": await _find_held(context),
        "markets": [one for one in markets if one["issue"]],
        "under_way": await find_under_way(request, context),
    }
    return get_renderer().page(request, "recommendations/page.html", shell, data)


async def track_record(request: Request) -> Response:
    """`/track-record`: what became of everything that was issued."""
    context = make_context(request)
    shell = await load_shell(context)
    found = (await run_document("record/page", None, context.renewed()))["trackRecord"]
    records = [one | {"curve": draw_calibration(one["calibration"])} for one in found["records"]]
    under_way = await find_under_way(request, context)
    data = {"records": records, "total": found, "under_way": under_way}
    return get_renderer().page(request, "record/page.html", shell, data)


async def find_newest(context: Context) -> list[Row]:
    """The best of each market's newest recommendations, for the dashboard."""
    found = await run_document("dashboard/_recommendations", None, context.renewed())
    issues = [
        issue | {"rows": nodes(found[issue["market"].lower()])}
        for issue in found["recommendationIssues"]
    ]
    return [issue for issue in issues if issue["rows"]]


def draw_calibration(points: Sequence[Mapping[str, Any]]) -> Row | None:
    """The curve on a square from the lowest to the highest of both axes; None for one point."""
    if len(points) < 2:
        return None
    values = [point[name] for point in points for name in ("forecast", "seen")]
    low, high = min(values), max(values)
    scale = SIZE / ((high - low) or 1.0)
    dots = [
        (round((p["forecast"] - low) * scale, 1), round(SIZE - (p["seen"] - low) * scale, 1))
        for p in points
    ]
    lines = [f"{x},{y}" for x, y in dots]
    return {"size": SIZE, "low": low, "high": high, "dots": dots, "points": lines}


async def _find_market(context: Context, market: str, after: str | None) -> Row:
    """A market's issue with its rows; `after` goes on in the pages of one market."""
    first = PAGE if after is not None else SHOWN
    variables = {"market": market, "first": first, "after": after}
    page = await run_document("recommendations/page", variables, context.renewed())
    connection = page["recommendations"]
    info = connection["pageInfo"]
    cursor = info["endCursor"] if info["hasNextPage"] else None
    return {
        "issue": next(iter(page["recommendationIssues"]), None),
        "rows": nodes(connection),
        "count": connection["totalCount"],
        "after": cursor,
        "next": f"/recommendations?{urlencode({'market': market, 'after': cursor or ''})}",
    }


async def _find_held(context: Context) -> list[Row]:
    """What the rule would do with the positions of whoever has signed in."""
    if context.identity is None:
        return []
    found = await run_document("recommendations/_held", None, context.renewed())
    held: list[Row] = found["positionAdvice"]
    return held
