"""Corpora for networks: songs as tensors, as heterogeneous graphs, and as networkx graphs."""
