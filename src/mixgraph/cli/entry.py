"""`main`: runs one command and turns what goes wrong into one line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mixgraph.cli.codes import FAILED, OK, STOPPED
from mixgraph.cli.parser import command_of, parse
from mixgraph.errors import MixgraphError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line `argv` (default: the process's own); returns 0, 2 (a user's error) or 130 (stopped)."""
    try:
        options = parse(list(sys.argv[1:] if argv is None else argv))
        code = command_of(options).run(options)
        sys.stdout.flush()
        return code
    except MixgraphError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        sys.stderr.write("mixgraph: stopped\n")
        return STOPPED
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        from mixgraph.cli.terminal import silence_stdout

        silence_stdout()
        return OK
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}; free or choose another place and run again")


def _fail(message: str) -> int:
    sys.stderr.write(f"mixgraph: error: {' '.join(message.split())}\n")
    return FAILED
