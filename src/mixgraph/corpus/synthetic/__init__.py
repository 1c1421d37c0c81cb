"""Songs whose mixing graph is known: drawn over dry tracks, rendered, and written as song folders."""
