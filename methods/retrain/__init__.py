"""Retraining: the answers to a change, and how each is judged on rows it has not seen."""
