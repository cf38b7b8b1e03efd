"""Passwords as argon2id, computed in threads, two at a time.

m = 19,456 KiB, t = 2, p = 1 (OWASP's): about 42 ms. Two threads keep the event loop's stalls small
(19 ms at worst; 37 ms when all at once), and what waits beyond fifty is told to come again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import RateLimited

AT_ONCE: Final = 2
WAITING: Final = 50
MEMORY: Final = 19_456  # KiB
NOBODY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "cyc4OTaJMbRS8WldIH/7zw$M8Q6ypX1bjW1rJxvSBX2d73GhsfKJLfFkAIEN8rnqGo"
)
"""The hash that is verified for users that there are not: of 32 random bytes, which nobody has."""

T = TypeVar("T")


class Hasher:
    """Hashes and verifies, in the same time for users that there are not."""

    def __init__(self) -> None:
        self._argon = PasswordHasher(time_cost=2, memory_cost=MEMORY, parallelism=1)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """The password as it is stored.

        Raises:
            RateLimited: too many wait.
        """
        return await self._run(lambda: self._argon.hash(_as_bytes(password)))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the stored password; None, for nobody, takes as long and is never.

        Raises:
            RateLimited: too many wait.
        """
        known = stored or NOBODY
        return await self._run(lambda: self._matches(known, password)) and stored is not None

    def is_old(self, stored: str) -> bool:
        """Whether it was hashed with other parameters: hash it anew at the next sign-in."""
        return self._argon.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._argon.verify(stored, _as_bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING:
            raise RateLimited("Too many people are signing in. Try again.", retry_after=5.0)
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def _as_bytes(password: str) -> bytes:
    """Any text that JSON can hold, lone surrogates too."""
    return password.encode(errors="surrogatepass")
