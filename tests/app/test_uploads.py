"""Files arrive whole or not at all, and only what can be a song becomes one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path

import pytest

from mixgraph.app.songs import read_song
from mixgraph.app.uploads import Incoming, Limits, Uploads
from mixgraph.app.workspace import Workspace
from mixgraph.audio.song_file import Offset, read_layout
from mixgraph.errors import OutputError, SongError
from tests.audio.folders import song_folder

SMALL = Limits(file_bytes=100_000, song_bytes=200_000, toml_bytes=1_000, files=6, kept_free_bytes=0)


@pytest.fixture
def uploads(tmp_path: Path) -> Iterator[Uploads]:
    with Workspace(tmp_path / "workspace") as workspace:
        yield Uploads(workspace, SMALL)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return song_folder(tmp_path / "source")


async def chunks(data: bytes, break_after: int | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 5_000):
        if break_after is not None and start >= break_after:
            raise ConnectionAbortedError("the sender went away")
        yield data[start : start + 5_000]


def run(receiving: Coroutine[None, None, None]) -> None:
    """To its end; it waits for nothing but the chunks, so it needs no event loop (a browser's may be running here)."""
    with pytest.raises(StopIteration):
        receiving.send(None)


def send(uploads: Uploads, upload: str, place: str, data: bytes, *, announced: int | None = None) -> None:
    folder = uploads.folder(upload)
    assert folder
    size = len(data) if announced is None else announced
    run(uploads.receive(folder, Incoming(place, size), chunks(data)))


def send_song(uploads: Uploads, source: Path) -> Path:
    upload = uploads.begin([])
    send(uploads, upload, "mix/Final MASTER.wav", (source / "mix.wav").read_bytes())
    for track in sorted((source / "tracks").iterdir()):
        send(uploads, upload, f"tracks/{track.name}", track.read_bytes())
    folder = uploads.folder(upload)
    assert folder
    return folder


def files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_song_arrives(uploads: Uploads, source: Path) -> None:
    folder = send_song(uploads, source)
    assert uploads.workspace.song_names() == [], "not before all of it is there"
    name = uploads.finish(folder, "Café <b>№ 1</b>")
    song = uploads.workspace.songs / name
    assert files_of(song) == ["mix.wav", "song.toml", "tracks/kick.wav", "tracks/snare.wav", "tracks/vox.wav"]
    assert (song / "mix.wav").read_bytes() == (source / "mix.wav").read_bytes()
    facts = read_song(song)
    assert facts.title == "Café <b>№ 1</b>" and facts.seconds == pytest.approx(0.5)
    assert facts.subgroups == {"drums": ("kick", "snare"), "vocals": ("vox",)}
    assert uploads.finish(send_song(uploads, source), "café b № 1 b") != name


def test_what_comes_along_counts(uploads: Uploads, source: Path) -> None:
    folder = send_song(uploads, source)
    paths = 'mix = "../../elsewhere.wav"\ntracks = "/"\n'
    toml = paths + '[subgroups]\nall = ["kick", "vox"]\n[offsets]\nkick = 7\nvox = 0.1\n'
    send(uploads, folder.name, "song.toml", toml.encode())
    layout = read_layout(uploads.workspace.songs / uploads.finish(folder, "offsets"))
    assert layout.subgroups == {"all": ("kick", "vox")}
    assert layout.offsets == {"kick": Offset(samples=7), "vox": Offset(seconds=0.1)}
    assert layout.mix and layout.mix.name == "mix.wav"


def test_folders_are_subgroups(uploads: Uploads, source: Path) -> None:
    folder = send_song(uploads, source)
    send(uploads, folder.name, "tracks/Strings & co/violin.wav", (source / "tracks" / "vox.wav").read_bytes())
    song = uploads.workspace.songs / uploads.finish(folder, "folders")
    assert read_song(song).subgroups == {"Strings & co": ("violin",)}


def test_a_sender_that_goes_away_leaves_nothing(uploads: Uploads, source: Path) -> None:
    upload = uploads.begin([])
    folder, data = uploads.folder(upload), (source / "mix.wav").read_bytes()
    assert folder
    with pytest.raises((ConnectionAbortedError, OutputError)):
        run(uploads.receive(folder, Incoming("mix/mix.wav", len(data)), chunks(data, break_after=10_000)))
    assert files_of(folder) == []
    send(uploads, upload, "mix/mix.wav", data)
    assert files_of(folder) == ["mix.wav"]


@pytest.mark.parametrize(
    ("place", "data", "announced", "said"),
    [
        ("tracks/noise.wav", b"no audio at all", None, "noise.wav: cannot be read as audio"),
        ("tracks/short.wav", b"RIFF", 5, "short.wav: not what was announced"),
        ("tracks/long.wav", b"RIFF" * 5_000, 5, "long.wav: not what was announced"),
        ("tracks/large.wav", b"", 100_001, "large.wav: has 0.1 MB, more than 0.1 MB; copy the song's folder into"),
        ("song.toml", b"", 1_001, "song.toml: has 0.0 MB"),
        ("tracks/text.txt", b"text", None, "'text.txt': is not one of"),
    ],
)
def test_refused(uploads: Uploads, place: str, data: bytes, announced: int | None, said: str) -> None:
    upload = uploads.begin([])
    with pytest.raises(SongError, match=said):
        send(uploads, upload, place, data, announced=announced)
    folder = uploads.folder(upload)
    assert folder and files_of(folder) == []


def test_the_whole_is_checked_before_anything_is_sent(uploads: Uploads) -> None:
    track = Incoming("tracks/a.wav", 90_000)
    for files, said in {
        (track, track): "twice",
        (Incoming("mix/a.wav", 1), Incoming("mix/b.flac", 1)): "one mix",
        tuple(Incoming(f"tracks/{number}.wav", 1) for number in range(7)): "more than 6 files",
        tuple(Incoming(f"tracks/{number}.wav", 90_000) for number in range(3)): "the song has 0.3 MB",
    }.items():
        with pytest.raises(SongError, match=said):
            uploads.begin(files)
    full = Uploads(uploads.workspace, Limits(kept_free_bytes=1 << 62))
    with pytest.raises(OutputError, match="free some space"):
        full.begin([track])
    assert list(uploads.workspace.uploads.iterdir()) == []


def test_unfinished_songs(uploads: Uploads, source: Path) -> None:
    folder = uploads.folder(uploads.begin([]))
    assert folder
    with pytest.raises(SongError, match="no mix"):
        uploads.finish(folder, "empty")
    send(uploads, folder.name, "mix/mix.wav", (source / "mix.wav").read_bytes())
    with pytest.raises(SongError, match="no tracks"):
        uploads.finish(folder, "no tracks")
    assert uploads.workspace.song_names() == []
    uploads.workspace.lock.close()
    with Workspace(uploads.workspace.root) as again:
        assert list(again.uploads.iterdir()) == [], "what was left is cleared at the next start"
