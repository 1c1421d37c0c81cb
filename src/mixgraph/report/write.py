"""`write_report`: everything that a page shows, gathered, and written as one file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from mixgraph.audio.song import Song
from mixgraph.errors import OutputError
from mixgraph.files import write_bytes
from mixgraph.fit.evaluate import trial_starts
from mixgraph.fit.problem import Problem
from mixgraph.fit.trials import Trials
from mixgraph.report import contents
from mixgraph.report.graph_view import draw_console, draw_result
from mixgraph.report.hearing import hear
from mixgraph.report.live import LiveGraph, live_graph
from mixgraph.report.match import measure_match
from mixgraph.report.opus import CHUNK_SECONDS, LEAD_SECONDS
from mixgraph.report.page import render_page
from mixgraph.report.recipe import write_recipe
from mixgraph.report.sounds import mixes_of
from mixgraph.report.soundtrack import Soundtrack, make_soundtrack
from mixgraph.result.result import Result

SIZE_LIMIT_MB: Final = 25.0
PROBED_SEGMENTS: Final = 4
SPARE_BYTES: Final = 20_000  # for what the size of the sound changes in the rest of the page


def write_report(
    result: Result,
    song: Song,
    path: str | Path,
    *,
    history: Sequence[Mapping[str, Any]] = (),
    size_limit_mb: float = SIZE_LIMIT_MB,
    with_tracks: bool = True,
    device: str | torch.device = "cpu",
) -> None:
    """Writes a result as one HTML file of at most `size_limit_mb` (10^6 bytes) that works offline.

    `song` is what the result is rendered with, at its sample rate; without a mix the page compares nothing.
    `history` are the lines of the search's history (`mixgraph.report.search_history.read_history`). `with_tracks`
    carries the dry tracks where they fit, so that the page can mute, solo and bypass. Equal inputs give equal bytes.
    Raises `ResultError` if the song does not fit the result, `OutputError` if the page does not fit the limit or
    cannot be written.
    """
    path = Path(path)
    page = report_html(
        result, song, history=history, size_limit_mb=size_limit_mb, with_tracks=with_tracks, device=torch.device(device)
    )
    write_bytes(path, page.encode())


def report_html(
    result: Result,
    song: Song,
    *,
    history: Sequence[Mapping[str, Any]],
    size_limit_mb: float,
    with_tracks: bool,
    device: torch.device,
) -> str:
    """The page that `write_report` writes."""
    estimate = result.render(song, device=device)
    problem = Problem(song, result.config, device)
    sounds = mixes_of(song, estimate)
    live = live_graph(result) if with_tracks else None
    worth = probe(problem, result) if song.has_mix else {}
    match = measure_match(problem, result) if song.has_mix else None
    sections = write_recipe(result, hear(problem, result), worth)
    strands = [strand for section in sections for strand in (*section.tracks, section.bus) if strand]
    context = contents.header(result, song) | {
        "types": contents.types(result),
        "sounds": contents.listening(sounds),
        "drawing": draw_result(result),
        "console": draw_console(result),
        "sections": sections,
        "strands": strands,
        "steps": {step.id: step for strand in strands for step in strand.steps},
        "compared": match is not None,
        "match": contents.matching(result, match, sounds, song.sample_rate) if match else None,
        "search": contents.searching(result, history),
    }
    silent = Soundtrack({}, {}, 0, 0 if live else None)
    room = size_limit_mb * 1e6 - len(_page(result, context, silent, live).encode()) - SPARE_BYTES
    threads = torch.get_num_threads()
    soundtrack = make_soundtrack(song, sounds, room, with_tracks=live is not None, threads=threads)
    page = _page(result, context, soundtrack, live)
    if len(page.encode()) > size_limit_mb * 1e6:
        raise OutputError(f"{song.name}: the page takes more than {size_limit_mb:g} MB; give a larger --size-limit")
    return page


def probe(problem: Problem, result: Result) -> dict[str, float]:
    """What bypassing each processor adds to the loss, estimated on a few segments in which it is heard."""
    return Trials(problem, result.graph, result.bank.to(problem.device), trial_starts(problem)).probe(PROBED_SEGMENTS)


def _page(result: Result, context: dict[str, Any], soundtrack: Soundtrack, live: LiveGraph | None) -> str:
    mixer = live is not None and soundtrack.track_kbps is not None
    mixes = {f"mix:{key}": stream for key, stream in soundtrack.mixes.items()}
    tracks = {f"track:{name}": stream for name, stream in soundtrack.tracks.items()}
    data = {
        "rate": result.config.audio.sample_rate,
        "seconds": context["seconds"],
        "chunkSeconds": CHUNK_SECONDS,
        "leadSeconds": LEAD_SECONDS,
        "sounds": [{name: sound[name] for name in ("key", "title", "about", "gain_db")} for sound in context["sounds"]],
        "scales": {key: stream.scale for key, stream in (mixes | tracks).items()},
        "graph": list(live.nodes) if live and mixer else None,
    }
    return render_page(
        context
        | {
            "mixer": mixer,
            "no_mixer": _why_no_mixer(live),
            "about": contents.about(result, soundtrack, mixer),
            "data": data,
            "streams": [(key, "\n".join(map(_base64, stream.chunks))) for key, stream in (mixes | tracks).items()],
            "impulses": list(map(_base64, live.impulses)) if live and mixer else [],
        }
    )


def _why_no_mixer(live: LiveGraph | None) -> str:
    if live is None:
        return "This page carries the mixes only, so nothing can be muted, soloed or bypassed in it."
    return (
        "The dry tracks would not fit into the size limit of this page, so nothing can be muted, soloed or bypassed in"
        " it; “mixgraph report --size-limit” raises the limit."
    )


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
