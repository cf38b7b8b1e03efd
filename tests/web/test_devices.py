"""What browsers call themselves, in words."""

from __future__ import annotations

import pytest

from app.web.devices import name_device

CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
SAFARI = "Mozilla/5.0 ({}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/604.1"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (CHROME.format("X11; Linux x86_64"), "Chrome, Linux"),
        (CHROME.format("Linux; Android 16; SM-S936N"), "Chrome, Android"),
        (CHROME.format("Windows NT 10.0; Win64; x64") + " Edg/156.0", "Edge, Windows"),
        (CHROME.format("Windows NT 10.0; Win64; x64") + " Whale/4.30", "Whale, Windows"),
        (SAFARI.format("iPhone; CPU iPhone OS 19_0 like Mac OS X"), "Safari, iPhone"),
        (SAFARI.format("Macintosh; Intel Mac OS X 10_15_7"), "Safari, macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko Firefox/146.0", "Firefox, Linux"),
        ("python-httpx/0.28.1", "python-httpx/0.28.1"),
        ("x" * 200, "x" * 60),
        ("", ""),
    ],
)
def test_browser_and_system_are_named_by_what_only_they_say(header, words):
    assert name_device(header) == words
