"""Audio processors, one file each; adding a file with a registered class adds a processor."""
