"""Everything that mixgraph raises on purpose, drawn once.

MixgraphError              anything a user can mend; the command line prints its one line and exits with 2
├── SongError              a song folder, a track or a mix
│   └── AudioFileError     one audio file
├── GraphError             a graph that is not a mixing graph
├── ConfigError            a setting, a TOML file or a flag
├── ResultError            a result folder or a checkpoint
└── OutputError            writing: the folder exists, the disk is full
"""

from __future__ import annotations


class MixgraphError(Exception):
    """A mistake that a user can mend: one line naming the file or value, what was expected and the cure."""


class SongError(MixgraphError):
    """A song folder that cannot be used as it is."""


class AudioFileError(SongError):
    """An audio file that cannot be used as it is."""


class GraphError(MixgraphError):
    """A graph that breaks a law of mixing graphs; names the offending node."""


class ConfigError(MixgraphError):
    """A setting with an unknown name or an impossible value."""


class ResultError(MixgraphError):
    """A result folder that is missing, incomplete or written by another version."""


class OutputError(MixgraphError):
    """An output that cannot be written."""
