"""Every setting is a flag; flags override the file, which overrides the preset."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from mixgraph.cli.flags import leaves, settings_of
from mixgraph.cli.parser import parse
from mixgraph.config import PRESETS, SearchConfig, Section, make_config
from mixgraph.errors import ConfigError

LEAVES = {f"{section}.{name}".lstrip("."): (section, name, field) for section, name, field in leaves()}


def read(*flags: str) -> SearchConfig:
    return settings_of(parse(["search", "song", "-o", "out", *flags]))


def flatten(values: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= {f"{key}.{inner}": item for inner, item in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def another(field: Any, value: Any) -> tuple[str, Any]:
    """A value that is allowed and is not the default, as text and as it should be read."""
    if isinstance(value, tuple):
        return "64, 128", (64, 128)
    if get_origin(field.annotation) is Literal:
        choice = next(item for item in get_args(field.annotation) if item != value)
        return choice, choice
    if isinstance(value, str):
        return "eg", "eg"
    new = (value / 2 or 0.25) if isinstance(value, float) else value + 2
    return str(new), new


def test_leaves_are_all_settings_under_unique_names() -> None:
    assert set(LEAVES) == set(flatten(SearchConfig().model_dump()))
    assert len({name for _, name, _ in leaves()}) == len(LEAVES)
    assert all(field.description for _, _, field in leaves())


@pytest.mark.parametrize("key", LEAVES)
def test_each_flag_changes_its_setting_and_no_other(key: str) -> None:
    section, name, field = LEAVES[key]
    laptop = make_config("laptop")
    value = getattr(getattr(laptop, section) if section else laptop, name)
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        flags, expected = [f"--no-{flag[2:]}" if value else flag], not value
    else:
        text, expected = another(field, value)
        flags = [flag, text]
    before, after = flatten(laptop.model_dump()), flatten(read(*flags).model_dump())
    assert {name for name in before if before[name] != after[name]} == {key}
    assert after[key] == expected


@pytest.mark.parametrize("preset", PRESETS)
def test_precedence(preset: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("seed = 5\n[fit]\nconsole_steps = 7\nlearning_rate = 0.5\n")
    config = read("--preset", preset, "--config", str(file), "--learning-rate", "0.25")
    expected = flatten(make_config(preset).model_dump())
    expected |= {"seed": 5, "fit.console_steps": 7, "fit.learning_rate": 0.25}
    assert flatten(config.model_dump()) == expected


def test_help_groups_settings_by_section_with_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["search", "--help"])
    text = squeezed(capsys.readouterr().out)
    laptop = make_config("laptop")
    for section, field in SearchConfig.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            assert squeezed(f"settings of [{section}]:") in text
    for _, name, field in leaves():
        assert squeezed(f"--{name.replace('_', '-')}") in text
        assert squeezed(f"{field.description} (default") in text
    assert f"(default{laptop.fit.console_steps})" in text
    assert "--use-subgroups,--no-use-subgroups" in text
    assert "(default512,1024,4096)" in text


def squeezed(text: str) -> str:
    """Without blanks, so that it does not matter where lines break."""
    return "".join(text.split())


def test_console_has_no_rounds() -> None:
    options = parse(["console", "song", "-o", "out", "--console-steps", "5"])
    assert settings_of(options).fit.console_steps == 5
    with pytest.raises(ConfigError, match="--rounds"):
        parse(["console", "song", "-o", "out", "--rounds", "5"])


def test_flags_are_not_guessed_from_their_beginning() -> None:
    with pytest.raises(ConfigError, match="--round"):
        read("--round", "5")
