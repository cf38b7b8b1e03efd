"""The export: every table about somebody as JSON and CSV, nobody else's rows, no secret."""

from __future__ import annotations

import io
import json
import threading
import zipfile

from app.services.people import account_export
from app.services.people.account_export import TABLES, as_csv, export_account
from tests.belongings import belongings
from tests.people import by_access_token, by_api_token, by_session, make_user, stored_password


async def test_one_gets_one_s_own_rows_without_secrets(env):
    user, other = await make_user(env), await make_user(env, "charlie")
    for person in (user, other):
        for make in (by_session, by_access_token, by_api_token):
            await make(env, person)
    archive = zipfile.ZipFile(io.BytesIO(await export_account(env, user.id)))
    assert {n.split(".")[0] for n in archive.namelist()} == set(TABLES)
    files = {name: archive.read(name).decode() for name in archive.namelist()}
    everything = "".join(files.values())
    assert "alice@example.com" in everything
    assert "charlie" not in everything
    assert stored_password() not in everything
    assert not {"sha256", "password", "totp_secret"} & set(everything.replace('"', " ").split())
    tokens = json.loads(files["api_tokens.json"])
    assert [token["scopes"] for token in tokens] == [["READ"]]
    assert files["account.csv"].splitlines()[0].startswith("id,username,email,")


async def test_it_is_packed_beside_the_event_loop_and_compressed(env, monkeypatch):
    user, threads = await make_user(env), set()

    def as_csv_somewhere(rows):
        threads.add(threading.current_thread())
        return as_csv(rows)

    monkeypatch.setattr(account_export, "as_csv", as_csv_somewhere)
    archive = zipfile.ZipFile(io.BytesIO(await export_account(env, user.id)))
    assert threads
    assert threading.current_thread() not in threads
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_DEFLATED}


def test_whatever_is_somebody_s_is_in_it_but_for_secrets():
    secret = {"refresh_token", "recovery_code", "password_reset"}
    computed = {"backtest_data", "equity_state"}
    exported = {table.__tablename__ for table in TABLES.values()}
    assert belongings() | {"user"} == exported | secret | computed


def test_a_spreadsheet_computes_nothing():
    data = as_csv([{"a": "=1+1", "b": -5, "c": "@x", "d": None, "e": ["x", "y"]}])
    assert data == b"a,b,c,d,e\r\n'=1+1,-5,'@x,,x y\r\n"
    assert as_csv([]) == b""
