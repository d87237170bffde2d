"""What every test may ask for. Heavy fixtures are real servers on free loopback ports."""

import os
import sys
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# The fixtures' own modules, what the end-to-end tests share, and the check of the manifests.
sys.path[:0] = [str(ROOT / name) for name in ("tests", "tests/end_to_end", "k8s")]

# Before any library is imported: no telemetry, and one thread for arithmetic.
os.environ |= {
    "GX_ANALYTICS_ENABLED": "false",
    "BENTOML_DO_NOT_TRACK": "True",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

pytest_plugins = ["fixtures_store"]


@pytest.fixture
def problem_name() -> str:
    """A problem of the test's own: tests share a store, and never a prefix."""
    return f"p-{uuid.uuid4().hex[:12]}"
