"""`sise user`: add, reset, list. Once as the operator runs it, then by the command's own function."""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from app.cli import report
from app.commands import user as command
from app.config import Settings
from app.domain.access import Role
from app.errors import Unauthenticated
from app.services.people.administration import disable_account
from app.services.people.password_reset import reset_by_link
from app.services.people.second_factor import begin_second_factor
from app.services.people.sign_in import sign_in
from app.services.people.users import get_by_name
from tests.people import PASSWORD, make_user
from tests.processes import bare_environ, sise

Done = tuple[int, str, str]
User = Callable[..., Awaitable[Done]]


@pytest.fixture
def user(settings: Settings, capsys, monkeypatch) -> User:
    """Runs the command: its exit code, what it printed, and what was wrong."""

    async def run(*words: str, typed: str = "") -> Done:
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        options = parser.parse_args(words)
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = await asyncio.to_thread(report, lambda: command.run(settings, options))
        return code, *capsys.readouterr()

    return run


async def test_the_operator_adds_somebody_by_the_command_line(env, settings):
    environ = bare_environ(
        SISE_DATABASE_URL=settings.database_url,
        SISE_MIGRATION_URL=settings.migration_url,
        SISE_REDIS_URL=settings.redis_url,
        SISE_SECRET=settings.secret,
    )
    done = subprocess.run(
        sise("user", "add", "alice"), env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = re.fullmatch(r"alice is added \(admin\), password (\S{16})\n", done.stdout)
    assert shown is not None, done.stdout
    assert await sign_in(env, "alice", shown[1])


async def test_a_password_is_reset_and_the_second_factor_turned_off(env, user):
    _, shown, _ = await user("add", "alice")
    await begin_second_factor(env, (await get_by_name(env, "alice")).id)
    words = ("reset", "alice", "--password-stdin", "--second-factor")
    _, said, wrong = await user(*words, typed=PASSWORD)
    assert said == "alice has a new password and is signed out everywhere\n", wrong
    assert await sign_in(env, "alice", PASSWORD)
    with pytest.raises(Unauthenticated):
        await sign_in(env, "alice", shown.split()[-1])


async def test_everybody_is_listed_and_a_mistake_is_one_line(env, user):
    assert (await user("add", "root", "--admin", "--email", "r@example.com"))[0] == 0
    assert (await user("add", "alice"))[0] == 0
    lines = (await user("list"))[1].splitlines()
    assert [line.split("\t")[:2] for line in lines] == [["root", "admin"], ["alice", "user"]]
    for words in (("add", "ALICE"), ("reset", "nobody"), ("add", "x")):
        code, _, wrong = await user(*words)
        assert code == 1
        assert wrong.count("\n") == 1


async def test_a_link_is_handed_over_instead_of_a_password(env, user):
    await make_user(env)
    _, said, wrong = await user("reset", "alice", "--link")
    found = re.fullmatch(
        r"alice chooses a new password at http://127\.0\.0\.1:8000/reset\?token=(\S{43})\n", said
    )
    assert found is not None, said + wrong
    assert await sign_in(env, "alice", PASSWORD)  # until the link was used
    await reset_by_link(env, found[1], "another long one", locale="en", address="")
    assert await sign_in(env, "alice", "another long one")


async def test_a_disabled_account_is_marked(env, user):
    await make_user(env, "root", Role.ADMIN)
    await make_user(env)
    await disable_account(env, "alice")
    lines = (await user("list"))[1].splitlines()
    assert [line.endswith("\tdisabled") for line in lines] == [False, True]
