"""No secret, or one that everybody knows: every process ends with 78; and none is ever logged."""

from __future__ import annotations

import logging
import subprocess
from dataclasses import replace

import pytest

from app.telemetry import JsonFormatter
from app.web.auth import PLAIN_COOKIE
from tests.graphql.asking import choose_source
from tests.mailing import SENDER, deliver, link_of, with_mail
from tests.processes import bare_environ, free_port, sise
from tests.serving import BASE_URL, asgi_client

SIGN_IN = """mutation ($password: String!) {
  signIn(username: "alice", password: $password) { accessToken refreshToken } }"""
REFRESH = "mutation ($token: String!) { refresh(refreshToken: $token) { expiresIn } }"
OPEN = """mutation ($amount: Decimal!) { createPortfolio(input: {name: "a", kind: SIMULATED,
  baseCurrency: "USD", initialCapital: $amount}) { initialCapital } }"""
PEERS = {"mail.log", "httpx"}
"""Loggers of the mail server and the browser of a test."""
COMMANDS = (("up",), ("serve",), ("work", "--queue", "quick"), ("feed",))


def run(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Runs a command on servers of one's own that are not there: it comes as far as the secret."""
    environ = bare_environ(
        SISE_DATABASE_URL="postgresql://sise@127.0.0.1:1/sise",
        SISE_REDIS_URL="redis://127.0.0.1:1",
        SISE_PORT=free_port(),
        **settings,
    )
    return subprocess.run(
        sise(*arguments), env=environ, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_secret_nothing_starts_on_servers_of_one_s_own(command, tmp_path):
    done = run(*command, SISE_DATA_DIR=tmp_path / "data")
    assert done.returncode == 78, done.stderr
    assert done.stderr.count("\n") == 1
    assert "SISE_SECRET is not set" in done.stderr


@pytest.mark.parametrize("weak", ["changeme", "x" * 64, "changeme-changeme-changeme-change"])
def test_a_secret_that_could_be_guessed_is_refused_and_not_repeated(weak, tmp_path):
    done = run("up", SISE_DATA_DIR=tmp_path / "data", SISE_SECRET=weak)
    assert done.returncode == 78, done.stderr
    assert weak not in done.stderr


async def test_nothing_told_in_confidence_is_logged_on_the_most_talkative_level(
    env, settings, smtp, caplog
):
    """Passwords, tokens, cookies, links, addresses and amounts, in what succeeds and what fails."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "sqlalchemy.engine")
    told = {
        "password": "a planted password",
        "fresh": "another planted one",
        "amount": "1234567.89",
    }
    told["email"] = "planted@example.com"
    url = f"smtp+plain://127.0.0.1:{smtp.port}"
    public = "https://sise.example.com"
    mailing = replace(settings, smtp_url=url, mail_from=SENDER, public_url=public)
    new = {"username": "alice", "email": told["email"], "disclaimer": "yes"}
    async with asgi_client(mailing) as client:
        client.http.headers["Origin"] = BASE_URL
        await choose_source(env)
        for answer in (303, 422):  # the second one finds the name taken
            form = new | {"password": told["password"]}
            assert (await client.http.post("/register", data=form)).status_code == answer
            told["cookie"] = client.http.cookies[PLAIN_COOKIE]
        wrong = await client.http.post("/login", data={"username": "alice", "password": "planted?"})
        assert wrong.status_code == 422
        form = {"act": "create", "name": "bot", "scopes": "READ"}
        made = (await client.http.post("/settings/tokens", data=form)).text
        told["token"] = made.partition('id="token"')[2].split('"')[1]
        pair = await client.ask(SIGN_IN, {"password": told["password"]})
        told |= pair["data"]["signIn"]
        bearer = {"Authorization": f"Bearer {told['accessToken']}x"}
        assert (await client.post({"query": "{ me { email } }"}, **bearer)).status_code == 401
        assert (await client.ask(REFRESH, {"token": told["refreshToken"]}))["data"]
        opened = await client.ask(OPEN, {"amount": told["amount"]}, Origin=BASE_URL)
        assert opened["data"]["createPortfolio"]["initialCapital"] == told["amount"]
        await deliver(with_mail(env, smtp))
        told["link"] = link_of(smtp.letters[-1])
        await client.http.post("/confirm", data={"token": told["link"]})
        await client.http.post("/forgot", data={"email": told["email"]})
        await deliver(with_mail(env, smtp))
        told["reset"] = link_of(smtp.letters[-1])
        form = {"token": told["reset"], "password": told["fresh"]}
        assert (await client.http.post("/reset", data=form)).status_code == 303
    ours = [record for record in caplog.records if record.name not in PEERS]
    lines = "\n".join(map(JsonFormatter().format, ours))
    assert "sqlalchemy.engine" in lines
    assert "planted?" not in lines
    assert [name for name, text in told.items() if str(text) in lines] == []
