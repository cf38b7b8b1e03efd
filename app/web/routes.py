"""The routes of the pages, their forms and files, and how failures are shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.errors import AppError
from app.web import (
    account_pages,
    actions,
    alert_pages,
    backtest_pages,
    correlation_pages,
    data_pages,
    disclaimer,
    market_pages,
    order_pages,
    pages,
    people_pages,
    portfolio_pages,
    preset_pages,
    recommend_pages,
    recovery_pages,
    screener_pages,
    settings_pages,
    setup_pages,
    sign_in_pages,
    signal_pages,
    transaction_pages,
    universe_pages,
    watchlist_pages,
)
from app.web.candles import candles
from app.web.equity_series import equity
from app.web.failures import show_app_error, show_defect, show_http_error
from app.web.files import export_file, import_file
from app.web.import_pages import import_page
from app.web.preferences import read_preferences
from app.web.render import get_statics
from app.web.shell import translator

Handler = Callable[[Request, Exception], Awaitable[Response]]


def page_routes() -> list[BaseRoute]:
    """Every address of the pages; `/graphql` and the probes have routes of their own."""
    statics = get_statics()
    return [
        Route("/", pages.dashboard),
        Route("/instruments/{symbol}", pages.instrument),
        Route("/instruments/{symbol}/data", data_pages.instrument_data),
        Route("/data", data_pages.data_health),
        Route("/data/release", actions.release_held, methods=["POST"]),
        Route("/data/source", actions.use_source, methods=["POST"]),
        Route("/data/drop", actions.drop_held, methods=["POST"]),
        Route("/instruments/{symbol}/remove", universe_pages.removal),
        Route("/instruments/{symbol}/remove", universe_pages.remove, methods=["POST"]),
        Route("/universe", universe_pages.universe),
        Route("/universe", universe_pages.track_many, methods=["POST"]),
        Route("/universe/lists", universe_pages.track_list, methods=["POST"]),
        Route("/watchlists", watchlist_pages.watchlists),
        Route("/watchlists", watchlist_pages.create, methods=["POST"]),
        Route("/watchlists/{id}", watchlist_pages.watchlist),
        Route("/watchlists/{id}", watchlist_pages.change, methods=["POST"]),
        Route("/portfolios", portfolio_pages.portfolios),
        Route("/portfolios", portfolio_pages.create, methods=["POST"]),
        Route("/portfolios/{id}", portfolio_pages.portfolio),
        Route("/portfolios/{id}/why/{figure}", portfolio_pages.why),
        Route("/portfolios/{id}/transactions", transaction_pages.transactions),
        Route("/portfolios/{id}/transactions", transaction_pages.record, methods=["POST"]),
        Route("/portfolios/{id}/transactions/import", import_page, methods=["POST"]),
        Route(
            "/portfolios/{id}/transactions/proposals", transaction_pages.decide, methods=["POST"]
        ),
        Route("/portfolios/{id}/transactions/reverse", transaction_pages.reverse, methods=["POST"]),
        Route("/portfolios/{id}/transactions/presets", preset_pages.save_preset, methods=["POST"]),
        Route(
            "/portfolios/{id}/transactions/presets/delete",
            preset_pages.delete_preset,
            methods=["POST"],
        ),
        Route("/portfolios/{id}/order", order_pages.order),
        Route("/portfolios/{id}/order", order_pages.send, methods=["POST"]),
        Route("/portfolios/{id}/order/cancel", order_pages.cancel, methods=["POST"]),
        Route("/order", order_pages.begin),
        Route("/search", pages.search),
        Route("/jobs", pages.jobs),
        Route("/about", pages.about),
        *_research_routes(),
        *_calendar_routes(),
        *_screening_routes(),
        *_alert_routes(),
        *_account_routes(),
        Route("/collect", actions.collect, methods=["POST"]),
        Route("/track", actions.track, methods=["POST"]),
        Route("/source", actions.switch_source, methods=["POST"]),
        Route("/portfolios/{id}/import", import_file, methods=["POST"]),
        Route("/portfolios/{id}/export.{suffix}", export_file),
        Route("/api/candles/{symbol}", candles),
        Route("/api/portfolios/{id}/equity", equity),
        Route("/manifest.webmanifest", give_manifest),
        Route("/sw.js", statics.serve_worker),
        Route("/static/{path:path}", statics.serve),
    ]


def _alert_routes() -> list[BaseRoute]:
    """What is watched, and what has come."""
    return [
        Route("/alerts", alert_pages.alerts),
        Route("/alerts", alert_pages.change_alerts, methods=["POST"]),
        Route("/alerts/new", alert_pages.new_alert),
    ]


def _research_routes() -> list[BaseRoute]:
    """What a rule says and what became of it; what was tested, and asking for more."""
    post = ["POST"]
    return [
        Route("/recommendations", recommend_pages.recommendations),
        Route("/track-record", recommend_pages.track_record),
        Route("/backtests", backtest_pages.backtests),
        Route("/backtests/new", backtest_pages.new),
        Route("/backtests/new", backtest_pages.run, methods=post),
        Route("/backtests/compare", backtest_pages.compare),
        Route("/backtests/{id}", backtest_pages.backtest),
        Route("/backtests/{id}/cancel", backtest_pages.cancel, methods=post),
        Route("/backtests/{id}/delete", backtest_pages.delete, methods=post),
        Route("/backtests/{id}/repeat", backtest_pages.repeat, methods=post),
        Route("/backtests/{id}/shadow", backtest_pages.shadow, methods=post),
        Route("/backtests/{id}/export.{suffix}", backtest_pages.export),
    ]


def _calendar_routes() -> list[BaseRoute]:
    """Trading days, and corrections of them."""
    post = ["POST"]
    return [
        Route("/correlation", correlation_pages.correlation),
        Route("/markets", market_pages.markets),
        Route("/markets/overrides", market_pages.save_override, methods=post),
        Route("/markets/overrides/remove", market_pages.remove_override, methods=post),
        Route("/markets/overrides/restore", market_pages.restore_override, methods=post),
    ]


def _screening_routes() -> list[BaseRoute]:
    """Signals, and what is found by figures."""
    post = ["POST"]
    return [
        Route("/signals", signal_pages.signals),
        Route("/screener", screener_pages.screener),
        Route("/screener.csv", screener_pages.export),
        Route("/screener/save", screener_pages.save, methods=post),
        Route("/screener/delete", screener_pages.delete, methods=post),
    ]


def _account_routes() -> list[BaseRoute]:
    """Coming in, the settings, and the first run: an address for looking is one for changing."""
    post = ["POST"]
    return [
        Route("/login", sign_in_pages.login),
        Route("/login", sign_in_pages.sign_in, methods=post),
        Route("/register", sign_in_pages.register, name="register"),
        Route("/register", sign_in_pages.create_account, methods=post),
        Route("/logout", sign_in_pages.sign_out, methods=post),
        Route(disclaimer.PATH, disclaimer.disclaimer),
        Route(disclaimer.PATH, disclaimer.accept, methods=post),
        Route("/forgot", recovery_pages.forgot),
        Route("/forgot", recovery_pages.send_link, methods=post),
        Route("/reset", recovery_pages.reset),
        Route("/reset", recovery_pages.save_password, methods=post),
        Route("/confirm", recovery_pages.confirm),
        Route("/confirm", recovery_pages.confirm_address, methods=post),
        Route("/settings", settings_pages.settings),
        Route("/settings", settings_pages.save_settings, methods=post),
        Route("/settings/account", account_pages.account),
        Route("/settings/account", account_pages.change_account, methods=post),
        Route("/settings/export", account_pages.export, methods=post),
        Route("/settings/security", account_pages.security),
        Route("/settings/security", account_pages.change_security, methods=post),
        Route("/settings/tokens", account_pages.tokens),
        Route("/settings/tokens", account_pages.change_tokens, methods=post),
        Route("/settings/people", people_pages.people),
        Route("/settings/people", people_pages.change_people, methods=post),
        Route("/setup", setup_pages.setup),
        Route("/setup", setup_pages.take_step, methods=post),
        Route("/setup/later", setup_pages.later, methods=post),
    ]


def error_handlers() -> Mapping[Any, Handler]:
    """How failures become answers, for Starlette's `exception_handlers`."""
    return {AppError: show_app_error, HTTPException: show_http_error, Exception: show_defect}


async def give_manifest(request: Request) -> Response:
    """What a browser needs to install the site as an application."""
    _ = translator(request)
    url = get_statics().url
    manifest = {
        "id": "/",
        "name": _("Sise: stocks, simulated and live"),
        "short_name": _("Sise"),
        "description": _("Self-hosted stock simulator and live monitor for Korean and US stocks"),
        "lang": read_preferences(request).locale,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#0b0e13",
        "theme_color": "#12171e",
        "icons": [
            {"src": url("icons/sise.svg"), "sizes": "any", "type": "image/svg+xml"},
            {"src": url("icons/sise-192.png"), "sizes": "192x192", "type": "image/png"},
            {"src": url("icons/sise-512.png"), "sizes": "512x512", "type": "image/png"},
            {
                "src": url("icons/sise-maskable-512.png"),
                "sizes": "512x512",
                "type": "image/png",
                "purpose": "maskable",
            },
        ],
    }
    headers = {"Cache-Control": "no-cache", "Vary": "Cookie, Accept-Language"}
    media_type = "application/manifest+json"
    return Response(orjson.dumps(manifest), headers=headers, media_type=media_type)
