"""What a WAV or AIFF header promises against what the file holds: libsndfile shortens a cut file without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

UNKNOWN_SIZES = (0, 0xFFFFFFFF)
"""Sizes that streaming writers leave in the header; they promise nothing."""

LAYOUTS: dict[bytes, tuple[Literal["little", "big"], bytes]] = {b"RIFF": ("little", b"data"), b"FORM": ("big", b"SSND")}


def missing_bytes(path: Path) -> int:
    """Bytes of sound that the header of a WAV or AIFF promises beyond the end of the file; 0 for other formats."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(0)
        layout = LAYOUTS.get(file.read(4))
        if layout is None:
            return 0
        byte_order, sound = layout
        position = 12
        while position + 8 <= end:
            file.seek(position)
            name, size = file.read(4), int.from_bytes(file.read(4), byte_order)
            if name == sound:
                return 0 if size in UNKNOWN_SIZES else max(0, position + 8 + size - end)
            # Chunks start at even positions.
            position += 8 + size + size % 2
    return 0
