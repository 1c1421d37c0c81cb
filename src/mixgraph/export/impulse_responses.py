"""Impulse responses: each run of linear processors as a file for any convolver."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final, final

from mixgraph.export.base import EXPORTS, Export, Source, file_names
from mixgraph.export.fidelity import Fate
from mixgraph.export.responses import in_a_row, linear_runs, response_of, write_response
from mixgraph.files import write_json
from mixgraph.graph.strands import strands

INDEX: Final = "responses.json"
STEREO: Final = ("left", "right")
TRUE_STEREO: Final = ("left to left", "left to right", "right to left", "right to right")


@final
@EXPORTS.register("impulse-responses")
class ImpulseResponses(Export):
    """WAV files for convolvers, one for each run of linear processors.

    The dry share is in them. `responses.json` says which file stands where, and at which of its samples time zero
    lies: equalisers ring before it, so what a convolver makes of the file comes that much later.
    """

    needs_song: ClassVar[bool] = False

    def write(self, source: Source, folder: Path) -> list[Fate]:
        result, rate = source.result, source.sample_rate
        runs = [run for row in strands(result.graph) for run in linear_runs(result, row.processors)]
        linear = [run for run in runs if response_of(result, run[0])]
        files = file_names(_title(run) for run in linear)
        made, holds = [], {}
        for run in linear:
            response, name = in_a_row(result, run).shortened(), f"{files[_title(run)]}.wav"
            write_response(folder / name, response, rate)
            channels = (
                ("left", "right") if response.is_diagonal else ("left>left", "left>right", "right>left", "right>right")
            )
            made.append({"file": name, "processors": run, "channels": channels, "time_zero_sample": response.origin})
            holds |= dict.fromkeys(run, name)
        write_json(folder / INDEX, {"sample_rate": rate, "responses": made})
        return [
            Fate(node.id, node.type, "exact", f"in {holds[node.id]}")
            if node.id in holds
            else Fate(node.id, node.type, "left out", "not linear: no impulse response has it")
            for node in result.graph.processors
        ]


def _title(run: tuple[str, ...]) -> str:
    """The first node's id, and the names of those behind it: `track:bass/equalizer, reverb`."""
    return ", ".join((run[0], *(id.rpartition("/")[2] for id in run[1:])))
