"""A corpus trains a network: which processors does each track keep, told from the dry tracks and the mix alone?

    python examples/predict_processors.py                                  the demo's stems, minutes on two cores
    python examples/predict_processors.py --dry folder SONGS --fold source your own songs; held out as wholes

`mixgraph corpus synthesise` mixes the dry tracks through random graphs, so that the answer is known. A small graph
network sees a song's routing (tracks, subgroups, output), never its processors. Every song is held out once: the
network is trained on the other folds. The baseline says of every track what most tracks of the training folds have; its
balanced accuracy is 0.5 by definition, its F1 is 0 where the processor is rare, so F1 is put beside "always yes" too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, stdev

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, HeteroData
from torch_geometric.loader import DataLoader
from torch_geometric.nn import HeteroConv, SAGEConv
from torch_geometric.transforms import ToUndirected

from mixgraph.audio.files import write_audio
from mixgraph.cli import main as mixgraph
from mixgraph.corpus import GraphDataset
from mixgraph.demo import make_demo_song

RATE = 30_000
Predictor = Callable[[HeteroData], Tensor]


def main() -> None:
    options = read_options()
    torch.set_num_threads(options.threads)
    dry = options.dry or ["folder", str(write_stems(options.output / "dry"))]
    songs = options.output / "songs"
    size = ["--songs", options.songs, "--tracks", options.tracks, "--seconds", options.seconds]
    if mixgraph(["corpus", "synthesise", *dry, "-o", str(songs), *map(str, size), "--threads", str(options.threads)]):
        raise SystemExit(2)
    dataset = GraphDataset(songs, structure="routing")
    graphs = [ToUndirected()(data) for data in dataset]
    folds = fold_of_songs(dataset, options.fold)
    types = dataset.songs.types
    truth = torch.cat([data["in"].kept for data in graphs])
    runs = [cross_validate(graphs, folds, seed, options) for seed in range(options.seeds)]
    majority = cross_validate(graphs, folds, 0, options, baseline=True)
    report(types, truth, majority, runs, options.json)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dry", nargs="+", metavar="WORD", help="DATASET [PATH] as for `mixgraph corpus synthesise`")
    parser.add_argument("-o", "--output", type=Path, default=Path("predict-processors"), help="working folder")
    parser.add_argument("--songs", type=int, default=240, help="songs to mix (default 240)")
    parser.add_argument("--tracks", default="2-4", help="tracks of a song (default 2-4)")
    parser.add_argument("--seconds", default="5", help="length of a song (default 5)")
    parser.add_argument("--fold", choices=("song", "source"), default="song", help="what is held out as a whole")
    parser.add_argument("--seeds", type=int, default=3, help="networks per fold (default 3)")
    parser.add_argument("--epochs", type=int, default=60, help="passes over the training songs (default 60)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default 2)")
    parser.add_argument("--json", type=Path, help="also write the table as JSON")
    return parser.parse_args()


def write_stems(folder: Path) -> Path:
    """The demo's four stems as a song folder without a mix."""
    song = make_demo_song(RATE).song
    tracks = folder / "demo" / "tracks"
    tracks.mkdir(parents=True, exist_ok=True)
    for name in song.tracks:
        write_audio(tracks / f"{name}.wav", song.track(name), RATE)
    return folder


def fold_of_songs(dataset: GraphDataset, by: str) -> list[int]:
    """A fold per song: five in turn, or one per source of dry tracks, after which synthetic songs are named."""
    if by == "song":
        return [number % 5 for number in range(len(dataset))]
    sources = [example.layout.name for example in dataset.examples]
    if len(set(sources)) < 2:
        raise SystemExit("--fold source needs dry tracks of two songs at least")
    return [sorted(set(sources)).index(source) for source in sources]


class Network(nn.Module):
    """Two rounds of messages between tracks, subgroups and output; an answer per track and processor type.

    The answer is read from what a track knew before and after the messages: most of it is in its own features.
    """

    def __init__(self, sizes: dict[str, int], edges: Sequence[tuple[str, str, str]], outputs: int, hidden: int) -> None:
        super().__init__()
        self.enter = nn.ModuleDict({f"node_{kind}": nn.Linear(size, hidden) for kind, size in sizes.items()})
        self.rounds = nn.ModuleList(
            HeteroConv({edge: SAGEConv((hidden, hidden), hidden) for edge in edges}) for _ in range(2)
        )
        self.drop = nn.Dropout(0.5)
        self.leave = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), self.drop, nn.Linear(hidden, outputs))

    def forward(self, batch: Batch) -> Tensor:
        known = {kind: self.drop(torch.relu(self.enter[f"node_{kind}"](x))) for kind, x in batch.x_dict.items()}
        heard = known
        for messages in self.rounds:
            heard = {kind: self.drop(torch.relu(x)) for kind, x in messages(heard, batch.edge_index_dict).items()}
        return self.leave(torch.cat([known["in"], heard["in"]], 1))


def cross_validate(
    graphs: Sequence[HeteroData],
    folds: Sequence[int],
    seed: int,
    options: argparse.Namespace,
    *,
    baseline: bool = False,
) -> Tensor:
    """What is said of every track `(track, type)` by what was made from the other folds."""
    said: dict[int, Tensor] = {}
    for fold in sorted(set(folds)):
        inside = [data for data, place in zip(graphs, folds, strict=True) if place != fold]
        outside = [number for number, place in enumerate(folds) if place == fold]
        predict = say_majority(inside) if baseline else train(inside, seed, options.epochs)
        said |= {number: predict(graphs[number]) for number in outside}
    return torch.cat([said[number] for number in range(len(graphs))])


def say_majority(graphs: Sequence[HeteroData]) -> Predictor:
    """Of every track, what most tracks have."""
    most = torch.cat([data["in"].kept for data in graphs]).double().mean(0) > 0.5
    return lambda data: most.expand(data["in"].num_nodes, -1)


def train(graphs: Sequence[HeteroData], seed: int, epochs: int) -> Predictor:
    """A network for songs like these."""
    torch.manual_seed(seed)
    batch = Batch.from_data_list(list(graphs))
    scale = {kind: (batch[kind].x.mean(0), batch[kind].x.std(0, correction=0) + 1e-3) for kind in batch.node_types}

    def standardised(data: HeteroData) -> HeteroData:
        data = data.clone()
        for kind, (mean, deviation) in scale.items():
            data[kind].x = ((data[kind].x - mean) / deviation).clamp(-5, 5)
        return data

    kept = batch["in"].kept.double()
    rarity = ((1 - kept.mean(0)) / kept.mean(0).clamp(min=1e-3)).clamp(0.05, 20).float()
    sizes = {kind: batch[kind].x.shape[1] for kind in batch.node_types}
    network = Network(sizes, batch.edge_types, kept.shape[1], hidden=128)
    loss = nn.BCEWithLogitsLoss(pos_weight=rarity)
    loader = DataLoader([standardised(data) for data in graphs], batch_size=16, shuffle=True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=epochs * len(loader))
    for _ in range(epochs):
        for songs in loader:
            optimiser.zero_grad()
            loss(network(songs), songs["in"].kept.float()).backward()
            optimiser.step()
            schedule.step()
    network.eval()

    @torch.no_grad()
    def predict(data: HeteroData) -> Tensor:
        return network(standardised(data)) > 0

    return predict


def report(types: Sequence[str], truth: Tensor, majority: Tensor, runs: Sequence[Tensor], file: Path | None) -> None:
    """A row per type: the network beside the baselines, mean and deviation over seeds."""
    print(f"\n{len(truth)} held-out tracks, {len(runs)} seeds (mean ± standard deviation)\n")
    print(f"{'type':<16}{'kept':>6}  {'accuracy':>13}{'majority':>10}  {'balanced':>13}{'majority':>10}", end="")
    print(f"  {'F1':>13}{'majority':>10}{'always yes':>12}")
    rows: dict[str, dict[str, list[float]]] = {}
    for column, kind in enumerate(types):
        wanted = truth[:, column]
        plain, always = scores(wanted, majority[:, column]), scores(wanted, torch.ones_like(wanted))
        found = [scores(wanted, run[:, column]) for run in runs]
        row = {name: [score[name] for score in found] for name in plain}
        rows[kind] = row | {f"majority_{name}": [value] for name, value in plain.items()}
        rows[kind] |= {"always_yes_f1": [always["f1"]], "kept": [float(wanted.double().mean())]}
        print(f"{kind:<16}{rows[kind]['kept'][0]:>6.2f}", end="")
        for name, value in plain.items():
            print(f"  {spread(row[name]):>13}{value:>10.2f}", end="")
        print(f"{always['f1']:>12.2f}")
    better = [kind for kind, row in rows.items() if min(row["balanced"]) > row["majority_balanced"][0]]
    mean = [fmean(row["balanced"][seed] for row in rows.values()) for seed in range(len(runs))]
    print(
        f"\nmean balanced accuracy {spread(mean)}, majority 0.50; better with every seed: {', '.join(better) or 'none'}"
    )
    if missed := [kind for kind in types if kind not in better]:
        print(f"not better than the majority: {', '.join(missed)}")
    if file:
        file.write_text(json.dumps(rows, indent=1) + "\n")


def scores(wanted: Tensor, said: Tensor) -> dict[str, float]:
    """Accuracy; balanced accuracy, the mean of the shares found among tracks with and without; F1 of those with."""
    yes, no = int(wanted.sum()), int((~wanted).sum())
    hits, alarms = int((wanted & said).sum()), int((~wanted & said).sum())
    found = hits / yes if yes else 1.0
    spared = 1 - alarms / no if no else 1.0
    accuracy = (hits + no - alarms) / (yes + no)
    return {"accuracy": accuracy, "balanced": (found + spared) / 2, "f1": 2 * hits / max(1, yes + hits + alarms)}


def spread(values: Sequence[float]) -> str:
    return f"{fmean(values):.2f} ± {stdev(values) if len(values) > 1 else 0:.2f}"


if __name__ == "__main__":
    main()
