"""What is being computed for the first time, for the pages that will show it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from app.graphql.context import Context
from app.graphql.execute import run_document


async def find_under_way(request: Request, context: Context) -> dict[str, Any]:
    """How far prices, the first walks and the worth of signals are.

    `asked`: the page asks by itself how far it is, and shows the rest once this is over.
    """
    found = await run_document("under_way/page", None, context.renewed())
    prices = found["collectionProgress"]
    return {
        "asked": request.headers.get("hx-target", "").endswith("#under-way"),
        "prices": prices if prices["running"] + prices["waiting"] else None,
        "measuring": prices["measuring"],
        "walks": found["recommendationWalks"],
    }
