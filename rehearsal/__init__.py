"""Rehearsal: days of a problem through the real stages in one process, without a scheduler.

Above every room that runs, since it drives the stages as the DAGs do and answers rows as the
service does. Nothing of the product imports it; `perennial rehearse` starts it as a process.
"""
