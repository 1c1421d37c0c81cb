"""What a search minimises: the distance between two mixes, and what keeps the console plausible and small."""
