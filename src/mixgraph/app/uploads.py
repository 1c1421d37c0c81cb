"""Songs on their way in: files are streamed into a folder of their own, which becomes a song when all are there."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, final
from uuid import uuid4

from mixgraph.app.names import check_audio_name, check_name, folder_name
from mixgraph.app.songs import audio_facts
from mixgraph.app.workspace import Workspace
from mixgraph.audio.song_file import FILE_NAME, parse_layout
from mixgraph.audio.song_toml import write_song_toml
from mixgraph.audio.subgroups import guess_subgroups
from mixgraph.errors import OutputError, SongError
from mixgraph.files import output_error

MIX, TRACKS = "mix", "tracks"
MB, GB = 1_000_000, 1_000_000_000


@final
@dataclass(frozen=True)
class Limits:
    """How much one song may bring in. Larger ones are copied into the workspace by hand."""

    file_bytes: int = 2 * GB
    song_bytes: int = 20 * GB
    toml_bytes: int = MB
    files: int = 256
    kept_free_bytes: int = GB
    """Of the disk; searches need room too."""


class Incoming(NamedTuple):
    """A file that is to come: `mix/NAME`, `tracks/NAME`, `tracks/GROUP/NAME` or `song.toml`, and its size."""

    place: str
    bytes: int


@final
class Uploads:
    """The songs on their way into one workspace."""

    def __init__(self, workspace: Workspace, limits: Limits | None = None) -> None:
        self.workspace, self.limits = workspace, limits or Limits()

    def begin(self, files: Sequence[Incoming]) -> str:
        """A new upload, by its name; raises `SongError` or `OutputError` at what would be refused later."""
        folder = self.workspace.uploads / uuid4().hex
        self._check(folder, files)
        try:
            (folder / TRACKS).mkdir(parents=True)
        except OSError as error:
            raise output_error(folder, error) from None
        return folder.name

    def folder(self, upload: str) -> Path | None:
        """Where the files of an upload are; None where there is no such upload."""
        return next((path for path in self.workspace.uploads.iterdir() if path.name == upload), None)

    async def receive(self, folder: Path, file: Incoming, chunks: AsyncIterator[bytes]) -> None:
        """Writes one file as it comes, whole or not at all; audio must be readable. Raises `SongError`, `OutputError`.

        What `chunks` raises when the sender goes away is passed on.
        """
        (target,) = self._check(folder, [file])
        partial = target.with_name(f".{uuid4().hex}{target.suffix}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("xb") as out:
                async for chunk in chunks:
                    out.write(chunk)
                    if out.tell() > file.bytes:
                        break
            if partial.stat().st_size != file.bytes:
                raise SongError(f"{target.name}: not what was announced arrived; send it again")
            if target.name != FILE_NAME:
                _probe(partial, target.name)
            partial.replace(target)
        except OSError as error:
            raise output_error(target, error) from None
        finally:
            partial.unlink(missing_ok=True)

    def finish(self, folder: Path, title: str) -> str:
        """Makes a song of an upload whose files are all there; returns the name of its folder. Raises `SongError`.

        Subgroups are those of the song.toml that came along, else sub-folders, else guessed from the names.
        """
        settings: dict[str, Any] = {"name": title.strip() or "Untitled"}
        origin = folder / FILE_NAME
        if origin.is_file():
            try:
                said = tomllib.loads(origin.read_text(encoding="utf-8"))
            except ValueError as error:
                raise SongError(f"{FILE_NAME}: not valid TOML ({error}); mend it or leave it out") from None
            # Its paths are those of another folder; here the mix is mix.* and the tracks are in tracks.
            settings |= {key: said[key] for key in ("subgroups", "offsets") if key in said}
        layout = parse_layout(folder, settings, origin)
        decided = layout.subgroups or "subgroups" in settings
        settings["subgroups"] = layout.subgroups if decided else guess_subgroups(layout.tracks)
        write_song_toml(folder, settings)
        song = self.workspace.songs / folder_name(title, [path.name for path in self.workspace.songs.iterdir()])
        try:
            folder.rename(song)
        except OSError as error:
            raise output_error(song, error) from None
        return song.name

    def _check(self, folder: Path, files: Sequence[Incoming]) -> list[Path]:
        """Where the files will be; raises unless they can all come to what is there already."""
        limits, by_hand = self.limits, f"copy the song's folder into {self.workspace.songs} yourself"
        sizes = {path: path.stat().st_size for path in folder.rglob("[!.]*") if path.is_file()}
        targets = []
        for place, size in files:
            target = _target(folder, place)
            limit = limits.toml_bytes if target.name == FILE_NAME else limits.file_bytes
            if size > limit:
                raise SongError(f"{target.name}: has {_size(size)}, more than {_size(limit)}; {by_hand}")
            if target in sizes:
                raise SongError(f"{target.relative_to(folder)}: is there twice; leave one of them out")
            sizes[target] = size
            targets.append(target)
        if len(mixes := [path.name for path in sizes if path.parent == folder and path.stem == MIX]) > 1:
            raise SongError(f"{' and '.join(mixes)}: a song has one mix; choose one file")
        if len(sizes) > limits.files:
            raise SongError(f"more than {limits.files} files; {by_hand}")
        if (total := sum(sizes.values())) > limits.song_bytes:
            raise SongError(f"the song has {_size(total)}, more than {_size(limits.song_bytes)}; {by_hand}")
        needed, free = sum(size for _, size in files), shutil.disk_usage(self.workspace.root).free
        if needed + limits.kept_free_bytes > free:
            raise OutputError(f"{_size(needed)} are to come and {_size(free)} are left on the disk; free some space")
        return targets


def _target(folder: Path, place: str) -> Path:
    kind, *parts = place.split("/")
    if place == FILE_NAME:
        return folder / FILE_NAME
    if kind == MIX and len(parts) == 1:
        return folder / f"{MIX}{Path(check_audio_name(parts[0])).suffix.lower()}"
    if kind == TRACKS and len(parts) in (1, 2):
        group = [check_name(part, "the folder") for part in parts[:-1]]
        return folder.joinpath(TRACKS, *group, check_audio_name(parts[-1]))
    raise SongError(f"'{place}': is neither a mix nor a track; send mix/NAME, tracks/NAME or tracks/FOLDER/NAME")


def _probe(partial: Path, name: str) -> None:
    try:
        audio_facts(name, partial)
    except SongError as error:
        raise SongError(str(error).replace(str(partial), name)) from None


def _size(count: int) -> str:
    return f"{count / GB:.1f} GB" if count >= GB / 10 else f"{count / MB:.1f} MB"
