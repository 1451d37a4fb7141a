"""What a turn costs, measured against the bare ``openai`` client: ``python -m benchmarks``."""
