"""The command line: one table of commands; only the chosen one is imported."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable
from typing import Final, Protocol, cast

from app import __version__
from app.adapters.secret import load_secret
from app.config import Settings, load_settings
from app.errors import AppError, ConfigError
from app.parent import follow_parent
from app.telemetry import set_up_logging

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "up": ("app.commands.up", "start everything and serve, until Ctrl-C"),
    "serve": ("app.commands.serve", "serve pages and the GraphQL API"),
    "work": ("app.commands.work", "run the jobs of one queue"),
    "feed": ("app.commands.feed", "bring live prices in"),
    "migrate": ("app.commands.migrate", "bring the database to this release"),
    "prepare": ("app.commands.prepare", "migrate, choose the price source, load first prices"),
    "collect": ("app.commands.collect", "bring prices up to date now"),
    "source": ("app.commands.source", "switch the price source"),
    "backtest": ("app.commands.backtest", "run a strategy over stored prices"),
    "user": ("app.commands.user", "add people, choose a new password, list them"),
    "doctor": ("app.commands.doctor", "check the installation and say what to do"),
}
INTERRUPTED: Final = 130
SERVING: Final = frozenset({"serve", "work", "feed"})
"""What runs on: without a secret it ends before the seconds that its libraries take to load."""


class Command(Protocol):
    """What a module of `app.commands` holds."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the arguments of the command."""

    def run(self, settings: Settings, options: argparse.Namespace) -> int:
        """Does it; the exit code."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; the exit code: 0 done, 1 failed, 2 wrong usage, 78 a setting is wrong."""
    words = sys.argv[1:] if arguments is None else arguments
    name = _parser().parse_args(words[:1]).command
    if name in SERVING and not {"-h", "--help"} & set(words) and (refused := report(_check_secret)):
        return refused
    module, help_text = COMMANDS[name]
    command = _load(module)
    parser = argparse.ArgumentParser(prog=f"sise {name}", description=help_text)
    command.add_arguments(parser)
    options = parser.parse_args(words[1:])
    follow_parent()

    def work() -> int:
        settings = load_settings()
        set_up_logging(settings.log_level)
        return command.run(settings, options)

    return report(work)


def _load(module: str) -> Command:
    """Imports a command. None of it is ever garbage; looking for some takes a fifth of it."""
    gc.disable()
    try:
        return cast("Command", importlib.import_module(module))
    finally:
        gc.enable()


def _check_secret() -> int:
    settings = load_settings()
    if not settings.embedded:
        load_secret(settings)
    return 0


def report(work: Callable[[], int]) -> int:
    """The exit code of some work; an expected failure becomes one line on standard error."""
    try:
        code = work()
        sys.stdout.flush()
    except ConfigError as error:
        return _say(error, ConfigError.exit_code)
    except AppError as error:
        return _say(error, 1)
    except BrokenPipeError:
        # The reader went away; the interpreter would complain once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _say(error: AppError, code: int) -> int:
    print(f"sise: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="sise",
        description="Self-hosted stock-investing simulator and live monitor.",
        epilog=f"commands:\n{lines}\n\n`sise COMMAND --help` says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sise {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    return parser
