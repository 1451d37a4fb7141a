"""Keeps the conversations of one kernel in step with its notebook and its store."""
