"""The work folder of a search: what a kill leaves behind, and what becomes the result."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save

from mixgraph.errors import ResultError
from mixgraph.run.workspace import Workspace


def saved(output) -> Workspace:
    workspace = Workspace(output)
    workspace.note({"event": "step", "step": 1})
    workspace.save({"stage": "prune"}, {"a": torch.ones(2)})
    return workspace


def test_a_resumed_run_clears_what_was_half_written_and_replays_whole_trials(tmp_path):
    workspace = saved(tmp_path / "out")
    trial = {"event": "trial", "round": 1}
    workspace.note(trial)
    with (workspace.folder / "history.jsonl").open("ab") as history:
        history.write(b'{"event": "tri')
    (workspace.folder / ".checkpoint.safetensors.0123abcd.partial").write_bytes(b"half")
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
    assert len(list(workspace.folder.glob("checkpoint*"))) == 1
    checkpoint = Workspace(tmp_path / "out", resume=True).load()
    assert checkpoint is not None and checkpoint.facts == {"stage": "finish"}
    assert torch.equal(checkpoint.tensors["a"], torch.zeros(2))


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"x" * 99, "cannot be read as safetensors"), (save({"a": torch.ones(2)}), "not a checkpoint")],
)
def test_a_damaged_checkpoint_is_named(content, said, tmp_path):
    saved(tmp_path / "out").checkpoint.write_bytes(content)
    with pytest.raises(ResultError, match=rf"out\.partial/checkpoint\.safetensors: {said}"):
        Workspace(tmp_path / "out", resume=True).load()
