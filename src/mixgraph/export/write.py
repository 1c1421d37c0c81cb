"""`export_result`: a folder that is complete, or not there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mixgraph.audio.song import Song
from mixgraph.errors import OutputError
from mixgraph.export.base import EXPORTS, Source
from mixgraph.export.fidelity import Fate, is_export, write_fidelity
from mixgraph.files import new_folder
from mixgraph.result.result import Result


def export_result(
    result: Result,
    format: str,
    output: str | Path,
    *,
    song: Song | None = None,
    overwrite: bool = False,
    device: str = "cpu",
) -> Sequence[Fate]:
    """Writes a result as one of `EXPORTS` into the folder `output`, made beside and renamed; what it keeps of it.

    `song` is what formats with `needs_song` take audio from. Raises `ConfigError` at an unknown format, `ResultError`
    where it cannot hold this result, `OutputError` where the folder exists or cannot be written.
    """
    export, output = EXPORTS[format](), Path(output)
    check_output(output, overwrite=overwrite)
    source = Source(result, song, device)
    with new_folder(output) as folder:
        fates = export.write(source, folder)
        write_fidelity(folder, source.name, format, fates)
    return fates


def check_output(output: Path, *, overwrite: bool) -> None:
    """Raises `OutputError` where an export may not go; writes nothing."""
    if not output.exists():
        return
    if not overwrite:
        raise OutputError(f"{output}: exists already; choose another folder with -o, or replace it with --overwrite")
    # `--overwrite` with a slip of the keyboard must not cost anybody a music folder.
    if not output.is_dir() or (any(output.iterdir()) and not is_export(output)):
        raise OutputError(f"{output}: is no export of mixgraph, so --overwrite leaves it alone; choose another folder")
