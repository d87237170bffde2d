"""An e-mail is sent by Airflow's own notifier, over a connection of the environment."""

import base64
from pathlib import Path
from typing import Any

import pytest
from fixtures_airflow import ask

pytestmark = pytest.mark.slow

INSIDE = Path(__file__).parent / "inside"


@pytest.fixture(scope="module")
def mail(airflow_environment: dict[str, str]) -> Any:
    """What the channel answered, and what a server of SMTP got."""
    return ask(INSIDE / "mail.py", airflow_environment)


def test_an_email_has_its_subject_text_and_receivers(mail: Any) -> None:
    got = "\n".join(mail["got"])

    assert mail["answer"] == "taken for ops@example.com, ada@example.com"
    assert "Subject: flights: 'fare' is <empty>." in got
    assert "From: perennial@example.com" in got
    assert "rcpt to:<ada@example.com>" in got.lower()
    text = base64.b64decode(got.rpartition("base64\n")[2].partition("--==")[0])
    assert b"&lt;empty&gt;" in text


def test_a_server_that_is_away_is_one_sentence(mail: Any) -> None:
    assert mail["away"].startswith("The SMTP server of $AIRFLOW_CONN_SMTP_DEFAULT did not take it")
