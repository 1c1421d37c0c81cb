"""Presets: a found graph used on other stems."""
