"""The commands and how a command line is read.

argparse, because flags are generated from the settings' pydantic models, where a framework that reads function
signatures gains nothing, and because it starts fastest. Only the command that is asked for adds its arguments, so
`mixgraph --help` needs neither pydantic nor torch.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final, NoReturn

import mixgraph
from mixgraph.errors import ConfigError

COMMANDS: Final = {
    "search": "find the mixing graph of a song",
    "console": "fit the full console only, without pruning",
    "render": "render a song through a result: the mix, its stems, or one node",
    "evaluate": "measure a result against a song's mix",
    "show": "show the graph of a result",
    "demo": "search a six-second song whose mix is known, and compare",
    "init": "write a song.toml with guessed subgroups",
    "align": "find the offset between the tracks of a song and its mix",
    "report": "write a page to see, hear and read a result",
    "apply": "use a found graph on the stems of another song",
    "draw": "draw the graph of a result as SVG, PNG or PDF",
    "export": "write a result as a DAW session, stems, impulse responses and more",
    "datasets": "list known datasets and what is there of them",
    "corpus": "search, check, score and export many songs",
    "app": "search, watch and listen in your browser, without a terminal",
    "paper": "the tables and figures of the paper, from your results",
    "bench": "measure what a training step costs on this machine",
}
SUMMARY: Final = "Finds the sparse graph of audio processors that turns dry tracks into a given mix."
EXAMPLES: Final = """\
examples:
  mixgraph demo
  mixgraph search my-song -o my-result
  mixgraph show my-result
  mixgraph render my-result -o mix.wav

A song is a folder with mix.wav (or .flac ...) and the dry tracks in tracks/; see `mixgraph init --help`."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `ConfigError` instead of printing its usage and leaving."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, allow_abbrev=False, formatter_class=_formatter, **options)

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see `{self.prog} --help`")

    def _match_arguments_partial(self, actions: Sequence[argparse.Action], arg_strings_pattern: str) -> list[int]:
        """Lets an optional argument such as SONG stand behind flags as well: what Python does from 3.12.7 on."""
        counts = super()._match_arguments_partial(actions, arg_strings_pattern)
        if arg_strings_pattern[sum(counts) :].startswith("O"):  # a flag comes next, and more may come behind it
            while counts and not counts[-1]:
                counts.pop()
        return counts


def parse(argv: list[str]) -> argparse.Namespace:
    """The options, `argv` and what to `run` among them; raises `ConfigError`, or `SystemExit` with 0 after help."""
    asked = next((word for word in argv if not word.startswith("-")), "")
    parser = Parser(prog="mixgraph", description=SUMMARY, epilog=EXAMPLES)
    # Looked up only when it is asked for: that takes longer than everything else here.
    version = mixgraph.__version__ if "--version" in argv else ""
    parser.add_argument("--version", action="version", version=f"mixgraph {version}", help="print the version and exit")
    if asked and asked not in COMMANDS:
        parser.error(f"unknown command '{asked}'{_suggestion(asked, COMMANDS)}")
    if not argv:
        parser.error(f"no command; known: {', '.join(COMMANDS)}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    parsers = {name: commands.add_parser(name, help=line) for name, line in COMMANDS.items()}
    command = parsers.get(asked, parser)
    if asked:
        module = import_module(f"mixgraph.cli.commands.{asked}")
        command.description = module.__doc__
        command.set_defaults(run=module.run, argv=argv, parser=command)
        module.configure(command)
    options, unknown = parser.parse_known_args(argv)
    if unknown:
        command = options.parser  # in a group: that of its own command
        flags = [flag for action in command._actions for flag in action.option_strings]
        command.error(f"unknown argument '{unknown[0]}'{_suggestion(unknown[0].split('=')[0], flags)}")
    return options


def _suggestion(wrong: str, known: Iterable[str]) -> str:
    close = get_close_matches(wrong, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _formatter(prog: str) -> argparse.HelpFormatter:
    width = min(shutil.get_terminal_size().columns, 120)
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=min(34, width // 3), width=width - 2)
