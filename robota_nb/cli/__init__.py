"""The command line: ``robota-nb``, its tab completion, and what git calls."""
