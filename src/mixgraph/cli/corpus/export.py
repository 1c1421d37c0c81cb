"""Writes a portable copy of a corpus: results, tables and datasheet. Dry audio is only copied if it is asked for: as
FLAC (the copy then renders and verifies anywhere), or with everything else in tars for the package webdataset."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """The corpus, the place, and the audio."""
    parser.add_argument("corpus", type=Path, metavar="CORPUS", help="corpus folder")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder to be made")
    audio = "take the dry audio along, its samples unchanged; mind its licence"
    parser.add_argument("--with-audio", choices=("flac", "webdataset"), help=audio)


def run(options: argparse.Namespace) -> None:
    """Writes it."""
    from mixgraph.corpus.export.copy import export_corpus
    from mixgraph.corpus.folder import Corpus

    export_corpus(Corpus.open(options.corpus), options.output, audio=options.with_audio)
