"""Renders a session with Ardour itself, without screen or sound card, as its dialogue of export would.

`ardour7-export` would be shorter, but that of Ardour 7.3 starts before the latencies of buses are known, and so
mixes buses with latent plugins too late.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import soundfile

from mixgraph.errors import ConfigError, OutputError

PROGRAM: Final = "ardour7-lua"
ATTEMPTS: Final = 3
STALLED_SECONDS: Final = 60
SCRIPT: Final = "render.lua"
PRESETS: Final = ("float.format", "float.preset")


def find_ardour() -> str:
    """The path of Ardour's interpreter; raises `ConfigError` where it is not installed."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise ConfigError(f"{PROGRAM} is not on the PATH; install Ardour 7 (Debian, Ubuntu: apt install ardour)")
    return found


def render_session(folder: Path) -> tuple[np.ndarray, int]:
    """What the master of the session in a folder gives, float32 `(2, samples)`, and its sample rate.

    Raises `ConfigError` without Ardour, `OutputError` where it writes nothing.
    """
    program, (session,) = find_ardour(), folder.glob("*.ardour")
    with TemporaryDirectory(prefix="mixgraph-ardour-") as home:
        # A copy, because Ardour writes into what it opens.
        work = shutil.copytree(folder, Path(home, "session"))
        presets = Path(home, "ardour7", "export")
        presets.mkdir(parents=True)
        assets = files("mixgraph.export.ardour_session").joinpath("templates")
        for name in PRESETS:
            (presets / name).write_bytes(assets.joinpath(name).read_bytes())
        script = Path(home, SCRIPT)
        script.write_bytes(assets.joinpath(SCRIPT).read_bytes())
        environment = os.environ | {"HOME": home, "XDG_CONFIG_HOME": home, "MIXGRAPH_SESSION": str(work)}
        environment |= {"MIXGRAPH_SNAPSHOT": session.stem, "MIXGRAPH_OUTPUT": home}
        made, said = Path(home, "render.wav"), ""
        for _ in range(ATTEMPTS):
            said = _run([program, str(script)], environment, made)
            if made.with_name("done").exists():
                break
        else:
            raise OutputError(f"{session}: Ardour rendered nothing in {ATTEMPTS} attempts; it said: {said}")
        signal, rate = soundfile.read(made, dtype="float32", always_2d=True)
        return np.ascontiguousarray(signal.T), rate


def _run(command: list[str], environment: dict[str, str], made: Path) -> str:
    """Runs Ardour until it has rendered, ended, or stood still for long; returns the end of what it said.

    Ardour without a screen now and then hangs, or crashes when it closes a session that it has rendered.
    """
    log, size, since = made.with_name("log"), -1, time.monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, cwd=made.parent, stdout=file, stderr=file)
        while process.poll() is None and not made.with_name("done").exists():
            time.sleep(0.2)
            now = made.stat().st_size if made.exists() else 0
            if now != size:
                size, since = now, time.monotonic()
            if time.monotonic() - since > STALLED_SECONDS:
                break
        process.kill()
        process.wait()
    return " ".join(log.read_text(errors="replace").split())[-300:]
