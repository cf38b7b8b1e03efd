"""`sise doctor`: check the installation and say what to do."""

from __future__ import annotations

import argparse
import asyncio
import sys

from app.commands.reach import reached
from app.config import Settings
from app.doctor import Finding, State, examine_machine, examine_servers
from app.errors import AppError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: everything is a setting."""
    parser.epilog = "Exit code 1 when anything fails. Nothing is changed."


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Prints a line for each finding; 1 when any of them is a failure."""
    del options
    findings = examine_machine(settings)
    if settings.embedded and not settings.data_dir.exists():
        detail = f"{settings.data_dir} does not exist yet"
        findings.append(Finding("Data", State.WARN, detail, "`sise up` makes it."))
    else:
        findings += _servers(settings)
    for finding in findings:
        sys.stdout.write(f"{line(finding)}\n")
    return int(any(finding.state is State.FAIL for finding in findings))


def line(finding: Finding) -> str:
    """A finding in one line, with what to do when it is not ok."""
    text = f"{finding.state:<5} {finding.name:<13} {finding.detail}"
    advice = "" if finding.state is State.OK else finding.advice
    return f"{text.rstrip('.')}. {advice}" if advice else text


def _servers(settings: Settings) -> list[Finding]:
    """Looks at the servers; embedded ones that do not run are started for the look."""
    try:
        with reached(settings) as ready:
            return asyncio.run(examine_servers(ready))
    except AppError as error:
        return [Finding("Servers", State.FAIL, str(error))]
