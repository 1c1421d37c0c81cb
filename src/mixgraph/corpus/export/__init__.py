"""A corpus to take along: a portable copy, and its audio as FLAC or in tars."""
