"""Audio files to take along, their samples unchanged to the bit.

Integer PCM up to 24 bit becomes FLAC; anything else (float, 32 bit, MP3, Ogg, FLAC itself) stays the file that it is.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import soundfile

from mixgraph.audio.files import probe
from mixgraph.audio.song_file import Layout
from mixgraph.errors import AudioFileError, OutputError
from mixgraph.files import output_error, write_bytes

FLAC_ENCODINGS: Final = {"PCM_S8": "PCM_S8", "PCM_U8": "PCM_S8", "PCM_16": "PCM_16", "PCM_24": "PCM_24"}
"""What FLAC calls the encodings whose samples it holds to the bit."""


def pack(path: Path) -> tuple[str, bytes]:
    """A file's suffix and content as it is taken along; raises `AudioFileError`."""
    header = probe(path)
    try:
        if header.format == "FLAC" or header.subtype not in FLAC_ENCODINGS:
            return path.suffix.lower(), path.read_bytes()
        # Integers of 32 bits hold all these encodings, aligned at the top.
        frames, rate = soundfile.read(path, dtype="int32", always_2d=True)
        content = io.BytesIO()
        soundfile.write(content, frames, rate, FLAC_ENCODINGS[header.subtype], format="FLAC")
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioFileError(f"{path}: cannot be packed ({error}); export it again as WAV or FLAC") from error
    return ".flac", content.getvalue()


def pack_song(layout: Layout, corpus: Path, place: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Writes a song's tracks and mix to `place` in the corpus; returns their layout as JSON, and their SHA-256.

    The layout's folder is `place`, from the corpus's folder, so that the corpus can move. Raises `OutputError`.
    """
    folder, hashes = corpus / place, {}

    def take(source: Path, stem: str) -> Path:
        suffix, content = pack(source)
        target = folder / f"{stem}{suffix}"
        if target.exists():
            raise OutputError(f"{source}: another track of {layout.name} would be {target} too; rename one of them")
        write_bytes(target, content)
        hashes[target.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
        return target

    try:
        (folder / "tracks").mkdir(parents=True)
    except OSError as error:
        raise output_error(folder, error) from None
    tracks = {name: take(path, f"tracks/{plain_name(name)}") for name, path in layout.tracks.items()}
    mix = take(layout.mix, "mix") if layout.mix else None
    files = tuple(path for path in (mix, *tracks.values()) if path)
    packed = replace(layout, tracks=tracks, mix=mix, folder=folder, files=files)
    return packed.to_json() | {"folder": place.as_posix()}, hashes


def plain_name(name: str) -> str:
    """A track's name as every file system takes it."""
    return re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", name).rstrip(". ") or "_"
