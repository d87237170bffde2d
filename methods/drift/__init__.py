"""Profiles of data and their comparison; knows no model and no table engine."""
