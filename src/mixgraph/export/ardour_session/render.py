"""Renders a session with Ardour itself, without screen or sound card, as its dialogue of export would.

`ardour7-export` would be shorter, but that of Ardour 7.3 starts before the latencies of buses are known, and so
mixes buses with latent plugins too late.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import soundfile

from mixgraph.errors import ConfigError, OutputError

PROGRAM: Final = "ardour7-lua"
LONGEST_SECONDS: Final = 3_600
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
        try:
            run = subprocess.run(
                [program, str(script)],
                env=environment,
                cwd=home,
                capture_output=True,
                text=True,
                timeout=LONGEST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise OutputError(f"{session}: Ardour did not end within {LONGEST_SECONDS} s; try it by hand") from None
        made = Path(home, "render.wav")
        if not made.is_file():
            said = " ".join((run.stdout + run.stderr).split())[-300:]
            raise OutputError(f"{session}: Ardour rendered nothing; it said: {said}")
        signal, rate = soundfile.read(made, dtype="float32", always_2d=True)
        return np.ascontiguousarray(signal.T), rate
