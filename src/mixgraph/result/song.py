"""The song that a result was made from, where it still is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mixgraph.audio.song import Song, load_layout, load_song
from mixgraph.audio.song_file import Layout
from mixgraph.errors import ResultError
from mixgraph.result.result import Result


def load_own_song(result: Result, origin: Path, *, require_mix: bool = True) -> Song:
    """Loads the song from the files that the result names; without `require_mix` its mix may be gone.

    `origin` is what errors name. Raises `ResultError` if the song is unknown or gone, `SongError` if unusable.
    """
    folder, files = result.provenance.get("song_folder"), result.provenance.get("layout")
    if not folder:
        raise ResultError(f"{origin}: was not made from a song folder; name a song folder after the result")
    if not Path(folder).is_absolute():
        gone = f"{origin}: was taken along without its dry audio, and names its song only as {folder} of a dataset"
        raise ResultError(f"{gone}; name a song folder after the result")
    if not Path(folder).is_dir():
        gone = f"{folder}: the song folder of {origin} is not there any more"
        raise ResultError(f"{gone}; name a song folder after the result")
    audio = result.config.audio
    how = {"sample_rate": audio.sample_rate, "memory_budget_mb": audio.memory_budget_mb}
    if not files:  # as mixgraph wrote them before it noted the files
        return load_song(folder, **how, require_mix=require_mix)
    layout = Layout.from_json(files)
    has_mix = layout.mix is not None and (require_mix or layout.mix.is_file())
    return load_layout(layout if has_mix else replace(layout, mix=None), **how)
