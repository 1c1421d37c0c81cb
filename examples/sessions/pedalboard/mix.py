"""two tracks, as mixgraph found it, mixed with pedalboard.

Run: python mix.py TRACKS MIX.wav [--bells]. TRACKS is a folder with an audio file for each track, all starting
together. With --bells, equalisers are the bells and shelves that come near to them, else exact impulse responses.
"""

import sys
from pathlib import Path

import numpy as np
from pedalboard import (
    Compressor, Convolution, Gain, HighShelfFilter, LowShelfFilter, NoiseGate, PeakFilter, Pedalboard,
)
from pedalboard.io import AudioFile

RATE = 24000
HERE = Path(__file__).parent
BELLS = "--bells" in sys.argv


def read(folder, track):
    """A track, stereo, at the rate of the graph."""
    found = sorted(path for path in folder.rglob("*") if path.stem == track and path.suffix != ".json")
    if not found:
        sys.exit(f"{folder}: no file called {track}")
    with AudioFile(str(found[0])) as file, file.resampled_to(RATE) as audio:
        samples = audio.read(int(audio.frames) + 1)
    return samples if len(samples) == 2 else np.repeat(samples[:1], 2, 0)


def total(*signals):
    """Signals added up; the shorter ones end earlier."""
    length = max(signal.shape[1] for signal in signals)
    return sum(np.pad(signal, ((0, 0), (0, length - signal.shape[1]))) for signal in signals)


def plugin(signal, *effects):
    """A signal through effects in a row."""
    return Pedalboard(list(effects))(signal, RATE)


def convolve(signal, file, gain, time_zero=0):
    """An impulse response whose sample `time_zero` is no delay; pedalboard sets its level, `gain` undoes that."""
    padded = np.pad(signal, ((0, 0), (0, time_zero)))
    return gain * plugin(padded, Convolution(str(HERE / "responses" / file), mix=1.0))[:, time_zero:]


def matrix(signal, gains):
    """Gains from channels to channels."""
    return (np.array(gains) @ signal).astype(np.float32)


def mix(tracks):
    """The mix of a folder of tracks."""
    x = {}
    x['track:bass'] = read(tracks, 'bass')
    x['track:bass/equalizer'] = plugin(x['track:bass'], HighShelfFilter(cutoff_frequency_hz=93.371, gain_db=5.599, q=0.7071), PeakFilter(cutoff_frequency_hz=694.49, gain_db=3.767, q=0.8872), Gain(gain_db=-5.622)) if BELLS else convolve(x['track:bass'], 'track_bass_equalizer.wav', 8.38650269, 127)
    x['track:bass/compressor'] = plugin(x['track:bass/equalizer'], Compressor(threshold_db=-22.056, ratio=2.2595, attack_ms=9.0885, release_ms=38.199))
    x['track:bass/gain_panning'] = matrix(x['track:bass/compressor'], [[1.258925412, 0.0], [0.0, 1.122018454]])
    x['track:pluck'] = read(tracks, 'pluck')
    x['track:pluck/noise_gate'] = plugin(x['track:pluck'], NoiseGate(threshold_db=-43.083, ratio=1.6595, attack_ms=4.5442, release_ms=19.099))
    x['track:pluck/stereo_imager'] = matrix(x['track:pluck/noise_gate'], [[1.292446597, -0.292446597], [-0.292446597, 1.292446597]])
    x['track:pluck/multitap_delay'] = convolve(x['track:pluck/stereo_imager'], 'track_pluck_multitap_delay.wav', 6.0926184)
    x['track:pluck/reverb'] = convolve(x['track:pluck/multitap_delay'], 'track_pluck_reverb.wav', 6.95222793)
    x['subgroup:band'] = total(x['track:bass/gain_panning'], x['track:pluck/reverb'])
    x['subgroup:band/compressor'] = plugin(x['subgroup:band'], Compressor(threshold_db=-14.991, ratio=1.9998, attack_ms=22.721, release_ms=95.497))
    x['out'] = x['subgroup:band/compressor']
    return x['out']


if __name__ == "__main__":
    mixed = mix(Path(sys.argv[1]))
    with AudioFile(sys.argv[2], "w", RATE, num_channels=2, bit_depth=32) as file:
        file.write(mixed)
