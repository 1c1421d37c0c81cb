"""A result as one HTML page to look at and listen to: `write_report`. It needs no network, and no file beside it."""

from mixgraph.report.write import write_report

__all__ = ["write_report"]
