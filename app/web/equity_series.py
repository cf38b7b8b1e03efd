"""`/api/portfolios/{id}/equity`: the columns of a portfolio's chart as JSON."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.errors import AppError
from app.graphql.execute import run_document
from app.translations import translate_error
from app.web.graphql_endpoint import make_context
from app.web.preferences import read_preferences


async def equity(request: Request) -> Response:
    """Answers `{currency, series}`, beside the total return of `?benchmark=` if that is asked for.

    An error is `{code, message}` in the reader's language with its status.
    """
    variables = {
        "id": request.path_params["id"],
        "benchmark": request.query_params.get("benchmark") or None,
    }
    try:
        found = await run_document("portfolio/equity", variables, make_context(request))
    except AppError as error:
        message = translate_error(error, read_preferences(request).locale)
        return _json({"code": error.code, "message": message}, error.status)
    portfolio = found["portfolio"]
    return _json({"currency": portfolio["baseCurrency"], "series": portfolio["equity"]})


def _json(body: dict[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
