"""What every test may ask for. Heavy fixtures are real servers on free loopback ports."""

import os
import uuid

import pytest
from hypothesis import HealthCheck, settings

from contract.runtime.environment import NO_TELEMETRY

# Before any library is imported: no telemetry, and one thread for arithmetic.
os.environ |= {
    **NO_TELEMETRY,
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

# No deadline and no complaint about slow examples: on a busy machine both fail what is right.
# Examples stay random, since each run then looks where none has looked; one that fails is printed
# as a line that reproduces it, and no folder of examples is kept: a fresh clone has none either.
settings.register_profile(
    "perennial",
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("perennial")

pytest_plugins = ["fixtures_store"]


@pytest.fixture
def problem_name() -> str:
    """A problem of the test's own: tests share a store, and never a prefix."""
    return f"p-{uuid.uuid4().hex[:12]}"
