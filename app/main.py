"""The composition root of the web process: routes, middleware, and what is open while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Route, WebSocketRoute

from app.adapters.secret import load_secret
from app.adapters.vault import Vault
from app.config import Settings, resource_dir
from app.env import Env, open_env
from app.graphql.budget import Budget
from app.graphql.execute import load_documents
from app.graphql.schema import schema
from app.services.feed.live import QuoteHub
from app.services.metrics import gather_metrics
from app.services.portfolio.portfolio_books import BookShelf
from app.services.readiness import Check, check_readiness
from app.web.auth import Authentication
from app.web.disclaimer import DisclaimerFirst
from app.web.graphiql import graphiql_routes
from app.web.graphql_endpoint import GraphQLEndpoint, give_sdl
from app.web.graphql_socket import GraphQLSocket
from app.web.headers import SecurityHeaders
from app.web.health import health_routes
from app.web.middleware import HostCheck, OriginCheck, RequestMetrics
from app.web.round_trip import provider_routes
from app.web.routes import error_handlers, page_routes

POOL = 4
"""Database connections that are kept; while pages ask for their parts at once there are more."""


def build_app(settings: Settings) -> Starlette:
    """The web application; its servers are opened when it starts and closed when it ends.

    Raises:
        ConfigError: a page's document does not fit the schema, or there is no secret.
    """
    vault = Vault(load_secret(settings))
    load_documents(resource_dir("templates"))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_env(settings, application="sise-web", pool_size=POOL) as env:
            hub = QuoteHub(env)
            app.state.env, app.state.hub, app.state.books = env, hub, BookShelf()
            async with hub.running():
                yield

    app = Starlette(
        routes=[
            *provider_routes(settings, vault.derive_key("round trip")),
            *_routes(settings, lambda: app.state.env),
        ],
        middleware=[
            Middleware(RequestMetrics),
            Middleware(SecurityHeaders),
            Middleware(HostCheck, settings=settings),
            Middleware(OriginCheck, settings=settings),
            Middleware(Authentication, settings=settings),
            Middleware(DisclaimerFirst),
            Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5),
        ],
        exception_handlers=error_handlers(),
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.budget = Budget(settings.points_per_minute)
    return app


def _routes(settings: Settings, get_env: Callable[[], Env]) -> list[BaseRoute]:
    async def check() -> list[Check]:
        return await check_readiness(get_env())

    async def gather() -> bytes:
        return await gather_metrics(get_env())

    return [
        Route("/graphql", GraphQLEndpoint(schema)),
        WebSocketRoute(
            "/graphql",
            GraphQLSocket(
                schema,
                per_address=settings.sockets_per_client,
                per_person=settings.sockets_per_user,
            ),
        ),
        Route("/schema.graphql", give_sdl),
        *health_routes(check, gather),
        *graphiql_routes(dev=settings.dev),
        *page_routes(),
    ]
