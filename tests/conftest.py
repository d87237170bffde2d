"""What every test may ask for. Heavy fixtures are real servers on free loopback ports."""

import os
import uuid

import pytest

from contract.runtime.environment import NO_TELEMETRY

# Before any library is imported: no telemetry, and one thread for arithmetic.
os.environ |= {
    **NO_TELEMETRY,
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

pytest_plugins = ["fixtures_store"]


@pytest.fixture
def problem_name() -> str:
    """A problem of the test's own: tests share a store, and never a prefix."""
    return f"p-{uuid.uuid4().hex[:12]}"
