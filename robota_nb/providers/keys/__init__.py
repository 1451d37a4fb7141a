"""Where the keys of endpoints come from."""
