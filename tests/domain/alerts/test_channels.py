"""Addresses of channels, and the forms in which services take a message."""

from __future__ import annotations

import orjson
import pytest

from app.domain.alerts.channels import (
    ChannelKind,
    Message,
    check_address,
    place_of,
    shape_message,
)
from app.errors import BadInput
from tests.fakes.browser_push import PushBrowser

TELEGRAM = "https://api.telegram.org/bot1:secret/sendMessage?chat_id=42"
MESSAGE = Message("sise-7", "Sise · 2", ["<A> is up & @here", "B fell"], [1, 2], "https://s/alerts")


@pytest.mark.parametrize(
    ("kind", "address", "said"),
    [
        ("WEBHOOK", "", "address is ''"),
        ("WEBHOOK", "example.com/hook", "address is 'example.com/hook'; it must be a web address"),
        ("WEBHOOK", "ftp://example.com/secret", "address is 'ftp://example.com'"),
        ("WEBHOOK", "https:///hook", "it must be a web address"),
        ("WEBHOOK", "https://user:pass@example.com/", "it must be a web address"),
        ("WEBHOOK", "https://example.com:99999/", "it must be a web address"),
        ("WEBHOOK", "https://exa mple.com/", "it must be a web address"),
        ("WEBHOOK", "https://example.com/" + "x" * 2000, "address is 'https://example.com'"),
        ("TELEGRAM", "https://api.telegram.org/bot1:secret/sendMessage", "must end with ?chat_id="),
        ("PUSH", "{}", "must be the JSON of a browser's PushSubscription"),
        ("PUSH", "nonsense", "must be the JSON"),
        ("PUSH", PushBrowser().subscribe("http://push.example/a"), "it must be a web address"),
    ],
)
def test_what_is_no_address_is_refused_without_its_secret(kind, address, said):
    with pytest.raises(BadInput) as refused:
        check_address(ChannelKind(kind), address)
    assert said in str(refused.value)
    assert refused.value.field == "address"
    assert "secret" not in str(refused.value)
    assert "pass" not in str(refused.value)


def test_what_may_be_shown_of_an_address_is_its_host():
    push = check_address(ChannelKind.PUSH, PushBrowser().subscribe("https://push.example/abc"))
    assert place_of(ChannelKind.PUSH, push) == "push.example"
    assert place_of(ChannelKind.TELEGRAM, check_address(ChannelKind.TELEGRAM, TELEGRAM)) == (
        "api.telegram.org"
    )
    assert check_address(ChannelKind.EMAIL, "x") == place_of(ChannelKind.EMAIL, "") == ""


def test_each_service_has_its_form_and_nobody_is_mentioned():
    slack = shape_message(ChannelKind.SLACK, MESSAGE, "")
    assert slack == {"text": "Sise · 2\n&lt;A&gt; is up &amp; @here\nB fell\nhttps://s/alerts"}
    discord = shape_message(ChannelKind.DISCORD, MESSAGE, "")
    assert discord["allowed_mentions"] == {"parse": []}
    assert discord["content"] == MESSAGE.text
    telegram = shape_message(ChannelKind.TELEGRAM, MESSAGE, TELEGRAM)
    assert (telegram["chat_id"], telegram["text"]) == ("42", MESSAGE.text)
    plain = shape_message(ChannelKind.WEBHOOK, MESSAGE, "")
    assert plain["alerts"][1] == {"id": 2, "text": "B fell"}
    assert (plain["key"], plain["link"]) == ("sise-7", "https://s/alerts")


def test_a_long_message_is_cut_to_what_every_service_takes():
    many = Message("k", "t", ["x" * 300] * 50, list(range(50)), "l")
    assert len(many.text) < 2000
    assert "… +30" in many.text
    assert (
        len(orjson.loads(orjson.dumps(shape_message(ChannelKind.WEBHOOK, many, "")))["alerts"])
        == 50
    )
