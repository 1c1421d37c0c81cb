"""Tables and figures of Lee et al., DAFx 2024 (arXiv 2406.01049), from results of ours, beside what was published."""
