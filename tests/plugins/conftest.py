"""A run whose stages have left pages in a real store, and what Airflow's server answers about it."""

import json
from pathlib import Path
from typing import Any

import pytest
from decision_factory import START, decision
from fixtures_airflow import airflow_environment, ask
from store_documents import put_manifest

from contract.alerts import AlertState, OpenAlert, OwnerFinding
from contract.canonical_json import sha256
from contract.store.alert_state import change_alerts
from contract.store.client import Store
from contract.store.layout import DayPageKey, DecisionKey, LedgerKey, ManifestKey, champion_key
from contract.store.writer import Out

__all__ = ["airflow_environment"]

# They run in the interpreter of Airflow.
collect_ignore_glob = ["inside/*"]

# Its manifest is another than the one that was named; a time is stored as microseconds.
SPLIT = {"sha256": "1" * 64, "facts": {"train": 336_776, "vault_from": 1_366_915_800_000_000}}
PAGE = "<!doctype html><title>Exploration</title><p>336,776 departures"


@pytest.fixture(scope="session")
def answers(
    airflow_environment: dict[str, str],
    store: Store,
    store_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """Every request by everyone: with no login, no role, as a viewer, as an admin."""
    store.put(champion_key("careful"), b"{}")
    store.put(str(LedgerKey("quiet", 0)), b'{"id": "cut o')
    decided = decision(1, "blocked_data_quality", sentence="'fare' is empty in every row.")
    store.put(str(DecisionKey("flights", decided.day)), decided.canonical())
    store.put(str(DayPageKey("flights", decided.day)), b"<!doctype html><p>The page of the day")
    finding = OwnerFinding(
        id="no_rows", sentence="No row came.", command="perennial status flights"
    )
    alert = OpenAlert(finding=finding, since=START, told=START)
    change_alerts(store, "flights", lambda _: AlertState(open=(alert,)))
    plan = {
        "validation": {"result": _damaged(store)},
        "exploration": {"result": _made(store, tmp_path_factory.mktemp("out"))},
        "split": {"result": _made(store, tmp_path_factory.mktemp("out")) | SPLIT},
        "selection": {"exit": 3, "result": {"why": "<b>one class</b> only; two are needed."}},
    }
    environment = airflow_environment | store_environment | {"PLAN": json.dumps(plan)}
    return ask(Path(__file__).parent / "inside" / "visits.py", environment)


def _damaged(store: Store) -> dict[str, Any]:
    """Return the words of a stage whose manifest has no page: its sha256 is the right one."""
    key, body = str(ManifestKey("flights", "one", "validation")), b'{"outputs": {}}'
    store.put(key, body)
    return {
        "manifest": store.uri(key),
        "sha256": sha256(body),
        "outcome": "made",
        "facts": {},
    }


def _made(store: Store, scratch: Path) -> dict[str, Any]:
    page = Out(store, "flights/runs/one/exploration", scratch).page("page", PAGE)
    key = ManifestKey("flights", "one", "exploration")
    manifest = put_manifest(store, key, outputs={"page": page})
    return {
        "manifest": store.uri(str(key)),
        "sha256": sha256(manifest.canonical()),
        "outcome": "made",
        "facts": {"warnings": 3},
    }
