"""Songs of the workspace: what is in a song folder, and a song.toml with the subgroups that were chosen."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from mixgraph.audio.files import LENGTH_UNKNOWN, probe
from mixgraph.audio.song_file import FILE_NAME, Layout, check_subgroups, read_layout
from mixgraph.audio.song_toml import write_song_toml
from mixgraph.audio.subgroups import guess_subgroups
from mixgraph.errors import SongError


@final
@dataclass(frozen=True)
class AudioFacts:
    """What the header of an audio file says; `seconds` is None where a streamed file does not tell."""

    name: str
    file: str
    seconds: float | None
    sample_rate: int
    channels: int


@final
@dataclass(frozen=True)
class SongFacts:
    """A song that can be searched. `guessed` are subgroups by the words of the names, whatever was chosen."""

    folder: str
    title: str
    mix: AudioFacts
    tracks: tuple[AudioFacts, ...]
    subgroups: Mapping[str, tuple[str, ...]]
    guessed: Mapping[str, tuple[str, ...]]

    @property
    def seconds(self) -> float:
        """Length of the mix, of the longest track where it is unknown, 0 where both are."""
        known = [track.seconds or 0.0 for track in self.tracks]
        return self.mix.seconds or max(known, default=0.0)

    @property
    def strips(self) -> int:
        """Chains of processors of the full console: one for each track and each subgroup, lone tracks' included."""
        grouped = sum(map(len, self.subgroups.values()))
        return 2 * len(self.tracks) - grouped + len(self.subgroups)


def read_contained(folder: Path) -> Layout:
    """The layout of a song all of whose files lie inside its folder; raises `SongError`."""
    settings, root = _settings(folder), folder.resolve()
    # Looked at before the folder is: `tracks = "/"` would list the whole disk.
    for key in ("mix", "tracks"):
        named = settings.get(key)
        if isinstance(named, str) and not (folder / named).resolve().is_relative_to(root):
            raise SongError(f'{folder / FILE_NAME}: {key} = "{named}" leads out of the song folder; move it inside')
    layout = read_layout(folder)
    for file in layout.files:
        if not file.resolve().is_relative_to(root):
            raise SongError(f"{file}: is a link that leads out of the song folder; put the file itself there")
    return layout


def read_song(folder: Path) -> SongFacts:
    """Everything about a song but its sound; raises `SongError` or `AudioFileError` with the cure."""
    layout = read_contained(folder)
    if layout.mix is None:
        raise SongError(f"{folder}: no mix; add mix.wav or mix.flac")
    guessed = {group: tuple(names) for group, names in guess_subgroups(layout.tracks).items()}
    undecided = not layout.subgroups and "subgroups" not in _settings(folder)
    return SongFacts(
        folder.name,
        layout.name,
        audio_facts("mix", layout.mix),
        tuple(audio_facts(name, file) for name, file in layout.tracks.items()),
        guessed if undecided else layout.subgroups,
        guessed,
    )


def audio_facts(name: str, file: Path) -> AudioFacts:
    """Reads a header; raises `AudioFileError` at a file that cannot be used."""
    header = probe(file)
    seconds = header.frames / header.samplerate if header.frames < LENGTH_UNKNOWN else None
    return AudioFacts(name, file.name, seconds, header.samplerate, header.channels)


def choose_subgroups(folder: Path, title: str, subgroups: Mapping[str, Any]) -> None:
    """Writes title and subgroups into song.toml and leaves the rest of it as it is; raises `SongError`."""
    layout = read_contained(folder)
    checked = check_subgroups(subgroups, layout.tracks, folder / FILE_NAME)
    write_song_toml(folder, _settings(folder) | {"name": title.strip() or layout.name, "subgroups": checked})


def _settings(folder: Path) -> dict[str, Any]:
    """What song.toml says; nothing where there is none or it cannot be read, which `read_layout` complains about."""
    try:
        return tomllib.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
