"""`POST /portfolios/{id}/transactions/import`: a file of transactions, checked or recorded.

The page tells what was understood and what was not. Nothing of the file is kept between a check and
the recording: it is sent again.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.errors import AppError
from app.graphql.execute import run_document
from app.translations import translate_error
from app.web.files import take_upload
from app.web.forms import TYPED_WRONG
from app.web.graphql_endpoint import make_context
from app.web.render import get_renderer
from app.web.shell import load_shell


async def import_page(request: Request) -> Response:
    """Checks the file, or records it where `dryRun` is `false`; what was wrong stands at it."""
    context = make_context(request)
    report: dict[str, Any] | None = None
    message, status = "", 200
    try:
        report = await take_upload(request, context)
    except AppError as error:
        if error.code not in TYPED_WRONG:
            raise
        message, status = translate_error(error, context.locale), error.status
    variables = {"id": request.path_params["id"]}
    shell = await load_shell(context.renewed())
    found = await run_document("transactions/_import", variables, context.renewed())
    data = {"it": found["portfolio"], "message": message, "report": report}
    data["presets"] = found["recordPresets"]
    page = get_renderer().page(request, "transactions/imported.html", shell, data, status=status)
    page.headers["Cache-Control"] = "no-store"
    return page
