"""By what one can come in: who may register, whether mail goes out, and which other sites vouch."""

from __future__ import annotations

from dataclasses import dataclass

from app.config import Registration
from app.env import Env
from app.providers import Provider
from app.services.people.users import has_users


@dataclass(frozen=True)
class SignInOptions:
    """`first_run`: there never was an account. `demo`: one to look around can be made."""

    registration: Registration
    mail: bool
    providers: tuple[Provider, ...]
    first_run: bool
    demo: bool


async def find_options(env: Env, *, privileged: bool) -> SignInOptions:
    """What the caller can do; `privileged` is who may register whatever the setting says."""
    first_run = not await has_users(env)
    return SignInOptions(
        registration="open" if privileged else env.settings.registration,
        mail=env.mailer.is_set,
        providers=env.settings.providers,
        first_run=first_run,
        demo=privileged and first_run and env.settings.loopback,
    )
