"""Packages that only some of the corpus needs: asked for by name, with the line that installs them."""

from __future__ import annotations

from importlib.util import find_spec

from mixgraph.errors import ConfigError


def require(package: str, extra: str) -> None:
    """Raises `ConfigError` unless a package can be imported; the extra `extra` of mixgraph brings it."""
    if find_spec(package) is None:
        raise ConfigError(f"the package '{package}' is missing; pip install 'mixgraph[{extra}]'")
