"""The search: fit the console, then prune and fine-tune in turn (paper, sections 4 and 5).

A run is a row of stages, console → (prune → fine_tune) × rounds → finish, and a checkpoint holds all that changes in
them, so a run can go on from any.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from mixgraph.console import build_console
from mixgraph.errors import ConfigError, SongError
from mixgraph.fit.evaluate import criterion, evaluate, evaluation_starts, trial_starts
from mixgraph.fit.importance import fisher_scores
from mixgraph.fit.optimiser import Moments
from mixgraph.fit.problem import Problem
from mixgraph.fit.start import initial_bank
from mixgraph.fit.training import Phase, StepReport, train
from mixgraph.fit.trials import Trials
from mixgraph.graph.graph import Graph
from mixgraph.memory import peak_memory_mb
from mixgraph.processors.bank import ParameterBank, chain_types
from mixgraph.prune.pruning import Trial, prune_round
from mixgraph.prune.strategies.base import STRATEGIES, Remaining
from mixgraph.result.result import processor_ids
from mixgraph.run.events import Forecast, Progress, Stopped, Watcher
from mixgraph.run.workspace import Checkpoint, Workspace

WEIGHTS_EVERY = 10
"""After how many steps the history tells the mean dry/wet weight of each type."""


@dataclass
class SearchRun:
    """One search in one workspace. A checkpoint holds all that is set below; `notes` are what the metrics will say."""

    problem: Problem
    workspace: Workspace
    watch: Watcher
    should_stop: Callable[[], bool]
    checkpoint_seconds: float

    def __post_init__(self) -> None:
        self.config = self.problem.config
        self.starts, self.trial_starts = evaluation_starts(self.problem), trial_starts(self.problem)
        self._clock = time.perf_counter()
        self._recorded: list[dict[str, Any]] = []
        if checkpoint := self.workspace.load():
            self._restore(checkpoint)
        else:
            self._begin()

    def run(self) -> None:
        """From wherever it stands to the end; raises `Stopped` when asked to stop."""
        fit, prune = self.config.fit, self.config.prune
        rounds = [(stage, number) for number in range(1, prune.rounds + 1) for stage in ("prune", "fine_tune")]
        stages = [("console", 0), *rounds, ("finish", prune.rounds)]
        left = stages[stages.index((self.stage, self.round)) :]
        names = [stage for stage, _ in left]
        steps = names.count("console") * fit.console_steps + names.count("fine_tune") * prune.fine_tune_steps
        self.forecast = Forecast(steps - self.moments.step, names.count("prune"), len(self.trial_starts))
        actions = {"console": self._console, "prune": self._prune, "fine_tune": self._fine_tune, "finish": self._finish}
        for self.stage, self.round in left:
            self._save()
            self.forecast.lap()
            actions[self.stage]()
            self._spend()

    def metrics(self) -> dict[str, Any]:
        """What `metrics.json` says of a finished search."""
        initial, kept = self.notes["processors"]["initial"], count_processors(self.graph)
        return self.notes | {
            "processors": {"initial": initial, "kept": kept},
            "pruning_ratio": pruning_ratio(initial, kept),
            "seconds": sum(self.notes["stage_seconds"].values()),
            "peak_memory_mb": peak_memory_mb(),
        }

    def _begin(self) -> None:
        song, console = self.problem.song, self.config.console
        subgroups = song.subgroups if console.use_subgroups else {}
        self.stage, self.round, self.moments = "console", 0, Moments()
        self.graph = build_console(song.tracks, subgroups, chain_types(console.chain))
        self.bank = initial_bank(self.problem, self.graph)
        plain = evaluate(self.problem, build_console(song.tracks, {}, ()), ParameterBank({}, {}), self.starts)
        processors = {"initial": count_processors(self.graph)}
        self.notes: dict[str, Any] = {"loss": {"plain_sum": plain.to_json()}, "processors": processors}
        self.notes |= {"stage_seconds": {}, "segments": len(self.starts), "trials": 0}

    def _restore(self, checkpoint: Checkpoint) -> None:
        facts, self._recorded = checkpoint.facts, checkpoint.trials
        self._require_same(facts)
        self.stage, self.round, self.notes = facts["stage"], facts["round"], facts["notes"]
        self.graph = Graph.from_json(facts["graph"])
        parts: dict[str, dict[str, Tensor]] = {"bank": {}, "moments": {}}
        for key, tensor in checkpoint.tensors.items():
            part, name = key.split("/", 1)
            parts[part][name] = tensor.to(self.problem.device)
        self.bank = ParameterBank.unflatten(processor_ids(self.graph), parts["bank"])
        self.moments = Moments(facts["step"], parts["moments"])

    def _save(self) -> None:
        self._spend()
        facts = {"stage": self.stage, "round": self.round, "step": self.moments.step, "notes": self.notes}
        facts |= {"graph": self.graph.to_json(), "config": self.config.model_dump(mode="json")}
        tensors = {f"bank/{name}": tensor for name, tensor in self.bank.flatten().items()}
        tensors |= {f"moments/{name}": tensor for name, tensor in self.moments.tensors.items()}
        self.workspace.save(facts | {"hashes": self.problem.song.hashes}, tensors)

    def _spend(self) -> None:
        seconds, now = self.notes["stage_seconds"], time.perf_counter()
        seconds[self.stage] = seconds.get(self.stage, 0.0) + now - self._clock
        self._clock = now

    def _stopped_at(self, step: int, steps: int, loss: float, left: int) -> bool:
        """Tells those who watch, and asks whether to stop."""
        rounds = self.config.prune.rounds
        self.watch(Progress(self.stage, self.round, rounds, step, steps, loss, left, self.forecast.seconds_left))
        return self.should_stop()

    def _console(self) -> None:
        self._train(self.config.fit.console_steps, self.config.fit.learning_rate)
        loss = evaluate(self.problem, self.graph, self.bank, self.starts).to_json()
        self.notes["loss"]["console"] = loss
        self.workspace.note({"event": "console", "loss": loss})

    def _prune(self) -> None:
        prune, left, done = self.config.prune, len(self.graph.processors), 0
        trials = Trials(
            self.problem,
            self.graph,
            self.bank,
            self.trial_starts,
            error=prune.trial_error,
            memory_mb=prune.trial_memory_mb,
        )
        strategy, importance = STRATEGIES[prune.strategy](prune), {}
        if strategy.importance == "probe":
            importance = trials.probe(prune.probe_segments)
        elif strategy.importance == "fisher":
            every = -(-len(self.trial_starts) // prune.fisher_segments)
            importance = fisher_scores(self.problem, self.graph, self.bank, self.trial_starts[::every])
        remaining = Remaining(self.bank.ids, self.bank.dry_wet(), importance)
        rng = random.Random(f"{self.config.seed}/{self.round}")
        proposals = strategy.propose(remaining, round_number=self.round, rng=rng)

        def on_trial(trial: Trial) -> None:
            nonlocal left, done
            left, done = left - len(trial.candidates) * trial.accepted, done + 1
            self.workspace.note({"event": "trial", "round": self.round} | trial.to_json())
            if self._stopped_at(done, 0, trial.loss, left):
                raise Stopped

        known = [Trial.from_json(line) for line in self._recorded if line["round"] == self.round]
        outcome = prune_round(proposals, losses=trials, tolerance=prune.tolerance, recorded=known, on_trial=on_trial)
        self.notes["trials"] += len(outcome.trials)
        self.graph = self.graph.without(outcome.removed)
        self.bank = self.bank.keep(processor_ids(self.graph))
        self.forecast.round_done()

    def _fine_tune(self) -> None:
        prune = self.config.prune
        self._train(prune.fine_tune_steps, prune.fine_tune_learning_rate, (self.round - 1) * prune.fine_tune_steps)

    def _finish(self) -> None:
        graphs = {kind: self.graph.without(ids) for kind, ids in processor_ids(self.graph).items()}
        losses: dict[str, Any] = {}
        for number, (name, graph) in enumerate([("pruned", self.graph), *graphs.items()], 1):
            evaluation = evaluate(self.problem, graph, self.bank, self.starts)
            losses[name] = evaluation.to_json()
            loss, left = criterion(self.problem, evaluation), len(self.graph.processors)
            if self._stopped_at(number, 1 + len(graphs), loss, left):
                raise Stopped
        self.notes["loss"] |= {"pruned": losses.pop("pruned"), "without_type": losses}

    def _train(self, steps: int, learning_rate: float, sparsity_offset: int | None = None) -> None:
        if not self.bank.ids:
            return

        def on_step(report: StepReport, moments: Callable[[], Moments]) -> None:
            if not math.isfinite(report.loss):
                place = f"step {report.step} of {self.stage}, round {self.round}"
                raise ConfigError(f"the loss is {report.loss} after {place}; start anew with a smaller learning rate")
            line: dict[str, Any] = {"step": report.step, "loss": report.loss, "audio": report.audio}
            if report.step % WEIGHTS_EVERY == 0 or report.step == steps:
                line["dry_wet"] = self.bank.mean_dry_wet()
            self.workspace.note({"event": "step", "stage": self.stage, "round": self.round} | line)
            self.forecast.step_done()
            stopped = self._stopped_at(report.step, steps, report.audio, len(self.graph.processors))
            if stopped or time.perf_counter() - self._clock > self.checkpoint_seconds:
                self.moments = moments()
                self._save()
            if stopped:
                raise Stopped

        schedule = self.config.fit.learning_rate_schedule
        phase = Phase(self.round, steps, learning_rate, schedule, sparsity_offset)
        train(self.problem, self.graph, self.bank, phase, moments=self.moments, on_step=on_step)
        self.moments = Moments()

    def _require_same(self, facts: dict[str, Any]) -> None:
        """Going on is only the same run with the same settings and the same audio."""
        folder, begun = self.workspace.folder, _settings(facts["config"])
        for name, given in _settings(self.config.model_dump(mode="json")).items():
            if begun.get(name) != given:
                what = f"{folder}: was begun with {name} = {begun.get(name)}, not {given}"
                raise ConfigError(f"{what}; resume with the same settings or start anew with --overwrite")
        for file, digest in facts["hashes"].items():
            if self.problem.song.hashes.get(file) != digest:
                raise SongError(f"{file}: has changed since {folder} was begun; start anew with --overwrite")


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """Values by their dotted names."""
    sections = {name: values if isinstance(values, dict) else {"": values} for name, values in config.items()}
    return {f"{name}.{key}".rstrip("."): value for name, values in sections.items() for key, value in values.items()}


def count_processors(graph: Graph) -> dict[str, Any]:
    """`total` and `by_type` numbers of processors."""
    by_type = {kind: len(ids) for kind, ids in processor_ids(graph).items()}
    return {"total": sum(by_type.values()), "by_type": by_type}


def pruning_ratio(initial: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """Pruned over initial processors (paper, section 5), in total and by type; 0 where there were none."""

    def ratio(before: int, after: int) -> float:
        return (before - after) / before if before else 0.0

    by_type = {kind: ratio(count, kept["by_type"].get(kind, 0)) for kind, count in initial["by_type"].items()}
    return {"total": ratio(initial["total"], kept["total"]), "by_type": by_type}
