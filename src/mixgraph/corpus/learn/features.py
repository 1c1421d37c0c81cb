"""What networks hear of a song: numbers per dry track and per mix, near one in magnitude.

Of a dry track and of the mix, the statistics of log spectra in mel-spaced bands; of a track in the mix, what `relate`
tells. Computed once: a file per song, named by a hash of what it depends on, so that one that is there is right.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, final

import numpy as np
import torch
from torch import Tensor

from mixgraph.audio.song import Song
from mixgraph.corpus.layouts import load_dry
from mixgraph.corpus.learn.examples import Example
from mixgraph.corpus.learn.relation import LAGS, MID, REGIONS, SIDE, Relation, relate
from mixgraph.corpus.learn.spectra import Bands, blocks
from mixgraph.errors import ResultError, SongError
from mixgraph.files import output_error
from mixgraph.result.result import read_tensors, write_tensors

logger = logging.getLogger(__name__)

VERSION: Final = 1
"""Goes up when the same audio gives other numbers."""
BANDS: Final = 24
SILENCE_DB: Final = -100.0
PLACES: Final = ("mid", "side")
TRACK_FEATURES: Final = (
    *(f"dry_{place}_{what}[{band}]" for place in PLACES for what in ("mean", "std") for band in range(BANDS)),
    "gain",
    *(f"gain[{band}]" for band in range(BANDS)),
    *(f"share[{band}]" for band in range(BANDS)),
    *("gain_spread", "pan", "pan_spread", "width", "width_change", "side_share", "dynamics_above", "dynamics_below"),
    *(f"ringing_{place}[{region},{lag}]" for region in range(REGIONS) for place in PLACES for lag in range(len(LAGS))),
)
MIX_FEATURES: Final = tuple(
    f"mix_{place}_{what}[{band}]" for place in PLACES for what in ("mean", "std") for band in range(BANDS)
)


@final
@dataclass(frozen=True)
class Features:
    """`tracks` `(track, TRACK_FEATURES)` and `mix` `(MIX_FEATURES,)`, float32."""

    tracks: Tensor
    mix: Tensor


def features_of(example: Example, cache: Path | None) -> Features:
    """The features of an example, its tracks in the order of its graph's inputs; kept in `cache` if that is given.

    Raises `SongError` where they must be computed and the audio is not there, `OutputError` where they cannot be kept.
    """
    file = cache / f"{_key(example)}.safetensors" if cache and example.inputs else None
    if file and file.is_file():
        try:
            tensors = read_tensors(file)
            return Features(tensors["tracks"], tensors["mix"])
        except (ResultError, KeyError):
            logger.warning("%s: is damaged and is computed again", file)
    with load_dry(example.layout, example.config) as song:
        features = compute_features(song, track_names(example))
    if file:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(file.parent, error) from None
        write_tensors(file, {"tracks": features.tracks, "mix": features.mix})
    return features


def track_names(example: Example) -> tuple[str, ...]:
    """The tracks that the graph takes, in its order."""
    return tuple(node.source for node in example.graph.inputs if node.source is not None)


def compute_features(song: Song, tracks: Sequence[str]) -> Features:
    """The features of a song; raises `SongError` for one without a mix."""
    if not song.has_mix:
        raise SongError(f"{song.name}: has no mix, of which features could be told; add it")
    bands = Bands.mel(song.sample_rate, BANDS)
    dry, mix = _log_spectra(song, tracks, bands)
    rows = np.concatenate([dry, _described(relate(song, tracks, bands))], 1)
    return Features(torch.from_numpy(rows).float(), torch.from_numpy(mix).float())


def _log_spectra(song: Song, tracks: Sequence[str], bands: Bands) -> tuple[np.ndarray, np.ndarray]:
    """Of each track, and of the mix: mean over time of band levels (one per 50 dB), and deviation (one per 20 dB)."""
    levels = []
    for block in blocks(song, tracks, bands.bins):
        power = bands.sum(torch.cat([block.tracks, block.mix[None]]).abs().square())
        levels.append(10 * torch.log10(power + 10 ** (SILENCE_DB / 10)))
    level = torch.cat(levels, -1)  # (track or mix, mid or side, band, frame)
    statistics = torch.stack([level.mean(-1) / 50 + 1, level.std(-1, correction=0) / 20], 2).flatten(1).numpy()
    return statistics[:-1], statistics[-1]


def _described(relation: Relation) -> np.ndarray:
    """A relation as numbers of moderate size; bands count as far as the track is heard in them."""
    total = relation.share.sum(2)
    share, side_share = _portions(total), _portions(relation.share[..., SIDE])
    direct, side = relation.factors[:, :, MID, MID], relation.factors[:, :, SIDE, SIDE]
    gain_db, side_db = (20 * np.log10(np.abs(factor) + 1e-3) for factor in (direct, side))
    mean_db = (share * gain_db).sum(1, keepdims=True)
    curve = (gain_db - mean_db) * np.minimum(total / 0.05, 1) / 10
    pan = np.clip((relation.factors[:, :, SIDE, MID] / (direct + 1e-6)).real, -2, 2)
    width = np.clip(side_db - gain_db, -40, 40) / 10
    scalars = [
        _spread(curve, share),
        (share * pan).sum(1),
        _spread(pan, share),
        (side_share * width).sum(1),
        np.abs((side_share * width).sum(1)),
        np.log10(relation.share[..., SIDE].mean(1) + 1e-4) / 2 + 1,
        *np.clip(3 * relation.dynamics, -3, 3).T,
    ]
    ringing = np.log10(relation.ringing + 1e-4).reshape(len(share), -1) / 2 + 1
    return np.concatenate([mean_db / 20, curve, np.minimum(total, 2), np.stack(scalars, 1), ringing], 1)


def _portions(share: np.ndarray) -> np.ndarray:
    """How much each band counts, one in all; nothing where there is nothing."""
    return share / (share.sum(1, keepdims=True) + 1e-9)


def _spread(values: np.ndarray, share: np.ndarray) -> np.ndarray:
    mean = (share * values).sum(1, keepdims=True)
    return np.sqrt((share * (values - mean) ** 2).sum(1))


def _key(example: Example) -> str:
    """A hash of all that the features depend on, wherever the files lie."""
    offsets = {track: asdict(offset) for track, offset in example.layout.offsets.items()}
    facts = [
        VERSION,
        TRACK_FEATURES,
        MIX_FEATURES,
        example.config.audio.sample_rate,
        track_names(example),
        offsets,
        example.inputs,
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
