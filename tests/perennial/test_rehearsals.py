from pathlib import Path

import pytest

from contract.artifacts import Table
from contract.canonical_json import sha256
from contract.errors import InvalidRequest
from contract.problem import Problem, read_problem_text
from contract.rehearsal import RehearsalRequest
from contract.store.source_head import LandedPart, SourceHead, commit
from perennial.local.home import Home
from perennial.rehearsals import RehearsalOptions, write_request
from rehearsal.folder_store import FolderStore

PROBLEM = """\
apiVersion: perennial/v1
kind: Problem
name: churn
question: Will this customer leave?
target: { column: left }
source:
  customers: { kind: files, path: "*.csv", event_time: at }
"""


@pytest.fixture
def problem() -> Problem:
    return read_problem_text(PROBLEM, "problem.yaml")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore("bucket", tmp_path / "store")


def land(store: FolderStore, *bodies: bytes) -> None:
    parts = []
    for generation, body in enumerate(bodies, 1):
        key = f"churn/raw/customers/runs/r{generation}/{sha256(body)}.parquet"
        store.put(key, body)
        table = Table(uri=store.uri(key), sha256=sha256(body), bytes=len(body), rows=1)
        parts.append(LandedPart(run=f"r{generation}", generation=generation, table=table))
    head = SourceHead(generation=len(parts), parts=tuple(parts))
    before = store.get_with_etag("churn/raw/customers/HEAD.json")
    commit(store, "churn", "customers", head, before[1] if before else None)


def options(**given: object) -> RehearsalOptions:
    usual = {"days": 365, "scenario": "concept", "policy": {}, "history": None, "seed": 0}
    return RehearsalOptions.model_validate(usual | {"budget": "20s"} | given)


def test_a_rehearsal_begins_with_what_has_landed(
    home: Home, store: FolderStore, problem: Problem, tmp_path: Path
) -> None:
    land(store, b"one", b"two")

    request = write_request(home, store, problem, tmp_path / "problem.yaml", options())

    asked = RehearsalRequest.model_validate_json(request.read_text("utf-8"))
    parts = sorted((Path(asked.landed) / "customers").iterdir())
    assert [part.read_bytes() for part in parts] == [b"one", b"two"]
    assert asked.problem["name"] == "churn"


def test_what_was_asked_before_goes_on_in_its_folder(
    home: Home, store: FolderStore, problem: Problem, tmp_path: Path
) -> None:
    def asked(**given: object) -> Path:
        return write_request(home, store, problem, tmp_path / "problem.yaml", options(**given))

    land(store, b"one")
    first = asked()

    assert asked(days=500) == first
    assert asked(seed=1) != first
    assert asked(policy={"probe_gain": 0.5}) != first
    land(store, b"one", b"two")
    assert asked() != first


def test_without_landed_rows_nothing_can_be_rehearsed(
    home: Home, store: FolderStore, problem: Problem, tmp_path: Path
) -> None:
    with pytest.raises(InvalidRequest, match="perennial run churn"):
        write_request(home, store, problem, tmp_path / "problem.yaml", options())
