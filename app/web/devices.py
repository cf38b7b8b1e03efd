"""What a browser or program calls itself, in a reader's words: `Chrome, Android`."""

from __future__ import annotations

from typing import Final

BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Whale/", "Whale"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""By the word in the header; the first that fits, since most also claim to be the later ones."""

SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
LONGEST: Final = 60


def name_device(user_agent: str) -> str:
    """Browser and system of a User-Agent header; of a program its own first words, "" for none."""
    found = [
        next((name for word, name in known if word in user_agent), None)
        for known in (BROWSERS, SYSTEMS)
    ]
    if found[0] is None:
        return user_agent[:LONGEST]
    return ", ".join(name for name in found if name)
