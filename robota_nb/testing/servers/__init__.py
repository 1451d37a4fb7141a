"""Local model servers for tests, good and bad."""
