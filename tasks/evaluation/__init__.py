"""Evaluation: the gate between a model and the service."""
