from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures_command import PROBLEM

from perennial.local.credentials import make_credentials
from perennial.local.environment import (
    airflow_environment,
    mentioned_names,
    product_environment,
    remember_environment,
    remembered_environment,
    service_environment,
)
from perennial.local.home import Home
from perennial.local.ports import PLATFORM_PORTS, keep_ports

Write = Callable[..., Path]


@pytest.fixture
def ports(home: Home) -> dict[str, int]:
    return keep_ports(home.ports, [*PLATFORM_PORTS, "service-churn"])


def test_a_persons_own_settings_reach_no_child(
    home: Home, ports: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = (
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "VIRTUAL_ENV",
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
    )
    for name in names:
        monkeypatch.setenv(name, "1")
    made = make_credentials(home)

    airflow = airflow_environment(home, ports, made)
    service = service_environment(home, ports, made)

    assert [name for name in names if name in airflow or name in service] == []


def test_a_service_gets_no_private_key_and_no_api_key(home: Home, ports: dict[str, int]) -> None:
    made = make_credentials(home)

    found = service_environment(home, ports, made)

    assert "PERENNIAL_SIGNING_KEY" not in found
    assert "PERENNIAL_API_KEY" not in found
    assert made.api_key not in found.values()
    assert found["PERENNIAL_API_KEY_SHA256"] == made.api_key_sha256


def test_all_of_airflow_stays_on_loopback_and_reports_nothing(
    home: Home, ports: dict[str, int]
) -> None:
    found = airflow_environment(home, ports, make_credentials(home))

    assert found["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert found["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
    assert found["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"


def test_loopback_is_never_asked_through_a_proxy(home: Home, ports: dict[str, int]) -> None:
    found = product_environment(home, ports, make_credentials(home))

    assert found["NO_PROXY"] == found["no_proxy"] == "127.0.0.1,localhost"


def test_names_come_from_the_problem_files(home: Home, write_problem: Write) -> None:
    write_problem("churn")
    write_problem("broken", text="name: [")

    assert mentioned_names(home) == ["LANDING", "PERENNIAL_WEBHOOK"]


def test_an_alerts_channel_gets_its_address_of_the_environment(
    home: Home, write_problem: Write
) -> None:
    channel = "alerts: {{ channels: {{ team: {{ kind: slack, url: TEAM_URL }} }} }}\n"
    write_problem("churn", text=(PROBLEM + channel).format(name="churn"))

    assert mentioned_names(home) == ["LANDING", "PERENNIAL_WEBHOOK", "TEAM_URL"]


def test_values_that_an_up_found_are_there_for_the_next(home: Home, write_problem: Write) -> None:
    write_problem("churn")

    remember_environment(home, {"LANDING": "/data", "OTHER": "secret"})
    remember_environment(home, {})

    assert remembered_environment(home) == {"LANDING": "/data"}


def test_a_value_of_this_shell_replaces_the_remembered_one(
    home: Home, write_problem: Write
) -> None:
    write_problem("churn")

    remember_environment(home, {"LANDING": "/old"})
    remember_environment(home, {"LANDING": "/new"})

    assert remembered_environment(home) == {"LANDING": "/new"}
