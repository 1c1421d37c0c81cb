"""A command that is a group of commands: each is a module of one package, found by its name.

Such a module is what a module of `mixgraph.cli.commands` is: its docstring is the help (the first sentence also stands
in the group's list), `configure(parser)` adds its arguments, `run(options)` does it. Only the one that is asked for is
imported.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from importlib.resources import files


def add_group(parser: argparse.ArgumentParser, package: str) -> None:
    """Adds the commands of a package to the parser of a group; `run_group` runs the one that is asked for."""
    group = parser.prog.split()[-1]
    argv: list[str] = parser.get_default("argv")
    asked = next((word for word in argv[argv.index(group) + 1 :] if not word.startswith("-")), "")
    lines = dict(_help_lines(package))
    if asked and asked not in lines:
        close = get_close_matches(asked, lines, n=1)
        meant = f"did you mean {close[0]}?" if close else f"known: {', '.join(lines)}"
        parser.error(f"unknown command '{group} {asked}'; {meant}")
    if not asked and argv[-1] == group:
        parser.error(f"no command after '{group}'; known: {', '.join(lines)}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for name, line in lines.items():
        command = commands.add_parser(name, help=line.replace("%", "%%"))
        if name == asked:
            module = import_module(f"{package}.{name}")
            command.description = module.__doc__
            command.set_defaults(run_in_group=module.run, parser=command)
            module.configure(command)


def run_group(options: argparse.Namespace) -> None:
    """Runs the command of the group that the command line asked for."""
    options.run_in_group(options)


def _help_lines(package: str) -> Iterator[tuple[str, str]]:
    """Name and first sentence of each module, read from the source: importing all of them would take longer."""
    for file in sorted(files(package).iterdir(), key=lambda file: file.name):
        name, dot, suffix = file.name.partition(".")
        if f"{dot}{suffix}" == ".py" and not name.startswith("_"):
            text = " ".join((ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").split())
            yield name, text.split(". ")[0].rstrip(".")
