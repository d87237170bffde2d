"""What e18a007 left, store and Airflow's database, is shown on the first screen of today's Airflow."""

import html
import json
import shutil
from pathlib import Path

import earlier_state
import pump
import pytest
from fixtures_airflow import ROOT, ask

from contract.store.client import Store

pytestmark = pytest.mark.slow


def test_the_first_screen_shows_who_serves_and_what_was_done(
    airflow_environment: dict[str, str],
    store: Store,
    store_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    for key, body in earlier_state.objects().items():
        store.put(key, body)
    database = tmp_path / "airflow.db"
    database.write_bytes(earlier_state.members()["airflow.db"])
    shutil.copytree(ROOT / "problems" / "wine", tmp_path / "problems" / "wine")
    (tmp_path / "problems" / "pump").mkdir()
    (tmp_path / "problems" / "pump" / "problem.yaml").write_text(pump.PROBLEM)
    changes = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database}",
        "PERENNIAL_PROBLEMS": str(tmp_path / "problems"),
    }

    answer = ask(
        Path(__file__).parent / "inside" / "earlier.py",
        airflow_environment | store_environment | changes,
    )

    assert answer["status"] == 200
    for problem in ("pump", "wine"):
        champion = json.loads(earlier_state.objects()[f"{problem}/champion.json"])
        assert champion["digest"][:12] in answer["body"]
    ledger = [
        json.loads(body)["reason"]
        for key, body in earlier_state.objects().items()
        if key.startswith(("pump/ledger/", "wine/ledger/"))
    ]
    shown = html.unescape(answer["body"])
    assert [reason for reason in ledger if reason not in shown] == []
