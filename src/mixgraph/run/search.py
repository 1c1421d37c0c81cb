"""The search: fit the console, then prune and fine-tune in turn (paper, sections 4 and 5).

A run is a row of stages, each of which starts from a `State` and leaves the next one:
console → (prune → fine_tune) × rounds → finish. A checkpoint holds the state, so a run can go on from any of them.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from mixgraph.console import build_console
from mixgraph.errors import ConfigError, SongError
from mixgraph.fit.evaluate import criterion, evaluate, evaluation_starts, trial_starts
from mixgraph.fit.problem import Problem
from mixgraph.fit.start import initial_bank
from mixgraph.fit.training import Moments, Phase, StepReport, train
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import ParameterBank, chain_types
from mixgraph.prune.pruning import Candidates, Trial, prune_round
from mixgraph.prune.strategies.base import STRATEGIES, Remaining
from mixgraph.result.metrics import count_processors
from mixgraph.run.events import Forecast, Progress, Stopped, Watcher
from mixgraph.run.workspace import Checkpoint, Workspace

CHECKPOINT_SECONDS = 30.0
"""How much work a killed run may lose."""


@dataclass
class State:
    """Everything that changes during a search. `notes` are the facts that end up in the metrics."""

    stage: str
    round: int
    graph: Graph
    bank: ParameterBank
    moments: Moments = field(default_factory=Moments)
    notes: dict[str, Any] = field(default_factory=dict)


class SearchRun:
    """One search in one workspace; `run` takes it from wherever it stands to the end."""

    def __init__(
        self,
        problem: Problem,
        workspace: Workspace,
        *,
        watch: Watcher = lambda progress: None,
        should_stop: Callable[[], bool] = lambda: False,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        self.problem = problem
        self.workspace = workspace
        self.watch = watch
        self.should_stop = should_stop
        self.checkpoint_seconds = checkpoint_seconds
        self.starts = evaluation_starts(problem)
        self._recorded: tuple[Trial, ...] = ()
        self._clock = time.perf_counter()

    def run(self, checkpoint: Checkpoint | None) -> State:
        """From a checkpoint, or from the beginning, to stage `done`; raises `Stopped` when asked to stop."""
        state = self._restore(checkpoint) if checkpoint else self._begin()
        prune = self.problem.config.prune
        rounds_done = max(0, state.round - 1)
        trained = state.moments.step + rounds_done * prune.fine_tune_steps
        steps = prune.rounds * prune.fine_tune_steps - trained
        if state.stage == "console":
            steps += self.problem.config.fit.console_steps
        self.forecast = Forecast(steps, prune.rounds - rounds_done, len(trial_starts(self.problem)))
        stages = {"console": self._console, "prune": self._prune, "fine_tune": self._fine_tune, "finish": self._finish}
        while state.stage != "done":
            self._save(state)
            stage = state.stage
            stages[stage](state)
            self._spend(state, stage)
        return state

    def _begin(self) -> State:
        config, song = self.problem.config, self.problem.song
        subgroups = song.subgroups if config.console.use_subgroups else {}
        graph = build_console(song.tracks, subgroups, chain_types(config.console.chain))
        plain = build_console(song.tracks, {}, ())
        bank = initial_bank(self.problem, graph)
        notes = {
            "plain_sum": evaluate(self.problem, plain, ParameterBank({}, {}), self.starts).to_json(),
            "initial": count_processors(graph),
            "stage_seconds": {},
            "segments": len(self.starts),
            "trials": 0,
        }
        return State("console", 0, graph, bank, notes=notes)

    def _console(self, state: State) -> None:
        fit = self.problem.config.fit
        self._train(state, Phase(0, fit.console_steps, fit.learning_rate, one_cycle=fit.schedule == "one_cycle"))
        state.notes["console"] = evaluate(self.problem, state.graph, state.bank, self.starts).to_json()
        self.workspace.note({"event": "console", "loss": state.notes["console"]})
        state.stage, state.round = ("prune", 1) if self.problem.config.prune.rounds else ("finish", 0)

    def _prune(self, state: State) -> None:
        config, began = self.problem.config.prune, time.perf_counter()
        starts = trial_starts(self.problem)
        ids = {kind: state.graph.ids_of(kind) for kind in state.bank.ids}
        proposals = STRATEGIES[config.strategy](config).propose(
            Remaining(ids, state.bank.dry_wet()),
            round_number=state.round,
            rng=random.Random(f"{self.problem.config.seed}/{state.round}"),
        )
        left, done = len(state.graph.processors), 0

        def loss_without(masked: Candidates) -> float:
            graph = state.graph.without(masked)
            return criterion(self.problem, evaluate(self.problem, graph, state.bank, starts))

        def on_trial(trial: Trial) -> None:
            nonlocal left, done
            left, done = left - len(trial.candidates) * trial.accepted, done + 1
            self.workspace.note({"event": "trial", "round": state.round} | trial.to_json(), flush=True)
            self._tell(state, done, 0, trial.loss, left)
            if self.should_stop():
                raise Stopped

        recorded, self._recorded = self._recorded, ()
        outcome = prune_round(
            proposals, evaluate=loss_without, tolerance=config.tolerance, recorded=recorded, on_trial=on_trial
        )
        state.notes["trials"] += len(outcome.trials)
        state.graph = state.graph.without(outcome.removed)
        state.bank = state.bank.keep({kind: state.graph.ids_of(kind) for kind in ids})
        state.stage = "fine_tune"
        self.forecast.round_done(time.perf_counter() - began)

    def _fine_tune(self, state: State) -> None:
        prune, one_cycle = self.problem.config.prune, self.problem.config.fit.schedule == "one_cycle"
        offset = (state.round - 1) * prune.fine_tune_steps
        phase = Phase(state.round, prune.fine_tune_steps, prune.fine_tune_learning_rate, one_cycle, offset)
        self._train(state, phase)
        if state.round < prune.rounds:
            state.stage, state.round = "prune", state.round + 1
        else:
            state.stage = "finish"

    def _finish(self, state: State) -> None:
        evaluations = {"pruned": state.graph} | {
            kind: state.graph.without(state.graph.ids_of(kind)) for kind in sorted(state.bank.ids)
        }
        losses: dict[str, Any] = {}
        for number, (name, graph) in enumerate(evaluations.items(), 1):
            evaluation = evaluate(self.problem, graph, state.bank, self.starts)
            losses[name] = evaluation.to_json()
            kept = len(state.graph.processors)
            self._tell(state, number, len(evaluations), criterion(self.problem, evaluation), kept)
            if self.should_stop():
                raise Stopped
        state.notes["pruned"] = losses.pop("pruned")
        state.notes["without_type"] = losses
        state.stage = "done"

    def _train(self, state: State, phase: Phase) -> None:
        if not state.bank.ids:
            return
        stage, kept, saved = state.stage, len(state.graph.processors), time.perf_counter()
        self.forecast.mark()

        def on_step(report: StepReport, moments: Callable[[], Moments]) -> None:
            nonlocal saved
            if not math.isfinite(report.loss):
                place = f"step {report.step} of {stage}, round {phase.round}"
                raise ConfigError(f"the loss is {report.loss} after {place}; start anew with a smaller learning rate")
            line = {"step": report.step, "loss": report.loss, "audio": report.audio}
            self.workspace.note({"event": "step", "stage": stage, "round": phase.round} | line)
            self.forecast.step_done()
            self._tell(state, report.step, phase.steps, report.audio, kept)
            stopping = self.should_stop()
            if stopping or time.perf_counter() - saved > self.checkpoint_seconds:
                state.moments = moments()
                self._spend(state, stage)
                self._save(state)
                saved = time.perf_counter()
            if stopping:
                raise Stopped

        train(self.problem, state.graph, state.bank, phase, moments=state.moments, on_step=on_step)
        state.moments = Moments()

    def _tell(self, state: State, step: int, steps: int, loss: float, left: int) -> None:
        rounds = self.problem.config.prune.rounds
        self.watch(Progress(state.stage, state.round, rounds, step, steps, loss, left, self.forecast.seconds_left))

    def _spend(self, state: State, stage: str) -> None:
        now = time.perf_counter()
        spent = state.notes["stage_seconds"]
        spent[stage] = spent.get(stage, 0.0) + now - self._clock
        self._clock = now

    def _save(self, state: State) -> None:
        facts = {
            "stage": state.stage,
            "round": state.round,
            "step": state.moments.step,
            "graph": state.graph.to_json(),
            "ids": state.bank.ids,
            "notes": state.notes,
            "config": self.problem.config.model_dump(mode="json"),
            "hashes": self.problem.song.hashes,
        }
        tensors = {f"bank/{name}": tensor for name, tensor in state.bank.flatten().items()}
        tensors |= {f"moments/{name}": tensor for name, tensor in state.moments.tensors.items()}
        self.workspace.save(facts, tensors)

    def _restore(self, checkpoint: Checkpoint) -> State:
        facts, tensors = checkpoint.facts, checkpoint.tensors
        self._require_same(facts)
        parts: dict[str, dict[str, Tensor]] = {"bank": {}, "moments": {}}
        for key, tensor in tensors.items():
            part, name = key.split("/", 1)
            parts[part][name] = tensor.to(self.problem.device) if not name.endswith("/step") else tensor
        bank = ParameterBank.unflatten(facts["ids"], parts["bank"])
        self._recorded = tuple(Trial.from_json(line) for line in checkpoint.trials if line["round"] == facts["round"])
        moments = Moments(facts["step"], parts["moments"])
        graph = Graph.from_json(facts["graph"])
        return State(facts["stage"], facts["round"], graph, bank, moments, facts["notes"])

    def _require_same(self, facts: dict[str, Any]) -> None:
        """Going on is only the same run with the same settings and the same audio."""
        before, now = facts["config"], self.problem.config.model_dump(mode="json")
        for section, values in now.items():
            name, begun, given = _first_difference(section, before.get(section), values)
            if begun != given:
                raise ConfigError(
                    f"{self.workspace.folder}: was begun with {name} = {begun}, not {given}; "
                    "resume with the same settings or start anew with --overwrite"
                )
        for file, digest in facts["hashes"].items():
            if self.problem.song.hashes.get(file) != digest:
                raise SongError(
                    f"{file}: has changed since {self.workspace.folder} was begun; start anew with --overwrite"
                )


def _first_difference(name: str, before: Any, now: Any) -> tuple[str, Any, Any]:
    """The first setting of a section that differs, or the section as it is."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in now:
            if before.get(key) != now[key]:
                return f"{name}.{key}", before.get(key), now[key]
    return name, before, now
