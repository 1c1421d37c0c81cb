"""The commands and how a command line is read.

argparse, because flags are generated from the settings' pydantic models, where a framework that reads function
signatures gains nothing, and because it starts fastest. Only the command that is asked for adds its arguments, so
`mixgraph --help` needs neither pydantic nor torch.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final, NoReturn, Protocol

from mixgraph.errors import ConfigError

COMMANDS: Final = {
    "search": "find the mixing graph of a song",
    "console": "fit the full console only, without pruning",
    "render": "render a song through a result: the mix, its stems, or one node",
    "evaluate": "measure a result against a song's mix",
    "show": "show the graph of a result",
    "demo": "search a six-second song whose mix is known, and compare",
    "init": "write a song.toml with guessed subgroups",
}
SUMMARY: Final = "Finds the sparse graph of audio processors that turns dry tracks into a given mix."
EXAMPLES: Final = """\
examples:
  mixgraph demo
  mixgraph search my-song -o my-result
  mixgraph show my-result
  mixgraph render my-result -o mix.wav

A song is a folder with mix.wav (or .flac ...) and the dry tracks in tracks/; see `mixgraph init --help`."""


class Command(Protocol):
    """A module of `mixgraph.cli.commands`."""

    DESCRIPTION: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Adds the command's arguments."""
        ...

    def run(self, options: argparse.Namespace) -> int:
        """Does it and returns the exit code."""
        ...


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `ConfigError` instead of printing its usage and leaving."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, allow_abbrev=False, formatter_class=_formatter, **options)

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see `{self.prog} --help`")


def parse(argv: list[str]) -> argparse.Namespace:
    """Reads a command line and keeps it as `argv`; raises `ConfigError`, or `SystemExit` with 0 after help."""
    asked = next((word for word in argv if not word.startswith("-")), None)
    parser = Parser(prog="mixgraph", description=SUMMARY, epilog=EXAMPLES)
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    if asked is not None and asked not in COMMANDS:
        parser.error(f"unknown command '{asked}'{_suggestion(asked, COMMANDS)}")
    if not argv:
        parser.error(f"no command; known: {', '.join(COMMANDS)}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    of_command: argparse.ArgumentParser = parser
    for name, line in COMMANDS.items():
        if name == asked:
            module = _module(name)
            of_command = commands.add_parser(name, help=line, description=module.DESCRIPTION)
            module.configure(of_command)
        else:
            commands.add_parser(name, help=line)
    options, unknown = parser.parse_known_args(argv)
    if unknown:
        flags = [flag for action in of_command._actions for flag in action.option_strings]
        of_command.error(f"unknown argument '{unknown[0]}'{_suggestion(unknown[0].split('=')[0], flags)}")
    options.argv = argv
    return options


def command_of(options: argparse.Namespace) -> Command:
    """The module of the command that was asked for."""
    return _module(options.command)


def _module(name: str) -> Command:
    module: Any = import_module(f"mixgraph.cli.commands.{name}")
    return module


def _suggestion(wrong: str, known: Iterable[str]) -> str:
    close = get_close_matches(wrong, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _formatter(prog: str) -> argparse.HelpFormatter:
    width = min(shutil.get_terminal_size().columns, 120)
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=min(34, width // 3), width=width - 2)


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __init__(self, option_strings: list[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        import mixgraph

        sys.stdout.write(f"mixgraph {mixgraph.__version__}\n")
        parser.exit(0)
