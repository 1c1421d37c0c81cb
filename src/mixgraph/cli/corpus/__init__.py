"""One module per command of `mixgraph corpus`: its docstring is the help, `configure` adds arguments, `run` does it."""
