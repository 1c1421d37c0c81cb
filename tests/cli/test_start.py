"""Starting: nothing heavy is imported before it is needed, and everything exported is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mixgraph
from mixgraph.cli import main
from mixgraph.cli.parser import COMMANDS, parse

HEAVY = ("torch", "scipy", "numpy", "pydantic", "rich", "soundfile")
SCRIPT = """
import sys
{action}
print([name for name in {heavy} if name in sys.modules])
"""


@pytest.mark.parametrize(
    "action",
    [
        "import mixgraph",
        "from mixgraph.cli import main; main(['nonsense'])",
        "from mixgraph.cli import main\ntry: main(['--help'])\nexcept SystemExit as end: assert not end.code",
        "from mixgraph.cli import main\ntry: main(['--version'])\nexcept SystemExit as end: assert not end.code",
    ],
)
def test_start_imports_nothing_heavy(action: str) -> None:
    script = SCRIPT.format(action=action, heavy=HEAVY)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_help_of_search_needs_no_torch() -> None:
    action = "from mixgraph.cli import main\ntry: main(['search', '--help'])\nexcept SystemExit: pass"
    script = SCRIPT.format(action=action, heavy=("torch", "scipy", "numpy"))
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


STEP = "from mixgraph.cli import main; main('bench step --tracks 1 --subgroups 1 --repeats 1 --warm-up 0'.split())"


def test_a_training_step_loads_no_compiler_and_no_scipy_of_ours() -> None:
    """Each costs tens of megabytes, and up to a second before the first step."""
    heavy = ("torch._dynamo", "scipy.signal", "scipy.stats", "scipy.optimize", "scipy.special")
    script = SCRIPT.format(action=STEP, heavy=heavy)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "10000 None"), ({"GOMP_SPINCOUNT": "7"}, "7 None"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None ACTIVE")],
)
def test_threads_wait_briefly_unless_told_otherwise(given: dict[str, str], expected: str) -> None:
    action = f"{STEP}\nimport os; print(os.environ.get('GOMP_SPINCOUNT'), os.environ.get('OMP_WAIT_POLICY'))"
    chosen = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    surroundings = {name: value for name, value in os.environ.items() if name not in chosen} | given
    script = SCRIPT.format(action=action, heavy=())
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=surroundings)
    assert run.stdout.splitlines()[-2] == expected


def test_exports() -> None:
    for name in mixgraph.__all__:
        assert getattr(mixgraph, name) is not None
        assert name in dir(mixgraph)
    assert issubclass(mixgraph.MixgraphError, Exception)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mixgraph.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"mixgraph {mixgraph.__version__}\n"
    for command in COMMANDS:
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        assert end.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: mixgraph {command} ")


def test_as_a_module_and_into_a_closed_pipe(finished: Path) -> None:
    shown = f"{sys.executable} -m mixgraph show --json {finished}"
    run = subprocess.run(["bash", "-c", f"set -o pipefail; {shown} | head -n 0"], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("words", ["RESULT SONG --json", "RESULT --json SONG", "--json RESULT SONG"])
def test_the_song_may_stand_behind_flags(words: str) -> None:
    options = parse(["evaluate", *words.split()])
    assert (options.result, options.song, options.json) == (Path("RESULT"), Path("SONG"), True)


def test_the_song_may_be_left_out() -> None:
    options = parse(["evaluate", "RESULT", "--json"])
    assert (options.result, options.song) == (Path("RESULT"), None)
