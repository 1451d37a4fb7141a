"""Any OpenAI-compatible server, through the openai SDK."""
