"""What a person sees who opens Airflow, by a real server and a real browser."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fixtures_airflow import AIRFLOW
from waiting import LIMIT_SECONDS, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def server(
    answers: Any, airflow_environment: dict[str, str], store_environment: dict[str, str]
) -> Iterator[str]:
    """Airflow's server over the database of `answers`; who comes is logged in as an admin."""
    assert answers
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    everybody = {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True"}
    words = ["-m", "airflow", "api-server", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [AIRFLOW, *words, "--workers", "1"],
        env=airflow_environment | store_environment | everybody,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers_now(url), "Airflow answers", poll_seconds=0.2)
        yield url
    finally:
        process.terminate()
        process.wait(LIMIT_SECONDS)


def answers_now(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v2/version", trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not installed.")
def test_the_problems_are_drawn_in_full_on_the_first_screen(server: str, tmp_path: Path) -> None:
    """The component gives its frame a height once the page in it has been read."""
    done = subprocess.run(
        [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-proxy-server",
            f"--user-data-dir={tmp_path}",
            "--window-size=1400,1200",
            "--virtual-time-budget=20000",
            "--dump-dom",
            f"{server}/",
        ],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=True,
    )

    (frame,) = re.findall(r'<iframe [^>]*title="Problems"[^>]*>', done.stdout)
    height = re.search(r"[; ]height: (\d+)px", frame)
    assert "/perennial/problems" in frame
    assert height is not None, frame
    assert int(height[1]) > 200  # an alert, a table and three ledgers
