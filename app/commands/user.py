"""`sise user`: add somebody, choose a new password for somebody, list everybody."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from typing import Final

from app.commands.migrate import bring_up_to_date
from app.commands.reach import reached
from app.config import Settings
from app.domain.access import Role
from app.env import Env, open_env
from app.services.people.account import reset_password
from app.services.people.mails import NOWHERE
from app.services.people.password_reset import make_link
from app.services.people.second_factor import turn_off_second_factor
from app.services.people.users import Applicant, get_by_name, list_users, register

_TAB_DISABLED: Final = "\tdisabled"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and to whom."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="add|reset|list")
    add = actions.add_parser("add", help="add somebody; the first is an administrator")
    add.add_argument("--admin", action="store_true", help="an administrator")
    add.add_argument("--email", default=NOWHERE, help="the e-mail address")
    reset = actions.add_parser("reset", help="choose a new password; ends every sign-in")
    reset.add_argument(
        "--link", action="store_true", help="show a link, good for an hour, instead of a password"
    )
    reset.add_argument("--second-factor", action="store_true", help="turn that off as well")
    for action in (add, reset):
        action.add_argument("name", help="the username")
        action.add_argument(
            "--password-stdin", action="store_true", help="read it, else a random one is shown"
        )
    actions.add_parser("list", help="list everybody")


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Does it and says what was done."""
    with reached(settings) as ready:
        sys.stdout.write(asyncio.run(_run(ready, options)))
    return 0


async def _run(settings: Settings, options: argparse.Namespace) -> str:
    await bring_up_to_date(settings)
    async with open_env(settings, application="sise-user") as env:
        if options.action == "list":
            return await _list(env)
        if options.action == "reset" and options.link:
            return await _link(env, options)
        typed = sys.stdin.readline().rstrip("\n") if options.password_stdin else None
        password = typed if typed is not None else secrets.token_urlsafe(12)
        shown = "" if typed is not None else f", password {password}"
        if options.action == "add":
            return await _add(env, options, password) + f"{shown}\n"
        return await _reset(env, options, password) + f"{shown}\n"


async def _add(env: Env, options: argparse.Namespace, password: str) -> str:
    role = Role.ADMIN if options.admin else None
    applicant = Applicant(options.name, options.email, password, privileged=True)
    user = await register(env, applicant, role)
    return f"{user.username} is added ({user.role.lower()})"


async def _reset(env: Env, options: argparse.Namespace, password: str) -> str:
    user = await get_by_name(env, options.name)
    await reset_password(env, user, password)
    if options.second_factor:
        await turn_off_second_factor(env, user.id)
    return f"{user.username} has a new password and is signed out everywhere"


async def _link(env: Env, options: argparse.Namespace) -> str:
    user = await get_by_name(env, options.name)
    if options.second_factor:
        await turn_off_second_factor(env, user.id)
    return f"{user.username} chooses a new password at {await make_link(env, user)}\n"


async def _list(env: Env) -> str:
    lines = [
        f"{user.username}\t{user.role.lower()}\t{user.email}\t{user.created_at:%Y-%m-%d}"
        f"{_TAB_DISABLED if user.disabled_at else ''}\n"
        for user in await list_users(env)
    ]
    return "".join(lines)
