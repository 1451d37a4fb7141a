"""What models may call, and what they are to return: functions and types, as JSON schemas and back."""
