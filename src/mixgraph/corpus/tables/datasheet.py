"""DATASHEET.md: what a corpus is, after Gebru et al., "Datasheets for Datasets" (doi 10.1145/3458723)."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.tables.stats import Row, corpus_stats
from mixgraph.errors import ConfigError
from mixgraph.files import write_bytes

DATASHEET: Final = "DATASHEET.md"
ANSWERS: Final = "datasheet.toml"


def write_datasheet(corpus: Corpus, rows: Sequence[Row]) -> None:
    """Writes the datasheet; `rows` are those of songs.parquet. Raises `OutputError`, `ConfigError` at bad answers."""
    write_bytes(corpus.folder / DATASHEET, datasheet(corpus, rows).encode())


def datasheet(corpus: Corpus, rows: Sequence[Row]) -> str:
    """The datasheet as Markdown, filled from the corpus and from its `datasheet.toml`."""
    from jinja2 import Environment, StrictUndefined

    source = files("mixgraph.corpus.tables").joinpath("datasheet.md.jinja").read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return environment.from_string(source).render(
        corpus=corpus,
        facts=corpus.facts,
        stats=corpus_stats(corpus, rows),
        versions=sorted({row["mixgraph_version"] for row in rows if row["mixgraph_version"]}),
        answers=read_answers(corpus),
    )


def read_answers(corpus: Corpus) -> dict[str, str]:
    """What people wrote into `datasheet.toml`; raises `ConfigError` naming what is no text."""
    file = corpus.folder / ANSWERS
    if not file.is_file():
        return {}
    try:
        answers = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read as TOML ({error}); mend the file") from None
    for key, value in answers.items():
        if not isinstance(value, str):
            raise ConfigError(f"{file}: {key} = {value!r}; write a text in quotes")
    return answers
