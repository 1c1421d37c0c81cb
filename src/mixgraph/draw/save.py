"""Writing a figure: whole or not at all, and the same bytes for the same figure."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mixgraph.errors import ConfigError
from mixgraph.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS: Final = ("svg", "png", "pdf")
# Dates and random ids would make every file another one.
UNDATED: Final = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}


def format_of(file: Path) -> str:
    """The format that a file's suffix asks for; raises `ConfigError`."""
    suffix = file.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise ConfigError(f"{file}: '{file.suffix}' is no format for pictures; use .{', .'.join(FORMATS)}")
    return suffix


def save_figure(figure: Figure, file: Path, dpi: int = 200) -> None:
    """Writes SVG, PNG (so many dots per inch) or PDF, by the suffix; raises `ConfigError` or `OutputError`."""
    import matplotlib

    suffix, content = format_of(file), BytesIO()
    # Text stays text in SVG and PDF, so that it can be searched and set in another font.
    with matplotlib.rc_context({"svg.hashsalt": "mixgraph", "svg.fonttype": "none", "pdf.fonttype": 42}):
        figure.savefig(content, format=suffix, dpi=dpi, metadata=UNDATED[suffix])
    write_bytes(file, content.getvalue())
