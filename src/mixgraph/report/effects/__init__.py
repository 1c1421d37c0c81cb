"""What a page says and draws of each processor type, one file each."""
