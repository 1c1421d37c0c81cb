"""Processors as Faust: a library of what they compute, and one expression for each."""
