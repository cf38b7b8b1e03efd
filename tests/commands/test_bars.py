"""Progress on a terminal and without one."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from app.commands.bars import Bars


def test_a_terminal_shows_a_bar_for_each_step() -> None:
    screen = StringIO()
    with Bars(Console(file=screen, force_terminal=True, width=100, legacy_windows=False)) as bars:
        bars.step("Prices", 2)
        bars.advance()
        bars.advance()
        bars.step("Indicators [1]", 1)
        bars.advance()
    last = screen.getvalue()
    assert "Prices" in last
    assert "2/2" in last
    assert "1/1" in last


def test_elsewhere_each_step_is_a_line() -> None:
    page = StringIO()
    with Bars(Console(file=page, width=100)) as bars:
        bars.step("Prices: [sample]", 2)
        bars.advance()
        bars.step("Indicators", 1)
    assert page.getvalue() == "Prices: [sample] …\nIndicators …\n"
