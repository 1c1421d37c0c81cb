"""A corpus as tars that the package `webdataset` reads: one sample per song, in shards per split.

Members of a sample `KEY`: `KEY.json` (what the song is, and which member is which track), the files of its result,
`KEY.mix.flac` and `KEY.track-00.flac` and so on (or the suffix of what FLAC cannot hold).
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any, Final

from mixgraph.audio.song_file import Layout, Offset
from mixgraph.corpus.export.packing import pack
from mixgraph.corpus.folder import Corpus, SongRecord
from mixgraph.corpus.tables.split import SPLITS, song_split
from mixgraph.result.result import GRAPH, METRICS, PARAMETERS, PROVENANCE

SHARD_BYTES: Final = 1 << 30
Members = dict[str, bytes]


def write_shards(corpus: Corpus, layouts: Mapping[str, Layout], folder: Path, shard_bytes: int = SHARD_BYTES) -> None:
    """Writes `SPLIT-000000.tar` and so on; a shard is closed by the song that brings it to `shard_bytes`."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        waiting = [pair for pair in enumerate(corpus.songs) if song_split(corpus, pair[1]) == split][::-1]
        for number in count():
            if not waiting:
                break
            with tarfile.open(folder / f"{split}-{number:06d}.tar", "w", format=tarfile.PAX_FORMAT) as shard:
                while waiting and shard.offset < shard_bytes:
                    index, record = waiting.pop()
                    for name, content in sample(corpus, record, layouts[record.id]).items():
                        # A number, not the song's id: a dot would end the key.
                        header = tarfile.TarInfo(f"{index:06d}.{name}")
                        header.size = len(content)
                        shard.addfile(header, io.BytesIO(content))


def sample(corpus: Corpus, record: SongRecord, layout: Layout) -> Members:
    """The members of one song by the names that follow its key."""
    audio = dict(_audio(layout))
    homes = {track: group for group, tracks in layout.subgroups.items() for track in tracks}
    tracks = [
        {
            "name": track,
            "file": file,
            "subgroup": homes.get(track),
            "offset": asdict(layout.offsets.get(track, Offset())),
        }
        for track, file in zip(layout.tracks, audio, strict=False)
    ]
    about: dict[str, Any] = {
        "song_id": record.id,
        "title": record.title,
        "artist": record.artist,
        "licence": record.licence,
        "split": song_split(corpus, record),
        "sample_rate_hz": corpus.config.audio.sample_rate,
        "mix": list(audio)[-1] if layout.mix else None,
        "tracks": tracks,
    }
    result = corpus.result_folder(record.id)
    files = {name: (result / name).read_bytes() for name in (GRAPH, METRICS, PARAMETERS, PROVENANCE)}
    return {"json": json.dumps(about, ensure_ascii=False).encode()} | files | audio


def _audio(layout: Layout) -> Iterator[tuple[str, bytes]]:
    """Tracks in order, then the mix."""
    for number, path in enumerate(layout.tracks.values()):
        suffix, content = pack(path)
        yield f"track-{number:02d}{suffix}", content
    if layout.mix:
        suffix, content = pack(layout.mix)
        yield f"mix{suffix}", content
