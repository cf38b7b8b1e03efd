"""Accounts through the schema: for administrators alone, and the demo for who is at the machine."""

from __future__ import annotations

import pytest

from app.domain.access import Role, Scope
from tests.graphql.asking import ask, fail
from tests.people import by_api_token, by_session, make_user

USERS = "{ users(first: 1) { totalCount edges { node { username role disabledAt } } } }"
CHANGES = (
    'mutation { changeRole(username: "alice", role: ADMIN) { role } }',
    'mutation { deactivateUser(username: "alice") { disabledAt } }',
    'mutation { activateUser(username: "alice") { disabledAt } }',
    'mutation { deleteUser(username: "alice") }',
)


async def as_admin(env):
    identity = await by_session(env, await make_user(env, "root", Role.ADMIN))
    return {"identity": identity, "operator": identity.administers}


async def test_an_administrator_lists_and_changes_accounts(env):
    asked = await as_admin(env)
    await make_user(env)
    listed = (await ask(env, USERS, **asked))["users"]
    assert listed["totalCount"] == 2
    assert [edge["node"]["username"] for edge in listed["edges"]] == ["root"]
    assert await ask(env, CHANGES[0], **asked) == {"changeRole": {"role": "ADMIN"}}
    assert (await ask(env, CHANGES[1], **asked))["deactivateUser"]["disabledAt"]
    assert await ask(env, CHANGES[2], **asked) == {"activateUser": {"disabledAt": None}}
    assert await ask(env, CHANGES[3], **asked) == {"deleteUser": True}


@pytest.mark.parametrize("document", [USERS, *CHANGES, "mutation { startDemo { password } }"])
async def test_nobody_else_does(env, document):
    user = await make_user(env)
    root = await make_user(env, "root", Role.ADMIN)
    strangers = [
        (None, "UNAUTHENTICATED"),
        (await by_session(env, user), "FORBIDDEN"),
        (await by_api_token(env, user, Scope.READ), "FORBIDDEN"),
        (await by_api_token(env, root, Scope.READ, Scope.TRADE), "FORBIDDEN"),
    ]
    for identity, code in strangers:
        told = await fail(env, document, identity=identity, operator=False)
        assert told["extensions"]["code"] == code


async def test_the_demo_is_made_once_by_who_is_at_the_machine(env):
    made = await ask(env, "mutation { startDemo { password user { username role } } }")
    assert made["startDemo"]["user"] == {"username": "demo", "role": "ADMIN"}
    told = await fail(env, "mutation { startDemo { password } }")
    assert told["extensions"]["code"] == "CONFLICT"
