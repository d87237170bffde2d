"""What Airflow makes of the DAG folder, asked once a session."""

from pathlib import Path
from typing import Any

import pytest
from fixtures_airflow import airflow_environment, ask

__all__ = ["airflow_environment"]

# They run in the interpreter of Airflow, or stand in for the stages.
collect_ignore_glob = ["inside/*", "endings/*", "fake/*"]

INSIDE = Path(__file__).parent / "inside"


@pytest.fixture(scope="session")
def structure(airflow_environment: dict[str, str]) -> Any:
    """What Airflow reads out of the DAG folder."""
    return ask(INSIDE / "structure.py", airflow_environment)


@pytest.fixture(scope="session")
def cycle(airflow_environment: dict[str, str]) -> Any:
    """What came of whole runs, with fake stages."""
    return ask(INSIDE / "cycle.py", airflow_environment)
