"""By what one can come in, as the settings and the accounts have it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.providers import Provider
from app.services.people.sign_in_options import find_options
from tests.mailing import with_mail
from tests.people import make_user


@pytest.mark.parametrize("policy", ["open", "invite", "closed"])
async def test_registration_is_as_set_but_for_the_privileged(env, policy):
    set_ = replace(env, settings=replace(env.settings, registration=policy))
    assert (await find_options(set_, privileged=False)).registration == policy
    assert (await find_options(set_, privileged=True)).registration == "open"


async def test_an_account_to_look_around_is_offered_before_the_first_and_at_this_machine(env):
    asked = [await find_options(env, privileged=privileged) for privileged in (True, False)]
    assert [(o.first_run, o.demo) for o in asked] == [(True, True), (True, False)]
    await make_user(env)
    asked = [await find_options(env, privileged=privileged) for privileged in (True, False)]
    assert [(o.first_run, o.demo) for o in asked] == [(False, False)] * 2


async def test_mail_and_providers_are_told_as_set(env, smtp):
    asked = await find_options(env, privileged=False)
    assert (asked.mail, asked.providers) == (False, ())
    google = Provider("google", "Google", "https://accounts.google.com", "id", "geheim")
    set_ = replace(with_mail(env, smtp), settings=replace(env.settings, providers=(google,)))
    asked = await find_options(set_, privileged=False)
    assert (asked.mail, asked.providers) == (True, (google,))
