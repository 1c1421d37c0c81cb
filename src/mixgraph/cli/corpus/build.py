"""Searches the mixing graph of every song of a dataset, several at once, and keeps the results in one folder.

Ctrl-C stops after the current steps; the same command with --resume goes on from there, and so it does after a crash. A
song that fails costs no other: `mixgraph corpus retry` repeats what failed."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from mixgraph.cli.building import add_building, add_dataset, run_build
from mixgraph.cli.commands.init import add_groups
from mixgraph.cli.flags import add_settings, settings_of
from mixgraph.errors import SongError


def configure(parser: argparse.ArgumentParser) -> None:
    """The dataset, where to, which songs, how, and all settings of a search."""
    parser.usage = f"{parser.prog} DATASET [PATH] -o CORPUS [options] [settings]"
    add_dataset(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="CORPUS", required=True, help="corpus folder to make")
    parser.add_argument("--resume", action="store_true", help="go on with the corpus, if there is one")
    which = "only these: ids, patterns such as 'Music*', files that list them, or `evaluation`: the paper's songs"
    parser.add_argument("--only", action="extend", nargs="+", default=[], metavar="ID", help=which)
    part = "every Nth song from the Ith on, such as 1/4 to 4/4 on four machines; joins a corpus that is there"
    parser.add_argument("--shard", type=_shard, metavar="I/N", help=part)
    align = "find the offset between tracks and mix of songs that are not aligned"
    parser.add_argument("--align", action="store_true", help=align)
    add_groups(parser)
    add_building(parser)
    add_settings(parser, {})


def run(options: argparse.Namespace) -> None:
    """Makes the corpus or opens it, and searches."""
    from mixgraph.audio.subgroups import read_words
    from mixgraph.corpus.create import create_corpus, dataset_at, listed, shard_of

    config, words = settings_of(options), read_words(options.groups) if options.groups else None
    name, dataset = dataset_at(options.dataset, options.path)
    if not dataset.has_mix:
        cure = "`mixgraph corpus synthesise` mixes its tracks"
        raise SongError(f"{name} has no real mixes of its dry tracks, so there is no graph to find; {cure}")
    ids = listed(options.only, name, dataset)
    chosen = set(ids)
    resume = options.resume or options.shard is not None
    how = {"align": options.align, "words": words, "resume": resume}
    corpus = create_corpus(options.output, name, dataset, ids, config, **how)
    songs = [song for song in corpus.songs if song.id in chosen]
    if options.shard:
        songs = shard_of(songs, *options.shard)
    said = [word for word in options.argv if word != "--resume"]
    run_build(options, corpus, songs, shlex.join(["mixgraph", *said, "--resume"]))


def _shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not (slash and part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!r}: expected such as 1/4, the first of four")
    return int(part), int(parts)
