"""Exploration: what do the data look like, and what is odd about them?"""
