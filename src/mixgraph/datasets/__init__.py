"""Collections of multitracks, one file each, discovered by name."""
