"""Suggestion: a first problem file from a person's data, that runs without editing."""
