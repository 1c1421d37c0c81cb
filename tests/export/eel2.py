"""Runs JSFX: a translator of the part of EEL2 that our effects use into Python, written from REAPER's reference alone.

https://www.reaper.fm/sdk/js/js.php. What it does not know it refuses.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*|\.\d+)|([A-Za-z_]\w*)|(\+=|-=|\*=|/=|<=|>=|==|!=|&&|\|\||[-+*/%^<>=?:;,()\[\]]))")
COMPARE, CLOSE = ("<=", ">=", "==", "!=", "<", ">"), 1e-5
MEMORY = 1 << 20
PAGE = 65_536


class Eel:
    """Recursive descent over one section; makes lines of Python in which variables are globals called `v_name`."""

    def __init__(self, text: str) -> None:
        text = re.sub(r"//.*", "", text).strip()
        self.tokens: list[str] = []
        position = 0
        while position < len(text):
            match = TOKEN.match(text, position)
            if not match:
                raise SyntaxError(f"EEL2: {text[position : position + 40]!r}")
            self.tokens.append(match[0].strip())
            position = match.end()
        self.at = 0
        self.local: tuple[str, ...] = ()
        self.assigned: set[str] = set()
        self.functions: list[str] = []

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.next
        if wanted and token not in wanted:
            raise SyntaxError(f"EEL2: expected {wanted}, found {self.tokens[self.at : self.at + 5]}")
        self.at += 1
        return token

    def block(self, indent: str, *ends: str) -> list[str]:
        lines: list[str] = []
        while self.next and self.next not in ends:
            lines += self.statement(indent)
            if self.next == ";":
                self.take()
        return lines or [f"{indent}pass"]

    def statement(self, indent: str) -> list[str]:
        if self.next == "function":
            self.function()
            return []
        if self.next == "loop":
            self.take("loop")
            self.take("(")
            count = self.ternary()
            self.take(",")
            body = self.block(indent + " ", ")")
            self.take(")")
            return [f"{indent}for _ in range(int({count})):", *body]
        value = self.ternary()
        if self.next == "?":
            self.take()
            lines = [f"{indent}if {value}:", *self.branch(indent + " ")]
            if self.next == ":":
                self.take()
                lines += [f"{indent}else:", *self.branch(indent + " ")]
            return lines
        if self.next in ("+=", "-=", "*=", "/="):
            return [f"{indent}{value} {self.take()} {self.ternary()}"]
        chain = [value]
        while self.next == "=":
            self.take()
            chain.append(self.ternary())
        return [indent + " = ".join(chain)]

    def branch(self, indent: str) -> list[str]:
        if self.next != "(":
            return self.statement(indent)
        self.take("(")
        lines = self.block(indent, ")")
        self.take(")")
        return lines

    def function(self) -> None:
        self.take("function")
        name, names = self.take(), []
        self.take("(")
        while self.next != ")":
            names.append(self.take())
        self.take(")")
        inner = list(names)
        if self.next == "local":
            self.take("local")
            self.take("(")
            while self.next != ")":
                if (token := self.take()) != ",":
                    inner.append(token)
            self.take(")")
        self.local = tuple(inner)
        self.take("(")
        body = self.block(" ", ")")
        self.take(")")
        self.local = ()
        self.functions.append("\n".join([f"def f_{name}({', '.join(names)}):", " GLOBALS", *body]))

    def ternary(self) -> str:
        return self.binary(0)

    def binary(self, level: int) -> str:
        levels = [("||",), ("&&",), COMPARE, ("+", "-"), ("*", "/", "%"), ("^",)]
        if level == len(levels):
            return self.unary()
        left = self.binary(level + 1)
        while self.next in levels[level]:
            operator = self.take()
            right = self.binary(level + 1)
            spelt = {"||": "or", "&&": "and", "^": "**"}.get(operator, operator)
            left = f"(abs({left} - {right}) < {CLOSE})" if operator == "==" else f"({left} {spelt} {right})"
        return left

    def unary(self) -> str:
        if self.next == "-":
            self.take()
            return f"(-{self.unary()})"
        token = self.take()
        if token == "(":
            value = self.ternary()
            self.take(")")
        elif re.match(r"[\d.]", token):
            value = f"{float(token)!r}"
        elif self.next == "(":
            self.take("(")
            arguments = []
            while self.next != ")":
                arguments.append(self.ternary())
                if self.next == ",":
                    self.take()
            self.take(")")
            if token == "file_riff":  # writes into its arguments
                return f"{arguments[1]}, {arguments[2]} = f_file_riff({arguments[0]})"
            return f"f_{token}({', '.join(arguments)})"
        elif re.match(r"[A-Za-z_]\w*$", token):
            value = token if token in self.local else f"v_{token}"
            if token not in self.local:
                self.assigned.add(value)
        else:
            raise SyntaxError(f"EEL2: unexpected {token!r}")
        while self.next == "[":
            self.take("[")
            value = f"MEM[int({value} + {self.ternary()} + {CLOSE})]"
            self.take("]")
        return value


class Jsfx:
    """One effect, loaded from its file, with its sliders at their defaults."""

    def __init__(self, path: Path, sample_rate: int) -> None:
        head, *sections = re.split(r"^@(\w+).*$", path.read_text(), flags=re.MULTILINE)
        self.path = path
        self.files = dict(re.findall(r"^filename:(\d+),(.+)$", head, re.MULTILINE))
        self.sliders = {
            int(number): float(value) for number, value in re.findall(r"^slider(\d+):([-\d.]+)<", head, re.MULTILINE)
        }
        self.opened: dict[int, np.ndarray] = {}
        self.rate = self.channels = 0
        self.state: dict[str, Any] = {"MEM": [0.0] * MEMORY} | self._library()
        parsed = {name: Eel(text) for name, text in zip(sections[::2], sections[1::2], strict=True)}
        bodies = {name: eel.block(" ") for name, eel in parsed.items()}
        names = {name for eel in parsed.values() for name in eel.assigned} | {"v_spl0", "v_spl1", "v_pdc_delay"}
        self.state |= dict.fromkeys(names, 0.0) | {"v_srate": float(sample_rate)}
        # A function's own names shadow nothing: globals are spelt otherwise.
        declared = f"global {', '.join(sorted(names))}"
        source = [text.replace("GLOBALS", declared) for eel in parsed.values() for text in eel.functions]
        source += ["\n".join([f"def section_{name}():", f" {declared}", *body]) for name, body in bodies.items()]
        run = "def run(rows):\n global v_spl0, v_spl1\n for row in rows:\n  v_spl0, v_spl1 = row\n  section_sample()\n"
        exec("\n".join([*source, run, "  row[:] = v_spl0, v_spl1"]), self.state)
        self.sections = set(bodies)

    def process(self, signal: np.ndarray) -> np.ndarray:
        """`(2, samples)` through it from a fresh start; what it says is its latency is taken off."""
        for name in ("init", "slider"):
            self.state |= {f"v_slider{number}": value for number, value in self.sliders.items()}
            if name in self.sections:
                self.state[f"section_{name}"]()
        latency = round(self.state["v_pdc_delay"])
        rows = np.pad(signal, ((0, 0), (0, latency))).T.astype(float).tolist()
        self.state["run"](rows)
        return np.array(rows).T[:, latency:]

    def _library(self) -> dict[str, Any]:
        memory = self.state["MEM"] if hasattr(self, "state") else None

        def mem() -> list[float]:
            return memory if memory is not None else self.state["MEM"]

        def span(start: float, length: float) -> slice:
            first = int(start + CLOSE)
            return slice(first, first + int(length))

        def paged(start: float, length: float) -> slice:
            where = span(start, length)
            assert where.start // PAGE == (where.stop - 1) // PAGE, "crosses a page of 65536"
            return where

        def transform(start: float, size: float, kind: Any) -> None:
            where = paged(start, 2 * size)
            values = np.array(mem()[where]).view(complex)
            mem()[where] = kind(values).view(float).tolist()

        def convolve_c(target: float, other: float, size: float) -> None:
            one, two = (np.array(mem()[paged(place, 2 * size)]).view(complex) for place in (target, other))
            mem()[paged(target, 2 * size)] = (one * two).view(float).tolist()

        def memset(start: float, value: float, length: float) -> None:
            mem()[span(start, length)] = [value] * int(length)

        def memcpy(target: float, start: float, length: float) -> None:
            mem()[span(target, length)] = mem()[span(start, length)]

        def file_open(index: float) -> float:
            samples, self.rate = soundfile.read(self.path.parent / self.files[str(int(index))], always_2d=True)
            self.channels, self.opened = samples.shape[1], {1: samples.reshape(-1)}
            return 1.0

        def file_mem(handle: float, start: float, length: float) -> None:
            mem()[span(start, length)] = self.opened[int(handle)][: int(length)].tolist()

        return {
            **{f"f_{name}": getattr(math, name) for name in ("log", "exp", "ceil", "floor", "sqrt")},
            **{"f_min": min, "f_max": max, "f_memset": memset, "f_memcpy": memcpy, "f_convolve_c": convolve_c},
            # Neither direction is scaled. The order of bins is not told: only products of spectra are right in any.
            "f_fft": lambda start, size: transform(start, size, np.fft.fft),
            "f_ifft": lambda start, size: transform(start, size, lambda values: np.fft.ifft(values) * len(values)),
            "f_file_open": file_open,
            "f_file_riff": lambda handle: (self.channels, self.rate),
            "f_file_mem": file_mem,
            "f_file_close": lambda handle: self.opened.pop(int(handle)),
        }
