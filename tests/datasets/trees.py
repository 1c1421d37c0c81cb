"""Tiny datasets in the exact layout of the real ones: two songs each, half a second at 8 kHz."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import yaml

from tests.audio.folders import RATE, tone, write
from tests.datasets.expected import FRAMES, Expected, Tree, sound
from tests.datasets.stem_files import chirp, write_stem_file


def folder(root: Path) -> dict[str, Expected]:
    (root / "LICENSE").parent.mkdir(parents=True, exist_ok=True)
    (root / "LICENSE").write_text("\n# CC0 1.0 Universal\nand so on\n")
    (root / "notes").mkdir()
    (root / ".hidden" / "tracks").mkdir(parents=True)
    songs = {}
    for seed, name in enumerate(("My song", "Another song")):
        place = root / name
        tracks = {track: sound(place / "tracks" / f"{track}.wav", 10 * seed + i) for i, track in enumerate("abc")}
        mix = sound(place / "mix.wav", 10 * seed + 9, 2) if seed == 0 else None
        (place / "song.toml").write_text(f'name = "{name}!"\n[subgroups]\ndrums = ["c", "a"]\n')
        if seed == 0:
            (place / "truth").mkdir()
        toml = place / "song.toml"
        songs[name.replace(" ", "_")] = Expected(
            tracks, place / "tracks" / "a.wav", {"drums": ("c", "a")}, mix, toml, title=f"{name}!"
        )
    return songs


def medleydb(root: Path, *, parts: tuple[str, str], metadata: str | None) -> dict[str, Expected]:
    songs = {}
    for seed, (part, song) in enumerate(zip(parts, ("MusicDelta_Rock", "LizNelson_Rainfall"), strict=True)):
        place = root / part / song
        said = (place if metadata is None else root / metadata) / f"{song}_METADATA.yaml"
        stems = {
            "S01": ("drum set", {"R01": "kick drum", "R02": "snare drum"}),
            "S02": ("", {"R01": "fx/processed sound"}),
            "S03": ("male singer", {"R01": "male singer", "R02": ["female singer", "crowd"]}),
        }
        document = {
            "artist": "Liz Nelson" if seed else "Music Delta",
            "title": "Rainfall" if seed else "Rock",
            "excerpt": "no",
            "has_bleed": "yes" if seed else "no",
            "mix_filename": f"{song}_MIX.wav",
            "raw_dir": f"{song}_RAW",
            "stem_dir": f"{song}_STEMS",
            "version": 1.2,
            "stems": {
                key: {
                    "component": "",
                    "filename": f"{song}_STEM_{key[1:]}.wav",
                    "instrument": instrument,
                    "raw": {
                        raw: {"filename": f"{song}_RAW_{key[1:]}_{raw[1:]}.wav", "instrument": played}
                        for raw, played in raws.items()
                    },
                }
                for key, (instrument, raws) in stems.items()
            },
        }
        said.parent.mkdir(parents=True, exist_ok=True)
        said.write_text(yaml.safe_dump(document))
        names = {
            "01_01_kick_drum": "01_01",
            "01_02_snare_drum": "01_02",
            "02_01_fx_processed_sound": "02_01",
            "03_01_male_singer": "03_01",
            "03_02_female_singer_crowd": "03_02",
        }
        raw_file = str(place / f"{song}_RAW" / f"{song}_RAW_%s.wav")
        tracks = {name: sound(Path(raw_file % key), 10 * seed + i) for i, (name, key) in enumerate(names.items())}
        for key in stems:
            write(place / f"{song}_STEMS" / f"{song}_STEM_{key[1:]}.wav", tone(FRAMES))
        first, second, third, *rest = names
        songs[song] = Expected(
            tracks,
            Path(raw_file % "02_01"),
            {"01_drum_set": (first, second), "02": (third,), "03_male_singer": tuple(rest)},
            sound(place / f"{song}_MIX.wav", 10 * seed + 9, 2),
            said,
            document["title"],
            document["artist"],
            remarks=("its tracks bleed into each other",) if seed else (),
        )
    return songs


def mixing_secrets(root: Path) -> dict[str, Expected]:
    place = root / "APZX_Amalgamize"
    raw = place / "APZX_Amalgamize_Full"
    later = {"offset_seconds": -0.01}
    names = ("01_Kick", "02_Snare", "03_Bass")
    tracks = {name: sound(raw / f"{name}.wav", i, start=RATE // 100) for i, name in enumerate(names)}
    sound(raw / "04_NotUsed.wav", 4)
    groups = {"Drum": ["02_Snare.wav", "01_Kick.wav"], "Bass": ["03_Bass.wav"]}
    (place / "subgroups.json").write_text(json.dumps(groups))
    (place / "alignment.yaml").write_text(yaml.safe_dump(later))
    one = Expected(
        tracks,
        raw / "03_Bass.wav",
        {"Drum": ("02_Snare", "01_Kick"), "Bass": ("03_Bass",)},
        sound(place / "APZX_Amalgamize_Full_Preview.flac", 9, 2),
        place / "subgroups.json",
        "Amalgamize",
        "APZX",
        remarks=("subgroups.json leaves out 1 of 4 files",),
    )
    place = root / "Actions_DevilsWords_Full"
    raw = place / "tracks"
    tracks = {name: sound(raw / f"{name}.wav", 10 + i) for i, name in enumerate(("05_ElecGtr1", "06_ElecGtr2"))}
    (place / "correspondence.yaml").write_text(yaml.safe_dump({"ElecGtr": [f"{name}.wav" for name in tracks]}))
    sound(place / "rough_mix.wav", 18, 2)
    other = Expected(
        tracks,
        raw / "06_ElecGtr2.wav",
        {"ElecGtr": ("05_ElecGtr1", "06_ElecGtr2")},
        sound(place / "mix.wav", 19, 2),
        place / "correspondence.yaml",
        "DevilsWords",
        "Actions",
        aligned=False,
    )
    return {"APZX_Amalgamize": one, "Actions_DevilsWords": other}


STEMS = ("drums", "bass", "other", "vocals")
MUSDB = {"train/A Classic Education - NightOwl": "", "test/Johnny Lokke - Promises & Lies": ""}


def musdb18_hq(root: Path) -> dict[str, Expected]:
    songs = {}
    for seed, path in enumerate(MUSDB):
        place = root / path
        tracks = {name: sound(place / f"{name}.wav", 10 * seed + i, 2) for i, name in enumerate(STEMS)}
        write(place / "mixture.wav", np.sum(list(tracks.values()), axis=0).T)
        songs[_musdb_id(place.name)] = _musdb_song(place.name, tracks, place / "other.wav")
    return songs


def musdb18_stems(root: Path) -> dict[str, Expected]:
    songs = {}
    for seed, path in enumerate(MUSDB):
        file = root / f"{path}.stem.mp4"
        tracks = {name: chirp(10 * seed + i) for i, name in enumerate(STEMS)}
        write_stem_file(file, [np.sum(list(tracks.values()), axis=0) / 4, *tracks.values()])
        songs[_musdb_id(path.partition("/")[2])] = _musdb_song(path.partition("/")[2], tracks, file)
    return songs


def _musdb_id(name: str) -> str:
    return name.replace(" & ", "_").replace(" ", "_")


def _musdb_song(name: str, tracks: Mapping[str, np.ndarray], audio: Path) -> Expected:
    artist, title = name.split(" - ")
    return Expected(tracks, audio, title=title, artist=artist)


def moisesdb(root: Path) -> dict[str, Expected]:
    songs = {}
    for seed, uuid in enumerate(("9b2e2ebb-0cd1-4a15-8a1b-1b8a7c8e5f01", "1f6a9c44-7f0c-4b0e-9d35-3d5b2a6f7c02")):
        place = root / "moisesdb_v0.1" / uuid
        stems = [
            ("drums", [("snare drum", "a"), ("snare drum", "b")]),
            ("wind", [("brass (trumpet, trombone, french horn, brass etc)", "c")]),
            ("other", [("fx/processed sound, scratches, gun shots, explosions etc", "d")]),
            ("drums", [("kick drum", "e")]),
        ]
        document = {
            "song": f"Song {seed}",
            "artist": f"Artist {seed}",
            "genre": "rock",
            "stems": [
                {
                    "id": f"stem-{i}",
                    "stemName": stem,
                    "tracks": [
                        {"id": key, "trackType": kind, "extension": "wav", "has_bleed": seed == 1 and key == "a"}
                        for kind, key in tracks
                    ],
                }
                for i, (stem, tracks) in enumerate(stems)
            ],
        }
        place.mkdir(parents=True)
        (place / "data.json").write_text(json.dumps(document))
        places = {
            "snare_drum": "drums/a",
            "snare_drum_2": "drums/b",
            "brass": "wind/c",
            "fx_processed_sound": "other/d",
            "kick_drum": "drums/e",
        }
        songs[uuid] = Expected(
            {name: sound(place / f"{path}.wav", 10 * seed + i, 2) for i, (name, path) in enumerate(places.items())},
            place / "wind" / "c.wav",
            {
                "drums": ("snare_drum", "snare_drum_2", "kick_drum"),
                "wind": ("brass",),
                "other": ("fx_processed_sound",),
            },
            None,
            place / "data.json",
            document["song"],
            document["artist"],
            remarks=("1 of its tracks have bleed",) if seed else (),
        )
    return songs


def slakh2100(root: Path) -> dict[str, Expected]:
    songs = {}
    for seed, (part, suffix) in enumerate((("train", ".wav"), ("omitted", ".flac"))):
        song = f"Track{seed + 1:05}"
        place = root / part / song
        stems = {
            "S00": ("Guitar", "Distortion Guitar", True),
            "S01": ("Drums", "Drums", True),
            "S02": ("Sound Effects", "FX 8 (sci-fi)", False),
            "S03": ("Guitar", "Acoustic Guitar (nylon)", True),
        }
        document = {
            "UUID": "1a81ae092884234f3264e2f45927f00a",
            "audio_dir": "stems",
            "stems": {
                key: {"inst_class": kind, "midi_program_name": program, "audio_rendered": rendered, "plugin_name": "x"}
                for key, (kind, program, rendered) in stems.items()
            },
        }
        place.mkdir(parents=True)
        (place / "metadata.yaml").write_text(yaml.safe_dump(document))
        names = {"S00_distortion_guitar": "S00", "S01_drums": "S01", "S03_acoustic_guitar": "S03"}
        tracks = {
            name: sound(place / "stems" / f"{key}{suffix}", 10 * seed + i)
            for i, (name, key) in enumerate(names.items())
        }
        write(place / "mix.flac", np.sum(list(tracks.values()), axis=0).T / 3)
        songs[song] = Expected(
            tracks,
            place / "stems" / f"S01{suffix}",
            {"Guitar": ("S00_distortion_guitar", "S03_acoustic_guitar"), "Drums": ("S01_drums",)},
            None,
            place / "metadata.yaml",
            song,
            remarks=("omitted from the redux version, as a duplicate",) if seed else (),
        )
    return songs


TREES = {
    "folder": Tree("folder", folder),
    "medleydb": Tree("medleydb", lambda root: medleydb(root, parts=("Audio", "Audio"), metadata=None)),
    "medleydb_1_and_2": Tree("medleydb", lambda root: medleydb(root, parts=("V1", "V2"), metadata="Metadata")),
    "mixing_secrets": Tree("mixing_secrets", mixing_secrets),
    "musdb18_hq": Tree("musdb18", musdb18_hq),
    "musdb18_stems": Tree("musdb18", musdb18_stems, tolerance=0.1),
    "moisesdb": Tree("moisesdb", moisesdb),
    "slakh2100": Tree("slakh2100", slakh2100),
}
