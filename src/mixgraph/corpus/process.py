"""The process of one song, seen from the one that begins it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import IO, final

from mixgraph.corpus.folder import Corpus
from mixgraph.files import output_error


@final
@dataclass(frozen=True)
class JobOptions:
    """How each song is computed. The same threads give the same bits on the same kind of machine."""

    threads: int = 1
    device: str = "auto"
    checkpoint_seconds: float = 30.0


def start_job(corpus: Corpus, song: str, seen: int, options: JobOptions) -> subprocess.Popen[bytes]:
    """Begins `mixgraph.corpus.job`; closing its `stdin` asks it to stop. Raises `OutputError` if it cannot have a log.

    The song had been begun `seen` times when it was chosen; a job that finds another number leaves it alone.
    It leads a session of its own, so that Ctrl-C in a terminal reaches only the one who began it.
    """
    how = ["--seen", seen, "--threads", options.threads, "--device", options.device]
    how += ["--checkpoint-seconds", options.checkpoint_seconds]
    command = [sys.executable, "-m", "mixgraph.corpus.job", str(corpus.folder), song, *map(str, how)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(options.threads))
    with _log(corpus, song) as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | threads,
            start_new_session=True,
        )


def ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    """Asks a job to stop; it ends within `mixgraph.corpus.job.STOP_SECONDS`."""
    if process.stdin:
        process.stdin.close()


def what_killed(code: int) -> str:
    """The signal of a negative exit code as a name, such as SIGKILL."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _log(corpus: Corpus, song: str) -> IO[bytes]:
    file = corpus.log_file(song)
    try:
        return file.open("ab")
    except OSError as error:
        raise output_error(file, error) from None
