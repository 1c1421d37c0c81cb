"""A song of half a second with all seven processors, as every format of `mixgraph export`: examples/sessions.

    python examples/sessions.py                      writes examples/sessions again
    python examples/sessions.py -o OUT --to ardour   one format, elsewhere

Nothing is searched: two tracks are synthesised, and the settings of their mix are written below, in physical units.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from mixgraph.audio.song import Song
from mixgraph.config import SearchConfig, make_config
from mixgraph.console import build_console
from mixgraph.corpus.synthetic.bands import bell_db, high_pass_db
from mixgraph.corpus.synthetic.draw import make_bank
from mixgraph.corpus.synthetic.settings import Settings
from mixgraph.export.base import EXPORTS
from mixgraph.export.write import export_result
from mixgraph.processors.bank import chain_types, make_processors
from mixgraph.result.result import Result

RATE, SECONDS = 24_000, 0.45
SESSIONS = Path(__file__).parent / "sessions"
# Short responses, for small files.
SIZES = {"equalizer_bins": 128, "delay_seconds": 0.3, "reverb_seconds": 0.15}
BAND, BEAT_S = ["bass", "pluck"], 0.12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=SESSIONS, metavar="OUT")
    parser.add_argument("--to", nargs="+", choices=list(EXPORTS), metavar="FORMAT", help="default: all of them")
    options = parser.parse_args()
    config = make_config(changes={"audio": {"sample_rate": RATE}, "processors": SIZES})
    song = make_song()
    result = mixed(song, config)
    for format in options.to or EXPORTS:
        export_result(result, format, options.output / format, song=song, overwrite=True)
        print(options.output / format)


def make_song() -> Song:
    """A bass and a plucked string, stereo, with silence at both ends."""
    time = np.arange(round(SECONDS * RATE)) / RATE
    tracks = {}
    for name, hz, fall in (("bass", 82.0, 12.0), ("pluck", 330.0, 25.0)):
        sound = np.zeros((2, len(time)))
        for beat, pitch in enumerate((1.0, 1.5, 1.25)):
            local = time - (0.02 + BEAT_S * beat)
            tone = sum(np.sin(2 * np.pi * hz * pitch * n * local) / n for n in (1, 2, 3, 4))
            sound += np.where(local > 0, tone * np.exp(-fall * local) * (1 - np.exp(-400 * local)), 0) * [[0.2], [0.18]]
        tracks[name] = sound.astype(np.float32)
    return Song.from_arrays("two tracks", tracks, None, RATE, {"band": BAND})


def mixed(song: Song, config: SearchConfig) -> Result:
    """The result whose graph holds `settings` and nothing else."""
    kinds = chain_types(config.console.chain)
    processors = make_processors(kinds, RATE, config.processors)
    console = build_console(song.tracks, {"band": BAND}, kinds)
    chosen = settings(config)
    graph = console.without({node.id for node in console.processors} - chosen.keys())
    provenance = {"song": song.name, "song_folder": None, "tracks": list(song.tracks), "subgroups": {"band": BAND}}
    return Result(graph, make_bank(graph, chosen, processors), config, {}, provenance)


def settings(config: SearchConfig) -> dict[str, Settings]:
    """What an engineer might have done, by node."""
    chosen = {
        "track:bass/equalizer": ({"magnitude_db": equalizer_db(config)}, 1.0),
        "track:bass/compressor": (
            {"threshold_db": -24.0, "ratio": 4.0, "knee_db": 6.0, "smoothing_ms": 20.0},
            0.9,
        ),
        "track:bass/gain_panning": ({"gain_db": [2.0, 1.0]}, 1.0),
        "track:pluck/noise_gate": (
            {"threshold_db": -42.0, "ratio": 2.0, "knee_db": 6.0, "smoothing_ms": 10.0},
            1.0,
        ),
        "track:pluck/stereo_imager": ({"side_gain_db": 4.0}, 1.0),
        "track:pluck/multitap_delay": (delay(config), 0.3),
        "track:pluck/reverb": (reverb(config), 0.15),
        "subgroup:band/compressor": (
            {"threshold_db": -18.0, "ratio": 2.0, "knee_db": 6.0, "smoothing_ms": 50.0},
            1.0,
        ),
    }
    return {
        id: Settings({name: torch.as_tensor(value, dtype=torch.float64) for name, value in values.items()}, wet)
        for id, (values, wet) in chosen.items()
    }


def equalizer_db(config: SearchConfig) -> np.ndarray:
    """Rumble taken away, and a bell at 700 Hz."""
    bins = config.processors.equalizer_bins
    hz = np.arange(bins) * (RATE / (2 * bins - 1))
    return bell_db(hz, 700.0, 4.0, 1.0) + high_pass_db(hz, 60.0)


def delay(config: SearchConfig) -> dict[str, np.ndarray]:
    """One echo a side: 60 ms left, 150 ms right."""
    slots = round(config.processors.delay_seconds / config.processors.delay_slot_seconds)
    slot_ms = 1000 * config.processors.delay_slot_seconds
    times = np.tile((np.arange(slots) + 0.5) * slot_ms, (2, 1))
    color = np.full((2, slots, config.processors.delay_color_bins), -90.0)
    times[0, 0], times[1, 1] = 60.0, 150.0
    color[0, 0], color[1, 1] = 0.0, 0.0
    return {"tap_time_ms": times, "tap_radius": np.full((2, slots), 0.99), "color_db": color}


def reverb(config: SearchConfig) -> dict[str, np.ndarray]:
    """A small room whose treble dies sooner, mid and side alike."""
    bins = config.processors.reverb_fft_size // 2 + 1
    return {"initial_db": np.zeros((2, bins)), "t60_s": np.tile(np.linspace(0.3, 0.1, bins), (2, 1))}


if __name__ == "__main__":
    main()
