"""Every setting of a search as a flag, generated from the models in `mixgraph.config`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from mixgraph.config import DEFAULT_PRESET, PRESETS, SearchConfig, Section, make_config

METAVARS: dict[Any, str] = {int: "N", float: "X", str: "TEXT"}


def add_settings(parser: argparse.ArgumentParser, *, omit: Collection[str] = ()) -> None:
    """Adds `--preset`, `--config` and one flag per setting, grouped by section, but for the settings in `omit`."""
    order = "The preset, overridden by the file, overridden by the flags below."
    sources = parser.add_argument_group("settings", order)
    sources.add_argument("--preset", choices=list(PRESETS), help=f"settings to start from (default {DEFAULT_PRESET})")
    sources.add_argument("--config", type=Path, metavar="FILE.toml", help="file with settings, by section")
    groups: dict[str, Any] = {"": sources}
    defaults = make_config(DEFAULT_PRESET)
    for section, name, field in leaves():
        if name in omit:
            continue
        if section not in groups:
            doc = type(getattr(defaults, section)).__doc__ or ""
            groups[section] = parser.add_argument_group(f"settings of [{section}]", doc.splitlines()[0])
        default = getattr(getattr(defaults, section) if section else defaults, name)
        _add_flag(groups[section], f"{section}.{name}", name, field, default)


def settings_of(options: argparse.Namespace) -> SearchConfig:
    """The settings of a parsed command line; raises `ConfigError`."""
    changes: dict[str, Any] = {}
    for section, name, _ in leaves():
        given = getattr(options, f"{section}.{name}", None)
        if given is not None:
            (changes.setdefault(section, {}) if section else changes)[name] = given
    return make_config(options.preset or DEFAULT_PRESET, file=options.config, changes=changes)


def leaves() -> Iterator[tuple[str, str, FieldInfo]]:
    """Section, name and field of every setting, those outside any section (section "") last."""
    outside = []
    for section, field in SearchConfig.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, Section):
            yield from ((section, name, leaf) for name, leaf in model.model_fields.items())
        else:
            outside.append(("", section, field))
    yield from outside


def _add_flag(group: Any, dest: str, name: str, field: FieldInfo, default: Any) -> None:
    flag = f"--{name.replace('_', '-')}"
    text = f"{field.description} (default {_shown(default)})".replace("%", "%%")
    if field.annotation is bool:
        group.add_argument(flag, dest=dest, action=argparse.BooleanOptionalAction, default=None, help=text)
    elif get_origin(field.annotation) is Literal:
        group.add_argument(flag, dest=dest, choices=get_args(field.annotation), help=text)
    else:
        listed = get_origin(field.annotation) is tuple
        metavar = "N,N,..." if listed else METAVARS.get(field.annotation, "VALUE")
        group.add_argument(flag, dest=dest, type=_reader(field, listed), metavar=metavar, help=text)


def _reader(field: FieldInfo, listed: bool) -> Callable[[str], Any]:
    """Checks one value as the model would, so that the error names the flag."""

    def read(text: str) -> Any:
        # Made here and not with the parser: forty of these would cost a tenth of a second.
        checked: Any = Annotated[field.annotation, field]  # pyright: ignore[reportInvalidTypeForm]
        adapter = TypeAdapter(checked, config=ConfigDict(allow_inf_nan=False))
        try:
            return adapter.validate_python([part.strip() for part in text.split(",")] if listed else text)
        except ValidationError as error:
            fault = error.errors()[0]["msg"]
            raise argparse.ArgumentTypeError(f"{text!r}: {fault[0].lower()}{fault[1:]}") from None

    return read


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(str(item) for item in value) if isinstance(value, tuple) else str(value)
