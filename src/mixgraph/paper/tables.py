"""Tables 1 to 3: means over whatever songs are there, and the published values beside them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, TypeVar, final

from mixgraph.paper.published import CONSOLES, DATASETS, HYBRID_BY_TYPE, PLAIN_SUM, STRATEGIES, Row
from mixgraph.paper.studies import Study, pruned_of

Key = TypeVar("Key", bound=Hashable)
PARTS = ("left_right", "mid", "side")
CHAINS = tuple(CONSOLES)
LETTERS = {name: name[0] for name in HYBRID_BY_TYPE} | {"multitap_delay": "d"}
TYPES = tuple(f"ρ {LETTERS[name]}" for name in HYBRID_BY_TYPE)


@final
@dataclass(frozen=True)
class Table:
    """A table as text cells; `title` says what it is in the paper."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def to_markdown(self) -> str:
        """The table in Markdown."""
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        return "\n".join([f"### {self.title}\n", *("| " + " | ".join(line) + " |" for line in lines)])


def table_1(studies: Iterable[Study]) -> Table:
    """Loss of each console of a growing chain, as fitted without pruning."""
    fitted = _by(studies, lambda study: study.chain, lambda study: not study.is_pruned)
    songs = {study.song: study for group in fitted.values() for study in group}
    rows = [_loss_row("plain sum", list(songs.values()), "plain_sum", PLAIN_SUM)] if songs else []
    chains = sorted(fitted, key=lambda chain: (CHAINS.index(chain) if chain in CHAINS else len(CHAINS), chain))
    rows += [_loss_row(chain, fitted[chain], "console", CONSOLES.get(chain)) for chain in chains]
    columns = ("console", "songs", "L_a", "left/right", "mid", "side", "L_a (target)", "paper: L_a", "lr", "m", "s")
    return Table("Table 1: loss of fitted consoles", columns, tuple(rows))


def table_2(studies: Iterable[Study]) -> Table:
    """Loss and pruning ratio of each strategy and tolerance."""
    groups = _by(pruned_of(studies), lambda study: study.criterion)
    rows = []
    for (strategy, tolerance), group in sorted(groups.items()):
        published = STRATEGIES.get((strategy, tolerance))
        paper = (_number(published and published.loss), _number(published and published.pruning_ratio, 2))
        rows.append((strategy, f"{tolerance:g}", *_found(group), *_ratios(group), *paper))
    published_types = [_number(value, 2) for value in HYBRID_BY_TYPE.values()]
    rows.append(("paper: hybrid", "0.01", "72", *["-"] * 3, *published_types, "", ""))
    columns = ("strategy", "τ", "songs", "L_a", "L_a (target)", "ρ", *TYPES, "paper: L_a", "ρ")
    return Table("Table 2: pruning strategies and tolerances", columns, tuple(rows))


def table_3(studies: Iterable[Study]) -> Table:
    """Loss, pruning ratio in total and by type, and what is left, by dataset."""
    groups = _by(pruned_of(studies), lambda study: (study.dataset, *study.criterion))
    rows = []
    for (dataset, strategy, tolerance), group in sorted(groups.items()):
        published = DATASETS.get((dataset, strategy, tolerance))
        initial, kept = (
            _mean(group, lambda m, when=when: m["processors"][when]["total"]) for when in ("initial", "kept")
        )
        minutes = _mean(group, lambda metrics: metrics["seconds"] / 60)
        paper = (_number(published and published.loss), _number(published and published.pruning_ratio, 2))
        cells = (*_ratios(group), f"{initial:.1f}", f"{kept:.1f}", f"{minutes:.1f}", *paper)
        rows.append((dataset, strategy, f"{tolerance:g}", *_found(group), *cells))
    columns = ("dataset", "strategy", "τ", "songs", "L_a", "L_a (target)", "ρ", *TYPES)
    columns += ("processors", "left", "minutes", "paper: L_a", "ρ")
    return Table("Table 3: datasets", columns, tuple(rows))


def _by(
    studies: Iterable[Study], key: Callable[[Study], Key], wanted: Callable[[Study], bool] = lambda study: True
) -> dict[Key, list[Study]]:
    groups: dict[Key, list[Study]] = {}
    for study in studies:
        if wanted(study):
            groups.setdefault(key(study), []).append(study)
    return groups


def _loss_row(name: str, group: Sequence[Study], stage: str, published: Row | None) -> tuple[str, ...]:
    def mean(*path: str) -> float:
        return _mean(group, lambda metrics: _at(metrics["loss"][stage], path))

    parts = [_number(mean("channels", part, "published")) for part in PARTS]
    paper = [_number(value) for value in (published and published.channels) or (None,) * len(PARTS)]
    ours = (_number(mean("published")), *parts, _number(mean("target")))
    return (name, str(len(group)), *ours, _number(published and published.loss), *paper)


def _found(group: Sequence[Study]) -> tuple[str, ...]:
    losses = (_mean(group, lambda m, kind=kind: m["loss"]["pruned"][kind]) for kind in ("published", "target"))
    return (str(len(group)), *map(_number, losses), _number(_ratio(group, None), 2))


def _ratios(group: Sequence[Study]) -> list[str]:
    """Mean pruning ratio by type, as cells under `TYPES`."""
    return [_number(_ratio(group, name), 2) for name in HYBRID_BY_TYPE]


def _ratio(group: Sequence[Study], kind: str | None) -> float | None:
    """Mean pruning ratio, in total or of the songs that began with the type; None where none did."""
    ratios = [study.result.metrics["pruning_ratio"] for study in group]
    values = [ratio["by_type"].get(kind) if kind else ratio["total"] for ratio in ratios]
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _mean(group: Sequence[Study], value: Callable[[Mapping[str, Any]], float]) -> float:
    return fmean(value(study.result.metrics) for study in group)


def _at(value: Any, path: Sequence[str]) -> Any:
    for key in path:
        value = value[key]
    return value


def _number(value: float | None, digits: int = 3) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}f}" if abs(value) < 10 else f"{value:.1f}"
