"""Extending by adding a file: classes register themselves, modules are discovered, others use entry points."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import entry_points
from typing import TypeVar, cast

from mixgraph.errors import ConfigError

T = TypeVar("T")
C = TypeVar("C")


class Registry(Mapping[str, T]):
    """Named things of one kind, found in the modules of one package and under one entry-point group."""

    def __init__(self, kind: str, package: str) -> None:
        self._kind = kind
        self._package = package
        self._items: dict[str, T] = {}
        self._searched = False

    def register(self, name: str) -> Callable[[C], C]:
        """Decorator: files the class under `name`. A name taken by something else raises `ConfigError`."""

        def file_under_name(item: C) -> C:
            taken = self._items.get(name)
            if taken is not None and getattr(taken, "__qualname__", None) != getattr(item, "__qualname__", None):
                raise ConfigError(f"two {self._kind}s are called '{name}'; rename one")
            self._items[name] = cast(T, item)
            return item

        return file_under_name

    def __getitem__(self, name: str) -> T:
        if name not in self:
            raise ConfigError(f"unknown {self._kind} '{name}'; known: {', '.join(self)}")
        return self._items[name]

    def __contains__(self, name: object) -> bool:
        return name in self._discovered()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._discovered()))

    def __len__(self) -> int:
        return len(self._discovered())

    def _discovered(self) -> dict[str, T]:
        if not self._searched:
            self._searched = True
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__, prefix=f"{self._package}."):
                importlib.import_module(module.name)
            for entry in entry_points(group=self._package):
                entry.load()
        return self._items
