from pathlib import Path

import pytest
from fixtures_monitoring import MonitoredProblem

from contract.store.client import Store


@pytest.fixture
def monitored(store: Store, problem_name: str, tmp_path: Path) -> MonitoredProblem:
    return MonitoredProblem(store, problem_name, tmp_path)
