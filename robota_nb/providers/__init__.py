"""The providers: OpenAI-compatible servers, the embedded offline model, and what other packages bring."""
