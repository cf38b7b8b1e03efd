"""Everything stored about somebody, as a zip with JSON and CSV of each table. No secrets."""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, select

from app.db.models import (
    Account,
    Alert,
    AlertChannel,
    AlertHours,
    AlertRule,
    ApiToken,
    Backtest,
    Base,
    DismissedAction,
    EmailConfirmation,
    EquityDaily,
    Fill,
    Notification,
    OidcIdentity,
    Order,
    OrderEvent,
    Portfolio,
    Posting,
    RecordPreset,
    SavedScreen,
    TokenFamily,
    Txn,
    TxnNote,
    User,
    UserSession,
    Watchlist,
)
from app.env import Env

SECRET: Final = frozenset(
    {
        "sha256",
        "password_hash",
        "totp_secret",
        "totp_step",
        "username_key",
        "req_hash",
        "sealed",
        "xact",
    }
)
TABLES: Final[dict[str, type[Base]]] = {
    "account": User,
    "addresses": EmailConfirmation,
    "sessions": UserSession,
    "programs": TokenFamily,
    "api_tokens": ApiToken,
    "providers": OidcIdentity,
    "watchlists": Watchlist,
    "record_presets": RecordPreset,
    "saved_screens": SavedScreen,
    "portfolios": Portfolio,
    "transactions": Txn,
    "notes": TxnNote,
    "postings": Posting,
    "ledger_accounts": Account,
    "orders": Order,
    "order_events": OrderEvent,
    "fills": Fill,
    "dismissed_proposals": DismissedAction,
    "equity": EquityDaily,
    "backtests": Backtest,
    "alert_rules": AlertRule,
    "alerts": Alert,
    "alert_hours": AlertHours,
    "alert_channels": AlertChannel,
    "notifications": Notification,
}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


async def export_account(env: Env, user_id: int) -> bytes:
    """A zip of `<table>.json` and `<table>.csv`, in UTF-8."""
    tables = await _read(env, user_id)
    return await asyncio.to_thread(_pack, tables, env.clock.now())


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as CSV; a text that a spreadsheet would compute gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    if rows:
        writer.writerow(rows[0])
        writer.writerows([[_cell(value) for value in row.values()] for row in rows])
    return out.getvalue().encode()


def _pack(tables: Mapping[str, Sequence[Mapping[str, Any]]], now: datetime) -> bytes:
    """The zip. It takes the longer the more days somebody has: nothing for the event loop."""
    out = io.BytesIO()
    at = now.timetuple()[:6]
    with zipfile.ZipFile(out, "w") as archive:
        for name, rows in tables.items():
            for suffix, data in (("json", _as_json(rows)), ("csv", as_csv(rows))):
                archive.writestr(
                    zipfile.ZipInfo(f"{name}.{suffix}", at), data, zipfile.ZIP_DEFLATED
                )
    return out.getvalue()


async def _read(env: Env, user_id: int) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    async with env.db.read(uid=user_id) as db:
        for name, table in TABLES.items():
            columns = [c for c in table.__table__.columns if c.name not in SECRET]
            rows = await db.execute(select(*columns).where(_belongs(table, user_id)))
            found[name] = [dict(row) for row in rows.mappings()]
    return found


def _belongs(table: type[Base], user_id: int) -> ColumnElement[bool]:
    columns = table.__table__.c
    if table is User:
        return columns["id"] == user_id
    if "user_id" in columns:
        return columns["user_id"] == user_id
    own = select(Portfolio.id).where(Portfolio.user_id == user_id)
    return columns["portfolio_id"].in_(own)


def _as_json(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return orjson.dumps(rows, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)


def _cell(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list):
        return " ".join(map(str, value))
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
