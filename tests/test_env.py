"""What a process has open: all of it, or a clear refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.config import Settings
from app.env import Env, open_env
from app.errors import ConfigError


async def test_everything_is_open(env: Env) -> None:
    await env.bus.ping()
    async with env.db.read():
        pass
    assert set(env.sources) == {"yahoo", "sample", "krx"}


@pytest.mark.parametrize("missing", ["database_url", "redis_url"])
async def test_without_a_server_it_says_which_settings_are_missing(
    settings: Settings, missing: str
) -> None:
    with pytest.raises(ConfigError, match=r"SISE_DATABASE_URL.*sise up"):
        async with open_env(replace(settings, **{missing: None}), application="sise-test"):
            pass
