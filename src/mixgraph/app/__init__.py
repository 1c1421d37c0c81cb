"""A local page for people who do not use terminals: songs, searches and results of one folder, in the browser."""
