"""Somebody who has signed in to a running installation, for the pages that only such a one sees."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.people import PASSWORD
from tests.sites import Site

MEMBER_PAGES = {
    "my-settings": "/settings",
    "account": "/settings/account",
    "security": "/settings/security",
    "tokens": "/settings/tokens",
    "people": "/settings/people",
    "watchlists": "/watchlists",
    "watchlist": "/watchlists/1",
    "watchlist-edited": "/watchlists/1?edit=1&taken=GOOG",
    "watched-dashboard": "/?watchlist=1",
    "portfolios": "/portfolios",
    "portfolio": "/portfolios/{0}",
    "transactions": "/portfolios/{0}/transactions",
    "order": "/portfolios/{0}/order?symbol=AAPL&side=BUY",
    "alerts": "/alerts",
    "new-alert": "/alerts/new?symbol=AAPL&level=400",
    "backtests": "/backtests",
    "new-backtest": "/backtests/new?strategy=stochastic",
    "backtest": "/backtests/1",
    "sweep": "/backtests/2",
    "walk-forward": "/backtests/3",
    "compare-backtests": "/backtests/compare?ids=1,2,3",
}


@dataclass(frozen=True)
class Member:
    """An administrator who has signed in to an installation: the cookie, and what to look at."""

    site: Site
    cookie: tuple[str, str]
    portfolio: str

    @property
    def state(self) -> Any:
        """What a browser context has to know: `visiting(…, storage_state=member.state)`."""
        name, value = self.cookie
        host = urlsplit(self.site.url).hostname
        rest = {"expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}
        cookie = {"name": name, "value": value, "domain": host, "path": "/", **rest}
        return {"cookies": [cookie], "origins": []}

    @property
    def pages(self) -> dict[str, str]:
        """Where the pages of who has signed in lie."""
        return {name: path.format(self.portfolio) for name, path in MEMBER_PAGES.items()}


def run_backtests(http: httpx.Client, *wanted: dict[str, str]) -> None:
    """Has backtests run, all at once; who has just been started tells its strategies in a moment."""
    end, places = time.monotonic() + 180, []
    for values in wanted:
        typed = {"strategy": "sma_cross", "symbols": "AAPL", "cash": "100000", **values}
        while (answer := http.post("/backtests/new", data=typed)).status_code != 303:
            assert time.monotonic() < end, answer.text
            time.sleep(0.2)
        places.append(answer.headers["location"])
    for place in places:
        while "<progress max" in http.get(place).text:
            assert time.monotonic() < end
            time.sleep(0.2)


def join(site: Site) -> Member:
    """Registers the first account of an installation, and gives it something to show."""
    origin = {"Origin": site.url}
    with httpx.Client(base_url=site.url, headers=origin, timeout=60) as http:
        for name in ("reader", "keeper"):  # the second one is on the page on people, too
            http.cookies.clear()
            typed = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
            answer = http.post("/register", data=typed | {"disclaimer": "yes"})
            assert answer.status_code == 303, answer.text
            if name == "reader":
                ((cookie, value),) = http.cookies.items()
        http.cookies.clear()
        http.cookies.set(cookie, value)
        token = {"act": "create", "name": "bot", "scopes": "READ"}
        assert http.post("/settings/tokens", data=token).status_code == 200
        opened = {"name": "2013", "kind": "TRACKED", "baseCurrency": "USD"}
        made = http.post("/portfolios", data=opened | {"initialCapital": "10000"})
        assert made.status_code == 303, made.text
        portfolio = made.headers["location"].rpartition("/")[2]
        listed = http.post("/watchlists", data={"name": "Old friends"}).headers["location"]
        pasted = http.post(listed, data={"act": "add", "symbols": "IBM AAPL MSFT"})
        assert pasted.headers["location"] == listed == "/watchlists/1"
        rule = {"act": "save", "kind": "PRICE_ABOVE", "symbol": "AAPL", "level": "99999"}
        assert http.post("/alerts", data=rule | {"note": "far"}).status_code == 303
        grid = {"p.fast": "10:30:10", "p.slow": "40,80"}
        alone = {"symbols": "AAPL IBM MSFT", "p.fast": "20", "p.slow": "60"}
        run_backtests(http, alone, grid, grid | {"walk": "on"})
    return Member(site, (cookie, value), portfolio)
