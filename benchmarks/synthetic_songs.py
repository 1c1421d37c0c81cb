"""The 24 songs of the corpus measurement: 21 synthetic ones whose graphs are known, and the three shared songs.

    python benchmarks/synthetic_songs.py -o SONGS

The dry tracks are those of ../shared/songs and the four stems of the demo song; the same seed gives the same songs.
SONGS is then a dataset: `mixgraph corpus build SONGS -o CORPUS`. The shared songs are links. What is there is kept.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from common import SONGS, options_of, prepare, save, say, table

TRACKS = (4, 6)
SECONDS = (8.0, 12.0)
# What their README says.
SHARED: dict[str, dict[str, str]] = {
    "hydrogen": {"artist": "Software-Entwicklungskit", "licence": "CC0 1.0"},
    "caesium": {"artist": "Software-Entwicklungskit", "licence": "CC0 1.0"},
    "finalstep": {"artist": "Saber Rastikerdar", "licence": "BSD-2-Clause"},
}


def main() -> None:
    options = options_of(__doc__, add_options)
    prepare(options.threads)
    from mixgraph.corpus.synthetic.synthesise import Made, Plan, synthesise
    from mixgraph.datasets.base import open_dataset

    found = {entry.id: entry for entry in open_dataset("folder", options.songs).entries()}
    shared = [replace(found[name], **said) for name, said in SHARED.items()]
    plan = Plan(options.count, options.seed, TRACKS, SECONDS)
    made: list[Made] = []
    began = time.perf_counter()

    def watch(song: Made) -> None:
        made.append(song)
        say(f"{time.perf_counter() - began:5.0f} s: {song.folder.name}")

    with tempfile.TemporaryDirectory(prefix="mixgraph-") as folder:
        folders = synthesise([*shared, demo_stems(Path(folder))], options.output, plan, watch)
    seconds = time.perf_counter() - began
    for entry in shared:
        link = options.output / entry.id
        if not link.exists():
            link.symlink_to((options.songs / entry.id).resolve(), target_is_directory=True)
    rows = [summary(path) for path in folders]
    columns = ["song", "tracks", "processors", "of", "seconds"]
    table("Synthetic songs", columns, [[row[column] for column in columns] for row in rows])
    kinds: Counter[str] = sum((Counter(row["by_type"]) for row in rows), Counter())
    table("Processors in them", ["processor", "used"], kinds.most_common())
    say(f"{len(made)} songs written in {seconds:.0f} s; {len(folders) + len(shared)} songs in {options.output}")
    save(options, songs=rows, written=len(made), seconds=seconds)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SONGS", help="folder for the songs")
    parser.add_argument("--songs", type=Path, default=SONGS, help=f"the shared songs (default {SONGS})")
    parser.add_argument("--count", type=int, default=21, metavar="N", help="synthetic songs (default 21)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of all of them (default 0)")


def demo_stems(folder: Path) -> Any:
    """The stems of the demo song as a song folder without a mix, whose sub-folders are subgroups."""
    from mixgraph.audio.files import write_audio
    from mixgraph.audio.song_file import read_layout
    from mixgraph.datasets.base import Entry
    from mixgraph.datasets.musdb18 import Musdb18
    from mixgraph.demo import STEM_RATE, SUBGROUPS, decode_stems, stem_file

    stems = decode_stems(stem_file())
    for group, names in SUBGROUPS.items():
        (folder / "tracks" / group).mkdir(parents=True)
        for name in names:
            write_audio(folder / "tracks" / group / f"{name}.flac", stems[name], STEM_RATE)
    layout = replace(read_layout(folder, require_mix=False), name="Falcon 69")
    return Entry("falcon69", "Falcon 69", "The Easton Ellises", Musdb18.licence, layout)


def summary(folder: Path) -> dict[str, Any]:
    """What one song is."""
    from mixgraph.result.result import Result

    truth = Result.load(folder / "truth")
    processors = truth.metrics["processors"]
    return {
        "song": folder.name,
        "tracks": len(truth.tracks),
        "processors": processors["kept"]["total"],
        "of": processors["initial"]["total"],
        "seconds": round(truth.provenance["synthetic"]["source"]["seconds"], 1),
        "by_type": processors["kept"]["by_type"],
    }


if __name__ == "__main__":
    main()
