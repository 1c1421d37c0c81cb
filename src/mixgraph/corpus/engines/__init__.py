"""Where the processes of a corpus's songs run: one engine per module, registered in `base.ENGINES`."""
