"""Processes as forks of one interpreter that has imported their libraries."""
