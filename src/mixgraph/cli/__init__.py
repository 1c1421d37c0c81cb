"""The command line: `main` runs one command and turns what goes wrong into one line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mixgraph.cli.parser import parse
from mixgraph.errors import MixgraphError
from mixgraph.run.events import Stopped

OK = 0
FAILED = 2  # a mistake that a user can mend: one line on stderr says which
STOPPED = 130  # 128 + SIGINT, as shells count


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line `argv` (default: the process's own); returns 0, 2 (a user's error) or 130 (stopped)."""
    try:
        options = parse(list(sys.argv[1:] if argv is None else argv))
        options.run(options)
        return OK
    except Stopped:
        return STOPPED
    except KeyboardInterrupt:
        sys.stderr.write("mixgraph: stopped\n")
        return STOPPED
    except BrokenPipeError:  # whoever read our output has seen enough
        from mixgraph.cli.terminal import silence_stdout

        silence_stdout()
        return OK
    except MixgraphError as error:
        message = str(error)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        message = f"{where}{error.strerror or error}; free or choose another place and run again"
    sys.stderr.write(f"mixgraph: error: {' '.join(message.split())}\n")
    return FAILED
