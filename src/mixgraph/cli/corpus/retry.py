"""Repeats what failed in a corpus, and goes on with what was broken off, with the corpus's own settings.

Songs go on from their checkpoints. What was mended counts: the files of these songs are listed anew."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from mixgraph.cli.building import add_building, run_build


def configure(parser: argparse.ArgumentParser) -> None:
    """The corpus, and how."""
    parser.usage = f"{parser.prog} CORPUS [options]"
    parser.add_argument("corpus", type=Path, metavar="CORPUS", help="corpus folder")
    anew = "begin songs anew instead of from their checkpoints, say because a track has changed"
    parser.add_argument("--overwrite", action="store_true", help=anew)
    add_building(parser)


def run(options: argparse.Namespace) -> None:
    """Finds what failed or was broken off, and searches it."""
    from mixgraph.corpus.create import read_anew
    from mixgraph.corpus.folder import Corpus
    from mixgraph.corpus.repeat import drop_checkpoints, to_repeat

    corpus = Corpus.open(options.corpus)
    chosen = to_repeat(corpus)
    if options.overwrite:
        drop_checkpoints(corpus, chosen)
    if chosen:
        corpus = read_anew(corpus, chosen)
    songs = [song for song in corpus.songs if song.id in chosen]
    words = [word for word in options.argv if word != "--overwrite"]
    run_build(options, corpus, songs, shlex.join(["mixgraph", *words]), again=True)
