"""GraphiQL at `/graphiql`, for developers (SISE_DEV): our own copy, under a policy of its own.

Its editor writes styles into the page, so its policy is weaker than that of the other pages. Its
files are read when they are asked for: nobody else has to carry them.
"""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from app.config import resource_dir

FILES: Final = {
    "react.min.js": "vendor/graphiql/react.min.js",
    "react-dom.min.js": "vendor/graphiql/react-dom.min.js",
    "graphiql.min.js": "vendor/graphiql/graphiql.min.js",
    "graphiql.min.css": "vendor/graphiql/graphiql.min.css",
    "graphql-ws.min.js": "vendor/graphql-ws.min.js",
    "start.js": "graphiql-start.js",
}
"""What the page needs, by the name under `/graphiql/`, in the order of its scripts."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SCRIPTS: Final = "".join(
    f'<script src="/graphiql/{name}" defer></script>' for name in FILES if name.endswith(".js")
)
PAGE: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>GraphiQL · Sise</title>'
    '<link rel="stylesheet" href="/graphiql/graphiql.min.css">'
    f"<style>body{{margin:0}}#graphiql{{height:100dvh}}</style>{_SCRIPTS}</head>"
    '<body><div id="graphiql">Loading …</div></body></html>'
)


def graphiql_routes(*, dev: bool) -> list[Route]:
    """The page and its files; nothing at all without SISE_DEV."""
    if not dev:
        return []
    return [Route("/graphiql", give_page), Route("/graphiql/{name}", give_file)]


async def give_page(_request: Request) -> Response:
    """`GET /graphiql`."""
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(PAGE, headers=headers)


async def give_file(request: Request) -> Response:
    """`GET /graphiql/{name}`: one of the files that the page names.

    Raises:
        HTTPException: 404, there is no such file.
    """
    path = FILES.get(request.path_params["name"])
    if path is None:
        raise HTTPException(404)
    return FileResponse(resource_dir("static") / path, headers={"Cache-Control": "no-cache"})
