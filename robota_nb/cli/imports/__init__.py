"""Conversations of other programs: read from what these export, listed, and put into a notebook, marked as foreign."""
