"""One GET over HTTP: status and body, or the failure it ended in. How often is `Politeness`'s."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import httpx

from app.adapters.politeness import read_wait
from app.adapters.prices import BadPayload, Failure, RateLimited, SourceDown

ANSWERS: Final = frozenset({200, 400, 404, 422})  # what an API says something with
_LARGEST_BODY: Final = 32 << 20


class Fetcher:
    """A client that is made at the first GET. `timeout`: seconds for all of one."""

    def __init__(
        self,
        transport: Callable[[], httpx.AsyncBaseTransport],
        *,
        now: Callable[[], datetime],
        timeout: float,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._transport = transport
        self._now = now
        self._timeout = timeout
        self._headers = dict(headers or {})
        self._client: httpx.AsyncClient | None = None

    async def get(self, url: str, params: Mapping[str, str]) -> tuple[int, bytes] | Failure:
        """Status (one of ANSWERS) and body."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(url, params)
        except TimeoutError:
            return SourceDown(f"no answer within {self._timeout:g} s")
        except (httpx.HTTPError, OSError) as error:
            reason = str(error).partition(" See http")[0]
            return SourceDown(f"{type(error).__name__}: {reason}"[:200])

    async def close(self) -> None:
        """Lets go of connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _send(self, url: str, params: Mapping[str, str]) -> tuple[int, bytes] | Failure:
        body = bytearray()
        async with self._open().stream("GET", url, params=params) as response:
            if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                return RateLimited(read_wait(response.headers.get("Retry-After"), self._now()))
            if response.status_code not in ANSWERS:
                return SourceDown(f"the answer was {response.status_code}")
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST_BODY:
                    return BadPayload(f"the answer is larger than {_LARGEST_BODY >> 20} MB")
        return response.status_code, bytes(body)

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            limit = httpx.Timeout(self._timeout, connect=min(5.0, self._timeout))
            self._client = httpx.AsyncClient(
                transport=self._transport(), timeout=limit, headers=self._headers, trust_env=False
            )
        return self._client
