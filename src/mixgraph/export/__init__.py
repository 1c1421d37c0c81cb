"""Results as other programs want them, one file per format, discovered; each says how faithful it is."""
