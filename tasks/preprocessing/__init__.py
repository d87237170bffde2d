"""Preprocessing: one table, row by row, that fits nothing."""
