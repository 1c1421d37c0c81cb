"""One module per command: its docstring is the help, `configure` adds its arguments, `run` does it."""
