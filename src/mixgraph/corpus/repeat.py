"""What of a corpus to search again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from mixgraph.corpus.claims import claim
from mixgraph.corpus.folder import Corpus
from mixgraph.files import output_error


def to_repeat(corpus: Corpus) -> tuple[str, ...]:
    """Songs that failed, and those that were begun and broken off; not what is done, running or was never begun."""
    states = {song.id: corpus.state(song.id) for song in corpus.songs}
    broken_off = {song for song, state in states.items() if state.status == "waiting" and state.attempts}
    return tuple(song for song, state in states.items() if state.status == "failed" or song in broken_off)


def drop_checkpoints(corpus: Corpus, songs: Sequence[str]) -> None:
    """Lets those songs begin anew, but for any that somebody works on; raises `OutputError`."""
    from mixgraph.run.workspace import partial_folder

    for song in songs:
        with claim(corpus.lock_file(song)) as is_ours:
            folder = partial_folder(corpus.result_folder(song))
            if is_ours and folder.exists():
                try:
                    shutil.rmtree(folder)
                except OSError as error:
                    raise output_error(folder, error) from None
