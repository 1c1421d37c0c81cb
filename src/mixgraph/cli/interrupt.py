"""Ctrl-C and `kill`: asked once, a search stops after its step and can be resumed; asked twice, it ends at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Within this context a signal sets a flag once `arm` was called; before, nothing is worth a tidy stop."""

    def __init__(self) -> None:
        self._asked = False
        self.armed = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        # Only the main thread may set handlers; elsewhere whoever embeds us decides about signals.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def arm(self) -> None:
        """From now on there is progress that a tidy stop would keep."""
        self.armed = True

    def asked(self) -> bool:
        """Whether to stop."""
        return self._asked

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.armed:
            raise KeyboardInterrupt
        self._asked = True
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
