"""What lies in `results`: finished searches, unfinished ones and broken ones, each as a card that pages show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from mixgraph.app.record import Record
from mixgraph.app.searches import Searches
from mixgraph.app.settings import LETTERS
from mixgraph.app.strips import Strip, strips_of
from mixgraph.console import build_console
from mixgraph.errors import MixgraphError
from mixgraph.files import read_json
from mixgraph.graph.graph import Graph

METRICS, PROVENANCE, GRAPH = "metrics.json", "provenance.json", "graph.json"
CURE = "search the song again"
STAGES = ("plain_sum", "console", "pruned")


@final
@dataclass(frozen=True)
class Outcome:
    """The numbers of a result. Losses are L_a with spectral convergence divided by the target's norm; None where there
    are none: a graph that was applied has no console, and nothing to compare with on a song without a mix."""

    plain_sum: float | None
    console: float | None
    pruned: float | None
    initial: int
    kept: int
    by_type: dict[str, tuple[int, int]]
    """Per type of processor: kept, of how many."""
    seconds: float


@final
@dataclass(frozen=True)
class Card:
    """One result or run. `problem` says why nothing more is known; `when` is a Unix time."""

    name: str
    title: str
    status: str
    when: float
    error: str = ""
    problem: str = ""
    outcome: Outcome | None = None
    record: Record | None = None


@final
@dataclass(frozen=True)
class Drawing:
    """A console, and the ids of the processors that were pruned from it."""

    strips: tuple[Strip, ...] = ()
    removed: tuple[str, ...] = ()


def cards(searches: Searches) -> list[Card]:
    """All results and runs, the active ones first, then the newest."""
    names = {*searches.workspace.result_names(), *searches.records}
    found = [card for name in names if (card := card_of(searches, name))]
    return sorted(found, key=lambda card: (card.status not in ("running", "stopping", "queued"), -card.when))


def card_of(searches: Searches, name: str) -> Card | None:
    """One result or run; None where there is none of that name."""
    workspace, record = searches.workspace, searches.records.get(name)
    folder, partial = workspace.result(name), workspace.partial(name)
    if folder and not partial:
        return _finished(searches, folder, record)
    if record:
        return Card(name, record.title, record.status, record.created, error=record.error, record=record)
    if partial:
        problem = "Begun on the command line: go on there with --resume."
        return Card(name, name, "stopped", partial.stat().st_mtime, problem=problem)
    return None


def drawing_of(searches: Searches, card: Card) -> Drawing:
    """What a card's page draws; nothing where nothing is known yet. Raises `MixgraphError` naming a broken file."""
    folder, console = searches.workspace.result(card.name), card.record.console if card.record else ()
    if card.status != "done" or folder is None:
        return Drawing(console)
    graph = Graph.from_json(read_json(folder / GRAPH, CURE))
    kept = {node.id for node in graph.processors}
    strips = console or _console(read_json(folder / PROVENANCE, CURE)) or strips_of(graph)
    return Drawing(strips, tuple(slot.id for strip in strips for slot in strip.slots if slot.id not in kept))


def _finished(searches: Searches, folder: Path, record: Record | None) -> Card:
    when = (folder / METRICS if (folder / METRICS).is_file() else folder).stat().st_mtime
    try:
        outcome = _outcome(read_json(folder / METRICS, CURE))
        title = record.title if record else str(read_json(folder / PROVENANCE, CURE)["song"])
        return Card(folder.name, title, "done", when, outcome=outcome, record=record)
    except (MixgraphError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"This is not a complete result: {searches.workspace.told(error)}"
        return Card(folder.name, record.title if record else folder.name, "broken", when, problem=problem)


def _console(provenance: Mapping[str, Any]) -> tuple[Strip, ...]:
    """The full console that a result came from; none where it had processors of other packages."""
    try:
        settings = provenance["config"]["console"]
        subgroups = provenance["subgroups"] if settings["use_subgroups"] else {}
        chain = [LETTERS[letter] for letter in settings["chain"]]
        return strips_of(build_console(provenance["tracks"], subgroups, chain))
    except (MixgraphError, KeyError, TypeError, AttributeError):
        return ()


def _outcome(metrics: dict[str, Any]) -> Outcome:
    losses, processors = metrics["loss"], metrics["processors"]
    initial, kept = processors["initial"], processors["kept"]
    by_type = {kind: (int(kept["by_type"].get(kind, 0)), int(count)) for kind, count in initial["by_type"].items()}
    stages = losses if metrics.get("applied") else STAGES
    plain_sum, console, pruned = (float(losses[stage]["target"]) if stage in stages else None for stage in STAGES)
    counts = int(initial["total"]), int(kept["total"])
    return Outcome(plain_sum, console, pruned, *counts, by_type, float(metrics["seconds"]))
