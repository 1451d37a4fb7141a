"""Where answers come from: OpenAI-compatible servers and the embedded offline model."""
