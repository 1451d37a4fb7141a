"""Replay: its rules as a program, stories and histories of notebooks, and the core driven as that program is."""
