"""The record: immutable entries, and the state that is their fold. Imports nothing above it."""
