"""The names of the twelve stages, in the order of the cycle.

A stage's name is its package, its task id in Airflow, its word on the command line, in manifests,
pages and docs; `tests/test_stages_command.py` holds them together.
"""

from typing import Literal, get_args

Stage = Literal[
    "problem",
    "collection",
    "validation",
    "exploration",
    "preprocessing",
    "split",
    "selection",
    "tuning",
    "training",
    "evaluation",
    "deployment",
    "monitoring",
]
STAGES: tuple[Stage, ...] = get_args(Stage)
