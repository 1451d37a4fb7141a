"""Keeps one kernel's conversations, store and notebook in step. What happens is returned as values, never as words."""
