"""Somebody who is known: what the means allows, and what is remembered of the place."""

from __future__ import annotations

import pytest

from app.domain.access import Role, Scope
from app.services.people.identity import Device, shorten
from tests.people import by_access_token, by_api_token, by_session, make_user


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_an_address_is_shortened_to_its_network(address, network):
    assert shorten(address) == network


def test_the_program_s_word_is_cut_and_made_printable():
    device = Device.of("Fire\0fox\n" + "x" * 500, "192.0.2.1")
    assert device.user_agent.startswith("Fire fox x")
    assert len(device.user_agent) <= 200


async def test_an_administrator_administers_by_what_has_the_scope(env):
    admin, user = await make_user(env, "root", Role.ADMIN), await make_user(env)
    asked = [
        await by_session(env, admin),
        await by_access_token(env, admin),
        await by_api_token(env, admin, Scope.ADMIN),
        await by_api_token(env, admin, Scope.TRADE),
        await by_session(env, user),
    ]
    assert [identity.administers for identity in asked] == [True, True, True, False, False]
    assert [identity.in_person for identity in asked] == [True, True, False, False, True]
