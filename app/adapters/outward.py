"""Outward: POSTs to addresses that people have given, and never to a machine of the inside.

A host is resolved once and the connection goes to the very address that was looked at, so a name
that resolves to something else a moment later changes nothing (DNS rebinding). A redirect is not
followed: where it leads was not looked at. An address counts as inside unless it is one of the
public Internet (RFC 6890), also when it is wrapped into an IPv6 address. The installation may allow
inside addresses by a setting.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Final

import httpx

from app.errors import AppError, Unavailable

PATIENCE: Final = 10.0  # seconds for all of one POST; below the deadline of a job's try
RESOLVING: Final = 5.0
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_LATER: Final = frozenset({408, 425, 429})
_GONE: Final = frozenset({404, 410})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]


class Refused(AppError):
    """The address or its answer is such that another try would change nothing."""

    code: ClassVar[str] = "REFUSED"
    status: ClassVar[int] = 422


class Gone(Refused):
    """The receiver says that there is nothing at this address any more."""

    code: ClassVar[str] = "GONE"


async def resolve_host(host: str, port: int) -> list[str]:
    """The addresses of a host as the system knows them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


class Outward:
    """The way to receivers outside. `inside`: whether addresses of the inside are allowed."""

    def __init__(
        self,
        *,
        inside: bool,
        patience: float = PATIENCE,
        resolve: Resolve = resolve_host,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.inside = inside
        self._patience = patience
        self._resolve = resolve
        self._tls = tls

    async def check(self, url: str) -> None:
        """Returns when something may be sent there now; sends nothing.

        Raises:
            Refused: the address is one of the inside.
            Unavailable: the host cannot be found.
        """
        await self._find(httpx.URL(url))

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Returns when the receiver has taken it (an answer from 200 to 299).

        Raises:
            Refused: the address is one of the inside, or the receiver will not take it at any time.
            Gone: there is nothing at the address any more.
            Unavailable: it does not answer, or not now.
        """
        target = httpx.URL(url)
        try:
            async with asyncio.timeout(self._patience):
                status = await self._send(target, body, headers)
        except TimeoutError as error:
            msg = "%(host)s did not answer within %(seconds)g seconds."
            raise Unavailable(msg, host=target.host, seconds=self._patience) from error
        except (httpx.HTTPError, OSError) as error:
            msg = "%(host)s cannot be reached (%(why)s)."
            raise Unavailable(msg, host=target.host, why=type(error).__name__) from error
        _judge(target.host, status)

    async def _send(self, target: httpx.URL, body: bytes, headers: Mapping[str, str]) -> int:
        address = await self._find(target)
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        async with (
            httpx.AsyncClient(
                verify=self._tls, trust_env=False, follow_redirects=False, timeout=self._patience
            ) as client,
            client.stream(
                "POST",
                target.copy_with(host=address),
                content=body,
                headers={**headers, "Host": target.netloc.decode("ascii")},
                extensions={"sni_hostname": target.host},
            ) as answer,
        ):
            return answer.status_code

    async def _find(self, target: httpx.URL) -> str:
        """The address of a host, once all that it has were looked at."""
        port = target.port or (443 if target.scheme == "https" else 80)
        try:
            async with asyncio.timeout(RESOLVING):
                found = await self._resolve(target.host, port)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise Unavailable("The host %(host)s cannot be found.", host=target.host) from error
        for text in found:
            if not self.inside and not is_public(text):
                msg = "%(host)s is inside a network (%(address)s); only public addresses are told."
                raise Refused(msg, host=target.host, address=text)
        if not found:
            raise Unavailable("The host %(host)s cannot be found.", host=target.host)
        return found[0]


def is_public(text: str) -> bool:
    """Whether an address is one of the public Internet, and so is what is wrapped in it."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(one.is_global and not one.is_multicast for one in (address, *_wrapped(address)))


def _wrapped(address: Address) -> list[Address]:
    """The IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[Address] = [
        inner for inner in (address.ipv4_mapped, address.sixtofour) if inner is not None
    ]
    if address.teredo is not None:
        found += address.teredo
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


def _judge(host: str, status: int) -> None:
    if 200 <= status < 300:
        return
    values = {"host": host, "status": status}
    if status in _GONE:
        raise Gone("%(host)s has nothing at this address any more (%(status)d).", **values)
    if 300 <= status < 400:
        raise Refused(
            "%(host)s leads to another address (%(status)d), which is not followed.", **values
        )
    if status in _LATER or status >= 500:
        raise Unavailable("%(host)s does not take it now (%(status)d).", **values)
    raise Refused("%(host)s does not take it (%(status)d).", **values)
