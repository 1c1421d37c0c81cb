"""The figures of docs/results.md: every sub-console and the pruned graph of each song, beside the truth where known.

    python benchmarks/results.py SONGS -o runs                  fits what is missing in runs/, then prints all tables
    python benchmarks/results.py SONGS -o runs --tables-only
    python benchmarks/results.py SONGS -o runs --more-seeds 1 2   searches with these seeds too, and what they change

SONGS (default: ../shared/songs) holds song folders. A run that is there is not repeated, a broken one is resumed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import mixgraph
from common import PICKS, spread

CHAINS = ("g", "sg", "esg", "esgr", "ecsgr", "ecnsgr", "ecnsgdr")
SEARCHES = {"search": "pruned graph", "hybrid": "pruned graph, hybrid strategy"}
LETTERS = {
    "e": "equalizer",
    "c": "compressor",
    "n": "noise_gate",
    "s": "stereo_imager",
    "g": "gain_panning",
    "d": "multitap_delay",
    "r": "reverb",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("songs", type=Path, nargs="?", default=Path("../shared/songs"))
    parser.add_argument("-o", "--output", type=Path, default=Path("runs"))
    parser.add_argument("--console-steps", type=int, default=300, help="steps of each sub-console's fit")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", nargs="*", help="names of songs")
    parser.add_argument("--chains", nargs="*", default=[*CHAINS, *SEARCHES])
    parser.add_argument("--more-seeds", type=int, nargs="*", default=[], metavar="N", help="for the search, beside 0")
    parser.add_argument("--tables-only", action="store_true")
    arguments = parser.parse_args()
    folders = [path.parent for path in sorted(arguments.songs.glob("*/song.toml"))]
    folders = [folder for folder in folders if not arguments.only or folder.name in arguments.only]
    arguments.output.mkdir(exist_ok=True)
    if not arguments.tables_only:
        for chain in arguments.chains:
            for folder in folders:
                command = command_line(chain, str(folder), arguments.console_steps)
                run(command, arguments.output / f"{folder.name}-{chain}", arguments.threads)
        for seed in arguments.more_seeds:
            for folder in folders:
                command = [*command_line("search", str(folder), arguments.console_steps), "--seed", str(seed)]
                run(command, arguments.output / f"{folder.name}-{seeded(seed)}", arguments.threads)
    for folder in folders:
        print(loss_table(folder, arguments.output))
    print(pruning_table(folders, arguments.output))
    if arguments.more_seeds:
        print(seeds_table(folders, arguments.output, ["search", *map(seeded, arguments.more_seeds)]))
    for folder in folders:
        if (folder / "truth.json").exists():
            print(truth_table(folder, arguments.output))


def command_line(chain: str, song: str, console_steps: int) -> list[str]:
    """Arguments of one run: a search of the default preset, also with the paper's strategy, or the fit of a console."""
    if chain not in SEARCHES:
        return ["console", "--chain", chain, song, "--console-steps", str(console_steps)]
    return ["search", song] if chain == "search" else ["search", song, "--strategy", chain]


def run(command: list[str], output: Path, threads: int) -> None:
    """One run of the default preset in a process of its own, for its peak memory."""
    print(f"{output}: {' '.join(command)}", flush=True)
    flags = ["--output", str(output), "--resume", "--quiet", "--threads", str(threads)]
    subprocess.run([sys.executable, "-m", "mixgraph", *command, *flags], check=True)


def loss_table(folder: Path, output: Path) -> str:
    """Loss of every sub-console, both conventions."""
    lines = [
        f"\n### {folder.name}\n",
        "| console | L_a | left/right | mid | side | L_a published | processors | minutes | peak MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    searched = metrics(output, folder, "search")
    lines.append(loss_row("plain sum", searched["loss"]["plain_sum"], 0, None, None))
    for chain in CHAINS:
        if not (output / f"{folder.name}-{chain}").exists():
            continue
        found = metrics(output, folder, chain)
        memory, minutes = found["peak_memory_mb"], found["stage_seconds"]["console"] / 60
        lines.append(
            loss_row(chain, found["loss"]["console"], found["processors"]["initial"]["total"], minutes, memory)
        )
    initial, minutes = searched["processors"]["initial"]["total"], searched["stage_seconds"]["console"] / 60
    lines.append(loss_row("full console of the search", searched["loss"]["console"], initial, minutes, None))
    for chain, name in SEARCHES.items():
        if (output / f"{folder.name}-{chain}").exists():
            found = metrics(output, folder, chain)
            kept, memory = found["processors"]["kept"]["total"], found["peak_memory_mb"]
            lines.append(loss_row(name, found["loss"]["pruned"], kept, found["seconds"] / 60, memory))
    return "\n".join(lines)


def loss_row(name: str, loss: dict, processors: int, minutes: float | None, memory: float | None) -> str:
    channels = " | ".join(f"{loss['channels'][part]['target']:.3f}" for part in ("left_right", "mid", "side"))
    cost = f"{'' if minutes is None else f'{minutes:.1f}'} | {'' if memory is None else f'{memory:.0f}'} |"
    return f"| {name} | {loss['target']:.3f} | {channels} | {loss['published']:.3f} | {processors} | {cost}"


def pruning_table(folders: list[Path], output: Path) -> str:
    """Pruning ratios in total and by type."""
    lines = [
        "\n### Pruning\n",
        f"| song | strategy | left of | ρ | {' | '.join(LETTERS)} | trials | minutes |",
        "|---" * (len(LETTERS) + 6) + "|",
    ]
    for folder, chain in ((folder, chain) for folder in folders for chain in SEARCHES):
        if not (output / f"{folder.name}-{chain}").exists():
            continue
        found = metrics(output, folder, chain)
        ratio, count = found["pruning_ratio"], found["processors"]
        types = " | ".join(f"{ratio['by_type'][name]:.2f}" for name in LETTERS.values())
        strategy = "probe" if chain == "search" else chain
        lines.append(
            f"| {folder.name} | {strategy} | {count['kept']['total']} of {count['initial']['total']} "
            f"| {ratio['total']:.2f} | {types} "
            f"| {found['trials']} | {found['seconds'] / 60:.1f} |"
        )
    return "\n".join(lines)


def seeded(seed: int) -> str:
    """Name of a search with a seed of its own."""
    return f"search-seed{seed}"


def seeds_table(folders: list[Path], output: Path, runs: list[str]) -> str:
    """What the same search comes to with other random choices: minimum, median and maximum over the seeds."""
    units = {
        "console L_a": (lambda found: found["loss"]["console"]["target"], 3),
        "pruned L_a": (lambda found: found["loss"]["pruned"]["target"], 3),
        "left": (lambda found: found["processors"]["kept"]["total"], 0),
        "minutes": (lambda found: found["seconds"] / 60, 1),
        "peak MB": (lambda found: found["peak_memory_mb"], 0),
    }
    columns = [f"{unit}, {pick}" for unit in units for pick in PICKS]
    lines = [f"\n### Over {len(runs)} seeds\n", f"| song | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for folder in folders:
        found = [metrics(output, folder, run) for run in runs]
        cells = [cell for read, digits in units.values() for cell in spread([*map(read, found)], 1, digits)]
        lines.append(f"| {folder.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def truth_table(folder: Path, output: Path) -> str:
    """Per type: on how many tracks that had it in the true mix it was kept, and on how many that had not."""
    result = mixgraph.Result.load(output / f"{folder.name}-search")
    truth = {
        normalise(name): true_types(settings)
        for name, settings in json.loads((folder / "truth.json").read_text())["tracks"].items()
    }
    kept = {track: kept_types(result, track) for track in result.tracks}
    lines = [
        f"\n### {folder.name}: found beside true\n",
        "| type | tracks that had it | kept on the track | on its path "
        "| tracks that had it not | kept on the track | on its path |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in LETTERS.values():
        cells = []
        for had in (True, False):
            tracks = [track for track in result.tracks if (name in truth[normalise(track)]) is had]
            own, path = (sum(name in kept[track][where] for track in tracks) for where in (0, 1))
            cells += [f"{len(tracks)} | {own} | {path}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def kept_types(result: mixgraph.Result, track: str) -> tuple[set[str], set[str]]:
    """Types kept on the track itself, and on its whole way to the output."""
    own: set[str] = set()
    path: set[str] = set()
    node_id, on_track = f"track:{track}", True
    while successors := result.graph.successors(node_id):
        node_id = successors[0]
        node = result.graph.node(node_id)
        on_track = on_track and node.type != "mix"
        path.add(node.type)
        if on_track:
            own.add(node.type)
    return own, path


def true_types(settings: dict) -> set[str]:
    """What a track of truth.json went through, as mixgraph's types (its two formats are told apart by their keys)."""
    types = {"gain_panning"}
    if "effects" in settings:
        return types | {effect["type"] for effect in settings["effects"]}
    types |= {"equalizer", "compressor"} | ({"reverb"} if settings["send"] else set())
    return types | ({"multitap_delay"} if settings.get("delay") else set())


def normalise(track: str) -> str:
    return track.removesuffix(".wav").lower()


def metrics(output: Path, folder: Path, chain: str) -> dict:
    return json.loads((output / f"{folder.name}-{chain}" / "metrics.json").read_text())


if __name__ == "__main__":
    main()
