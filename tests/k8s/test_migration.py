"""What brings Airflow's database to its version and makes the first user."""

import subprocess

import pytest
from fixtures_airflow import AIRFLOW, ROOT
from waiting import LIMIT_SECONDS

pytestmark = pytest.mark.slow


def test_a_password_may_begin_with_a_dash(airflow_environment: dict[str, str]) -> None:
    """As one of 64 that are drawn does."""
    manager = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
    given = {
        "PATH": f"{AIRFLOW.parent}:{airflow_environment['PATH']}",
        "AIRFLOW__CORE__AUTH_MANAGER": manager,
        "ADMIN_NAME": "admin",
        "ADMIN_PASSWORD": "-7Q-of-the-dice",
    }
    done = subprocess.run(
        ["sh", ROOT / "k8s" / "base" / "airflow" / "scripts" / "migrate.sh"],
        env=airflow_environment | given,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert 'User "admin" created with role "Admin"' in done.stdout
