"""A platform of a machine that looks up, with a scripted Airflow and the tests' own store."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_airflow import Script, served

from perennial.local import processes
from perennial.local.credentials import credentials_file, make_credentials
from perennial.local.environment import remember_environment
from perennial.local.home import Home
from perennial.local.ports import PLATFORM_PORTS
from perennial.local.state import PlatformState, write_state


@pytest.fixture
def script() -> Iterator[Script]:
    with served(Script()) as found:
        yield found


@pytest.fixture
def name(
    home: Home,
    script: Script,
    store_environment: dict[str, str],
    problem_name: str,
    write_problem: Callable[..., Path],
) -> str:
    """A problem on a platform that looks up: this process stands for the supervisor."""
    write_problem(problem_name)
    ports = dict.fromkeys(PLATFORM_PORTS, 1)
    ports["airflow"] = int(script.url.rpartition(":")[2])
    ports["store"] = int(store_environment["AWS_ENDPOINT_URL"].rpartition(":")[2])
    home.ports.write_text(json.dumps(ports))
    made = vars(make_credentials(home)) | {
        "store_access_key": store_environment["AWS_ACCESS_KEY_ID"],
        "store_secret_key": store_environment["AWS_SECRET_ACCESS_KEY"],
        "airflow_password": script.password,
        "api_key": "the key",
    }
    credentials_file(home).write_text(json.dumps(made))
    remember_environment(home, {"LANDING": "/data"})
    write_state(home, PlatformState(supervisor=processes.ProcessRef.from_pid(os.getpid())))
    script.dags = {f"{problem_name}__lifecycle", f"{problem_name}__monitoring"}
    return problem_name
