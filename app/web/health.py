"""Probes and metrics: whether the process lives, whether it can serve, and what it counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


class Check(Protocol):
    """One thing that has to be right for the process to serve."""

    @property
    def name(self) -> str:
        """`database`, `broker` or `migrations`."""
        ...

    @property
    def ok(self) -> bool:
        """Whether it is."""
        ...

    @property
    def detail(self) -> str:
        """What was found."""
        ...


def health_routes(
    check: Callable[[], Awaitable[Sequence[Check]]], gather: Callable[[], Awaitable[bytes]]
) -> list[Route]:
    """`/healthz`, `/readyz` and `/metrics`.

    `check` looks at what the process stands on, `gather` has the metrics of all processes.
    """

    async def readyz(_request: Request) -> Response:
        checks = await check()
        body = {c.name: {"ok": c.ok, "detail": c.detail} for c in checks}
        ready = all(c.ok for c in checks)
        return JSONResponse(body, 200 if ready else 503, {"Cache-Control": "no-store"})

    async def metrics(_request: Request) -> Response:
        return Response(await gather(), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]


async def healthz(_request: Request) -> Response:
    """The process answers; nothing else is looked at."""
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})
