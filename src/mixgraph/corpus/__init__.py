"""Many songs: build a corpus of mixing graphs, keep it, check it, learn from it."""
