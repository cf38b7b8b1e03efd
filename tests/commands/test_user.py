"""`sise user`, run as the operator runs it: add, reset, list."""

from __future__ import annotations

import re
import subprocess

import pytest

from app.config import Settings
from app.domain.access import Role
from app.errors import Unauthenticated
from app.services.administration import disable_account
from app.services.password_reset import reset_by_link
from app.services.second_factor import begin_second_factor
from app.services.sign_in import sign_in
from app.services.users import get_by_name
from tests.people import PASSWORD, make_user
from tests.processes import bare_environ, sise


def user(settings: Settings, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Runs the command beside the test's own servers."""
    environ = bare_environ(
        SISE_DATABASE_URL=settings.database_url,
        SISE_MIGRATION_URL=settings.migration_url,
        SISE_REDIS_URL=settings.redis_url,
        SISE_SECRET=settings.secret,
    )
    return subprocess.run(
        sise("user", *words), env=environ, input=typed, capture_output=True, text=True, check=False
    )


async def test_somebody_is_added_with_a_password_that_is_shown_and_then_reset(env, settings):
    done = user(settings, "add", "alice")
    assert done.returncode == 0, done.stderr
    shown = re.fullmatch(r"alice is added \(admin\), password (\S{16})\n", done.stdout)
    assert shown is not None, done.stdout
    assert await sign_in(env, "alice", shown[1])
    await begin_second_factor(env, (await get_by_name(env, "alice")).id)
    done = user(settings, "reset", "alice", "--password-stdin", "--second-factor", typed=PASSWORD)
    assert done.stdout == "alice has a new password and is signed out everywhere\n", done.stderr
    assert await sign_in(env, "alice", PASSWORD)
    with pytest.raises(Unauthenticated):
        await sign_in(env, "alice", shown[1])


async def test_everybody_is_listed_and_a_mistake_is_one_line(env, settings):
    assert user(settings, "add", "root", "--admin", "--email", "r@example.com").returncode == 0
    assert user(settings, "add", "alice").returncode == 0
    lines = user(settings, "list").stdout.splitlines()
    assert [line.split("\t")[:2] for line in lines] == [["root", "admin"], ["alice", "user"]]
    for words in (("add", "ALICE"), ("reset", "nobody"), ("add", "x")):
        done = user(settings, *words)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1


async def test_a_link_is_handed_over_instead_of_a_password(env, settings):
    await make_user(env)
    done = user(settings, "reset", "alice", "--link")
    found = re.fullmatch(
        r"alice chooses a new password at http://127\.0\.0\.1:8000/reset\?token=(\S{43})\n",
        done.stdout,
    )
    assert found is not None, done.stdout + done.stderr
    assert await sign_in(env, "alice", PASSWORD)  # until the link was used
    await reset_by_link(env, found[1], "another long one", locale="en", address="")
    assert await sign_in(env, "alice", "another long one")


async def test_a_disabled_account_is_marked(env, settings):
    await make_user(env, "root", Role.ADMIN)
    await make_user(env)
    await disable_account(env, "alice")
    lines = user(settings, "list").stdout.splitlines()
    assert [line.endswith("\tdisabled") for line in lines] == [False, True]
