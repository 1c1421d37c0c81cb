"""Audio files, songs and their folders. Imports no torch."""
