"""`python -m mixgraph`."""

from __future__ import annotations

import sys

from mixgraph.cli import main

if __name__ == "__main__":
    sys.exit(main())
