"""The surroundings of an operation, and who is the person at this machine."""

from __future__ import annotations

import pytest

from app.graphql.context import is_operator
from tests.graphql.asking import make_context


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_a_loopback_address_is_this_machine(address):
    assert is_operator(address)
    assert not is_operator(address, forwarded=True)


@pytest.mark.parametrize(
    "address", ["192.168.0.7", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "testclient", "", None]
)
def test_any_other_address_is_not(address):
    assert not is_operator(address)


async def test_each_operation_has_loaders_of_its_own(env):
    context = make_context(env, locale="ko", caller="1.2.3.4")
    renewed = context.renewed()
    assert renewed.loaders is not context.loaders
    assert (renewed.env, renewed.hub, renewed.locale) == (context.env, context.hub, "ko")
    assert renewed.caller == "1.2.3.4"
