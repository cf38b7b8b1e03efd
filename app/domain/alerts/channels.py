"""Channels: ways to somebody outside the page, what an address may be, and what is sent there."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson

from app.errors import BadInput


class ChannelKind(StrEnum):
    """How somebody is told: by mail, a webhook (plain JSON or a service's own form), or a push."""

    EMAIL = "EMAIL"
    WEBHOOK = "WEBHOOK"
    SLACK = "SLACK"
    DISCORD = "DISCORD"
    TELEGRAM = "TELEGRAM"
    PUSH = "PUSH"


LONGEST_ADDRESS: Final = 2_000
MOST_LINES: Final = 20
"""Alerts that one message names; of more it says how many."""

LONGEST_MESSAGE: Final = 1_900  # characters; Discord takes 2,000
_POINT: Final = 65  # bytes of an uncompressed P-256 point
_AUTH: Final = 16


@dataclass(frozen=True)
class Message:
    """What somebody is told at once: the sentences of `ids`, and where to read on.

    `key` is the same at each try, so that a receiver may drop what comes twice.
    """

    key: str
    title: str
    lines: Sequence[str]
    ids: Sequence[int]
    link: str

    @property
    def text(self) -> str:
        """The message as plain text, cut to what every service takes."""
        shown = "\n".join(self.lines[:MOST_LINES])
        more = f"\n… +{len(self.lines) - MOST_LINES}" if len(self.lines) > MOST_LINES else ""
        return f"{self.title}\n{shown[:LONGEST_MESSAGE]}{more}\n{self.link}"


@dataclass(frozen=True)
class Subscription:
    """A browser that takes pushes: where to, its public key and its secret."""

    endpoint: str
    key: bytes
    auth: bytes


def shape_message(kind: ChannelKind, message: Message, address: str) -> dict[str, Any]:
    """The JSON that a webhook is sent. No text in it is read as a mention of anybody."""
    if kind is ChannelKind.SLACK:
        plain = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": plain}
    if kind is ChannelKind.DISCORD:
        return {"content": message.text, "allowed_mentions": {"parse": []}}
    if kind is ChannelKind.TELEGRAM:
        (chat,) = parse_qs(urlsplit(address).query)["chat_id"]
        return {"chat_id": chat, "text": message.text, "disable_web_page_preview": True}
    alerts = [{"id": i, "text": s} for i, s in zip(message.ids, message.lines, strict=True)]
    return {"key": message.key, "title": message.title, "alerts": alerts, "link": message.link}


def shape_push(message: Message) -> dict[str, str]:
    """What `static/sw.js` shows of a push: a lock screen tells how many there are, not of what."""
    body = message.title.removeprefix("Sise · ")
    return {"title": "Sise", "body": body, "url": "/alerts", "tag": message.key}


def check_address(kind: ChannelKind, text: str | None, *, insecure: bool = False) -> str:
    """The address of a channel as it is kept. Mail goes to the account's own: it needs none.

    `insecure` allows a push service without TLS, as it stands on one's own machine.

    Raises:
        BadInput: it is none, or one that cannot be told.
    """
    plain = (text or "").strip()
    if kind is ChannelKind.EMAIL:
        return ""
    if kind is ChannelKind.PUSH:
        found = read_subscription(plain)
        check_web(found.endpoint, ("http", "https") if insecure else ("https",))
        return plain
    check_web(plain, ("http", "https"))
    if kind is ChannelKind.TELEGRAM and not parse_qs(urlsplit(plain).query).get("chat_id"):
        msg = (
            "address is %(value).80r; it must end with ?chat_id= and the chat, as "
            "https://api.telegram.org/bot<token>/sendMessage?chat_id=123"
        )
        raise BadInput(msg, field="address", value=_without_secret(plain))
    return plain


def check_web(address: str, schemes: Sequence[str]) -> None:
    """Returns when it is an address of the web.

    Raises:
        BadInput: it is none; only its beginning is repeated, as the rest may be a secret.
    """
    try:
        parts = urlsplit(address)
        good = bool(parts.hostname) and parts.port != 0
    except ValueError:
        good, parts = False, urlsplit("")
    known = parts.scheme in schemes and not parts.username and not parts.fragment
    plain = address.isascii() and address.isprintable() and " " not in address
    if not (good and known and plain) or len(address) > LONGEST_ADDRESS:
        msg = "address is %(value).80r; it must be a web address such as https://example.com/hook"
        raise BadInput(msg, field="address", value=_without_secret(address))


def read_subscription(text: str) -> Subscription:
    """What a browser's `PushSubscription` says as JSON.

    Raises:
        BadInput: it is none.
    """
    try:
        given = orjson.loads(text)
        keys = given["keys"]
        found = Subscription(str(given["endpoint"]), _decode(keys["p256dh"]), _decode(keys["auth"]))
    except (TypeError, KeyError, ValueError, binascii.Error):
        found = Subscription("", b"", b"")
    if len(found.key) != _POINT or len(found.auth) != _AUTH or found.key[0] != 4:
        raise BadInput("address must be the JSON of a browser's PushSubscription", field="address")
    return found


def place_of(kind: ChannelKind, address: str) -> str:
    """What may be shown of an address: the host."""
    if kind is ChannelKind.EMAIL:
        return ""
    web = read_subscription(address).endpoint if kind is ChannelKind.PUSH else address
    return urlsplit(web).hostname or ""


def _without_secret(address: str) -> str:
    """An address as far as it may be repeated: without what follows the host."""
    head, slashes, rest = address.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2]
    return f"{head}://{host[:60]}" if slashes else address[:40]


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
