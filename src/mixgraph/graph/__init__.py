"""Mixing graphs: nodes, edges, edits, JSON and type scheduling. Knows nothing of audio."""
