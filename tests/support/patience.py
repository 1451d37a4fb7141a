"""How long tests wait for what has to come."""

PATIENCE = 150
"""Seconds after which what has not come never will: far more than it takes on a busy machine."""
