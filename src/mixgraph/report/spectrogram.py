"""Spectrograms as small pictures: mel bands over time, colours of even perceived steps."""

from __future__ import annotations

import base64
import io
from typing import Final

import numpy as np
import torch
from PIL import Image

from mixgraph.dsp.mel import mel_bank

FFT_SIZE: Final = 2_048
BANDS: Final = 112
COLUMNS: Final = 720
RANGE_DB: Final = 70.0
ERROR_DB: Final = 12.0
SHADES: Final = 64
# Anchors in sRGB. Between them colours run straight through Oklab, where equal distances look equal (Ottosson 2020).
LEVEL_COLORS: Final = ("#06070d", "#2b1a5e", "#8c2d78", "#e2614f", "#fdb863", "#fdf6cf")
ERROR_COLORS: Final = ("#8fd0ff", "#2f79c4", "#101318", "#c26a1d", "#ffcf8a")


def mel_db(signal: np.ndarray, sample_rate: int) -> np.ndarray:
    """Power in mel bands (dB) of one channel `(samples,)`: `(band, column)`, at most `COLUMNS` columns."""
    size = min(FFT_SIZE, 1 << max(4, (len(signal) - 1).bit_length() - 1))
    hop = max(1, size // 4, -(-len(signal) // (4 * COLUMNS)))
    window = torch.hann_window(size)
    spectrum = torch.stft(torch.from_numpy(signal).float(), size, hop, window=window, return_complex=True)
    power = mel_bank(sample_rate, size, BANDS).astype(np.float32) @ spectrum.abs().square().numpy()
    group = -(-power.shape[1] // COLUMNS)
    starts = np.arange(0, power.shape[1], group)
    sizes = np.diff(np.append(starts, power.shape[1]))
    return 10 * np.log10(np.add.reduceat(power, starts, axis=1) / sizes + 1e-12)


def level_picture(level_db: np.ndarray, top_db: float) -> str:
    """A data URI of levels from `RANGE_DB` below `top_db` on."""
    return _picture((level_db - top_db + RANGE_DB) / RANGE_DB, palette(LEVEL_COLORS))


def error_picture(estimate_db: np.ndarray, target_db: np.ndarray, top_db: float) -> str:
    """A data URI of estimate minus target within `ERROR_DB`; what lies below the other pictures' range is no error."""
    floor = top_db - RANGE_DB
    error = np.maximum(estimate_db, floor) - np.maximum(target_db, floor)
    return _picture((error / ERROR_DB + 1) / 2, palette(ERROR_COLORS))


def scale_picture(colors: tuple[str, ...]) -> str:
    """A data URI of all shades, from left to right."""
    return _picture(np.linspace(0, 1, SHADES)[None], palette(colors))


def palette(anchors: tuple[str, ...]) -> np.ndarray:
    """`SHADES` sRGB colours `(shade, 3)` in 0..255."""
    rgb = np.array([[int(anchor[place : place + 2], 16) / 255 for place in (1, 3, 5)] for anchor in anchors])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lab = np.cbrt(linear @ TO_LMS.T) @ TO_LAB.T
    # As many shades to a piece as it is long.
    along = np.append(0, np.cumsum(np.linalg.norm(np.diff(lab, axis=0), axis=1)))
    even = np.linspace(0, along[-1], SHADES)
    shades = np.stack([np.interp(even, along, channel) for channel in lab.T], axis=1)
    linear = np.clip((shades @ np.linalg.inv(TO_LAB).T) ** 3 @ np.linalg.inv(TO_LMS).T, 0, 1)
    return np.round(255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


TO_LMS: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _picture(values: np.ndarray, colors: np.ndarray) -> str:
    """A PNG of values in 0..1 `(band, column)`, low bands at the bottom."""
    shades = np.clip(np.round(values[::-1] * (SHADES - 1)), 0, SHADES - 1).astype(np.uint8)
    picture = Image.fromarray(shades, mode="P")
    picture.putpalette(colors.astype(np.uint8).tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
