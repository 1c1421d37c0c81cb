"""The work folder of a search: what a kill leaves behind, and what becomes the result."""

from __future__ import annotations

import torch

from mixgraph.run.workspace import Workspace


def saved(output) -> Workspace:
    workspace = Workspace(output)
    workspace.note({"event": "step", "step": 1})
    workspace.save({"stage": "prune"}, {"a": torch.ones(2)})
    return workspace


def test_a_resumed_run_clears_what_was_half_written_and_replays_whole_trials(tmp_path):
    workspace = saved(tmp_path / "out")
    trial = {"event": "trial", "round": 1}
    workspace.note(trial, flush=True)
    with (workspace.folder / "history.jsonl").open("ab") as history:
        history.write(b'{"event": "tri')
    (workspace.folder / ".checkpoint-2.safetensors.0123abcd.partial").write_bytes(b"half")
    again = Workspace(tmp_path / "out", resume=True)
    checkpoint = again.load()
    assert checkpoint is not None and checkpoint.facts == {"stage": "prune"} and checkpoint.trials == [trial]
    assert torch.equal(checkpoint.tensors["a"], torch.ones(2))
    again.finish()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["history.jsonl"]
    assert (tmp_path / "out" / "history.jsonl").read_text() == '{"event": "step", "step": 1}\n'


def test_a_new_checkpoint_replaces_the_old_one_whole(tmp_path):
    workspace = saved(tmp_path / "out")
    workspace.save({"stage": "finish"}, {"a": torch.zeros(2)})
    assert len(list(workspace.folder.glob("checkpoint-*"))) == 1
    checkpoint = Workspace(tmp_path / "out", resume=True).load()
    assert checkpoint is not None and checkpoint.facts == {"stage": "finish"}
    assert torch.equal(checkpoint.tensors["a"], torch.zeros(2))
