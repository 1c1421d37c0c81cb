"""The graph for networkx, with physical parameters: node-link JSON, GraphML, and `load_graph`, which reads the JSON."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, final

import torch

from mixgraph.errors import ConfigError, ResultError
from mixgraph.export.base import EXPORTS, Export, Source
from mixgraph.export.fidelity import Fate
from mixgraph.files import read_json, write_bytes, write_json
from mixgraph.result.result import Result

if TYPE_CHECKING:
    import networkx

JSON, GRAPHML = "graph.json", "graph.graphml"
SCALAR: Final = (bool, int, float, str)


@final
@EXPORTS.register("networkx")
class Networkx(Export):
    """Graph for networkx and Gephi: node-link JSON and GraphML with physical parameters."""

    needs_song: ClassVar[bool] = False

    def write(self, source: Source, folder: Path) -> list[Fate]:
        nx = _networkx()
        graph = to_networkx(source.result)
        write_json(folder / JSON, nx.node_link_data(graph, edges="edges"))
        # GraphML holds single values only.
        flat = graph.copy()
        for _, data in flat.nodes(data=True):
            data |= {key: value if isinstance(value, SCALAR) else json.dumps(value) for key, value in data.items()}
        write_bytes(folder / GRAPHML, "\n".join([*nx.generate_graphml(flat), ""]).encode())
        how = "physical parameters as attributes; no audio"
        return [Fate(node.id, node.type, "exact", how) for node in source.result.graph.processors]


def to_networkx(result: Result) -> networkx.DiGraph:
    """A result as a `DiGraph`.

    Nodes carry `type`, inputs their `source`, processors `dry_wet` and `parameters`, a dict of numbers and nested
    lists in the units that end their names. Edges carry `times`: how often the signal is added. The graph carries
    `song`, `sample_rate` and `chain`. Raises `ConfigError` where networkx is not installed.
    """
    made = _networkx().DiGraph(
        song=str(result.provenance.get("song", "")),
        sample_rate=result.config.audio.sample_rate,
        chain=result.config.console.chain,
    )
    physical, weights = result.physical(), result.bank.dry_wet()
    for node in result.graph.order:
        data: dict[str, Any] = {"type": node.type}
        if node.source is not None:
            data["source"] = node.source
        if node.is_processor:
            # Infinite ratios or times, which JSON cannot hold, become the largest number.
            values = {name: torch.nan_to_num(value).tolist() for name, value in physical[node.id].items()}
            data |= {"dry_wet": weights[node.id], "parameters": values}
        made.add_node(node.id, **data)
    for (start, end), times in Counter(result.graph.edges).items():
        made.add_edge(start, end, times=times)
    return made


def load_graph(folder: str | Path) -> networkx.DiGraph:
    """The graph of an export, as `to_networkx` makes it; raises `ResultError` naming the file, runs no code from it."""
    nx, path = _networkx(), Path(folder) / JSON
    document = read_json(path, "export it again with --to networkx")
    try:
        graph = nx.node_link_graph(document, edges="edges")
        if not all("type" in data for _, data in graph.nodes(data=True)):
            raise KeyError("type")
        return graph
    except (KeyError, TypeError, AttributeError, nx.NetworkXError) as error:
        raise ResultError(f"{path}: is no graph in node-link form ({error!r}); export it again") from None


def _networkx() -> Any:
    try:
        import networkx
    except ModuleNotFoundError:
        raise ConfigError("this export needs the package networkx; pip install 'mixgraph[pyg]'") from None
    return networkx
