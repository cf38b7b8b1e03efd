"""`sise up`: start everything and serve, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys

from app.config import Settings
from app.supervisor import Supervisor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: everything is a setting."""
    parser.epilog = "Settings are environment variables (SISE_PORT, SISE_DATA_DIR …): see README."


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Runs the supervisor to its end."""
    del options
    return Supervisor(settings, say).run()


def say(line: str) -> None:
    """Writes one line for the person at the terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
