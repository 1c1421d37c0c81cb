"""Exit codes."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 2
"""A mistake that a user can mend: one line on stderr says which."""

STOPPED: Final = 130
"""128 + SIGINT, as shells count."""
