"""Pictures of mixing graphs in print quality, for papers and slides."""
