"""An accepted model is put into service, checked there and made champion; whatever fails goes back."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundle_factory import ROW, Keys, Made, make_keys
from service_process import API_KEY, Service
from waiting import wait_until

from bundle import signing
from contract.rollout.pointer import PointerTarget
from contract.service_protocol import InfoAnswer
from tasks.deployment.client import read_info
from tasks.deployment.environment import Machine
from tasks.deployment.task import DeploymentStage

pytestmark = pytest.mark.slow  # the service takes seconds to start

ROOT = Path(__file__).parents[3]


def test_the_first_model_becomes_champion(
    ground: Any, make: Callable[..., Made], serving: Service
) -> None:
    made = make("new")

    code, result = ground.deploy(made)

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert (ground.champion, ground.rollout) == (made.digest, made.digest)
    assert serving.ask("GET", "/info").json["digest"] == made.digest
    assert result["facts"]["url"] == serving.url
    assert 0 < result["facts"]["latency_p99"] < 5
    assert [(line.kind, line.digest, line.previous) for line in ground.ledger] == [
        ("deployed", made.digest, None)
    ]


@pytest.mark.parametrize("kind", ["multiclass", "regression"])
def test_other_tasks_are_deployed_as_well(
    ground: Any, make: Callable[..., Made], serving: Service, kind: str
) -> None:
    made = make("new", kind=kind)

    code, result = ground.deploy(made)

    assert (code, result["outcome"]) == (0, "deployed"), result


def test_a_better_model_replaces_the_champion(
    ground: Any, make: Callable[..., Made], serving: Service
) -> None:
    old, new = make("old"), make("new", bias=0.5)
    ground.deploy(old, "run-1")

    code, result = ground.deploy(new, "run-2")

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert ground.champion == new.digest
    assert [(line.digest, line.previous) for line in ground.ledger] == [
        (old.digest, None),
        (new.digest, old.digest),
    ]


def test_canary_rows_are_not_in_the_prediction_log(
    ground: Any, make: Callable[..., Made], serving: Service
) -> None:
    written = r"perennial_log_rows_written_total (\d+)"
    before = re.search(written, serving.ask("GET", "/metrics").body.decode())
    ground.deploy(make("new"))
    serving.ask("POST", "/v1/predict", ROW)

    def after() -> int:
        found = re.search(written, serving.ask("GET", "/metrics").body.decode())
        return int(found.group(1)) - int(before.group(1)) if found and before else 0

    assert wait_until(after, "a row is written") == 1


def test_a_model_that_the_service_refuses_is_taken_back(
    ground: Any, make: Callable[..., Made], serving: Service, tmp_path: Path, keys: Keys
) -> None:
    old, new = make("old"), make("new", bias=0.5)
    ground.deploy(old, "run-1")
    # The service trusts no longer whom this stage trusts.
    trusted = make_keys(tmp_path / "before")
    shutil.copytree(keys.folder, trusted.folder, dirs_exist_ok=True)
    ground.monkeypatch.setenv("PERENNIAL_VERIFY_KEYS", str(trusted.folder))
    stranger = signing.public_pem(signing.new_key())
    key = next(keys.folder.glob("*.pem"))
    kept = key.read_bytes()
    key.write_bytes(stranger)
    try:
        code, result = ground.deploy(new, "run-2")
    finally:
        key.write_bytes(kept)

    assert (code, result["outcome"]) == (0, "returned"), result
    assert "refused the model" in result["facts"]["reason"]
    assert (ground.champion, ground.rollout) == (old.digest, old.digest)
    assert serving.ask("GET", "/info").json["digest"] == old.digest
    assert [line.kind for line in ground.ledger] == ["deployed", "returned"]


def test_a_broken_bundle_never_reaches_the_service(
    ground: Any, make: Callable[..., Made], serving: Service
) -> None:
    old, new = make("old"), make("new", bias=0.5)
    ground.deploy(old, "run-1")
    swaps = serving.ask("GET", "/info").json["counts"]["swaps"]
    ground.store.put(f"{ground.problem}/models/sha256/{new.digest}/members/trees.tree", b"broken")

    code, result = ground.deploy(new, "run-2")

    assert (code, result["outcome"]) == (0, "returned"), result
    assert (ground.champion, ground.rollout) == (old.digest, old.digest)
    assert serving.ask("GET", "/info").json["counts"]["swaps"] == swaps


def test_a_service_that_is_too_slow_gets_its_old_model_back(
    ground: Any, make: Callable[..., Made], serving: Service
) -> None:
    old, new = make("old"), make("new", bias=0.5)
    ground.deploy(old, "run-1")

    code, result = ground.deploy(new, "run-2", limit="0.001ms")

    assert (code, result["outcome"]) == (0, "returned"), result
    assert "gates.latency_p99" in result["facts"]["reason"]
    assert (ground.champion, ground.rollout) == (old.digest, old.digest)
    serving.wait_until_serving(old.digest)


def test_a_first_model_that_fails_leaves_no_model(
    ground: Any, make: Callable[..., Made], serving: Service
) -> None:
    code, result = ground.deploy(make("new"), limit="0.001ms")

    assert (code, result["outcome"]) == (0, "returned"), result
    assert (ground.champion, ground.rollout) == (None, None)
    wait_until(lambda: serving.ask("GET", "/readyz").status == 503, "no model is served")


def test_a_deployment_that_was_made_is_not_written_down_twice(
    ground: Any, make: Callable[..., Made], serving: Service
) -> None:
    made = make("new")
    ground.deploy(made)
    ground.store.delete(f"{ground.problem}/runs/run-2/deployment/manifest.json")

    code, result = ground.deploy(made, verdict={"baseline": None, "rule": "first"})

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert len(ground.ledger) == 1


@pytest.mark.parametrize("pointer", ["rollout.json", "champion.json", "ledger/00000000.json"])
def test_a_deployment_that_was_killed_ends_right_when_run_again(
    ground: Any, make: Callable[..., Made], serving: Service, pointer: str
) -> None:
    made = make("new")
    key = f"{ground.problem}/{pointer}"
    before = ground.store.head(key)
    takes = ground.takes(f"{ground.problem}/runs/run-2", "run-2", made, {}, "5s")
    out = ground.store.uri(f"{ground.problem}/runs/run-2/deployment")
    process = subprocess.Popen(
        [sys.executable, "-m", "tasks", "deployment", *takes, "--out", out], cwd=ROOT
    )
    wait_until(lambda: ground.store.head(key) != before, f"{key} moves", poll_seconds=0.005)
    process.kill()
    process.wait()

    code, result = ground.deploy(made, verdict={"baseline": None, "rule": "first"})

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert (ground.champion, ground.rollout) == (made.digest, made.digest)
    assert [line.kind for line in ground.ledger] == ["deployed"]


def test_a_champion_that_moves_meanwhile_keeps_its_place(
    ground: Any, make: Callable[..., Made], serving: Service
) -> None:
    made, other = make("new"), make("other", bias=0.5)
    interferes = [lambda: ground.set_champion(other, "by hand")]

    def read_after_a_person(url: str) -> InfoAnswer | None:
        """The stage asks what is served once the model is rolled out."""
        if interferes and ground.rollout == made.digest:
            interferes.pop()()
        return read_info(url, API_KEY)

    ground.stage = DeploymentStage(
        lambda store, problem, _: Machine(PointerTarget(store, problem, read_after_a_person))
    )
    code, result = ground.deploy(made)

    assert (code, result["outcome"]) == (0, "returned"), result
    assert "champion.json" in result["facts"]["reason"]
    assert (ground.champion, ground.rollout) == (other.digest, other.digest)


def test_the_page_shows_the_checks(
    ground: Any, make: Callable[..., Made], serving: Service
) -> None:
    ground.deploy(make("new"))
    key = next(
        key
        for key in ground.store.keys(f"{ground.problem}/runs/run-2/deployment/")
        if key.endswith(".html")
    )

    page = ground.store.get(key).decode()

    assert "99 of 100 requests take" in page
    assert re.search(r"at most [\d.]+\N{NO-BREAK SPACE}(s|ms)<", page)
    assert "deployed" in page
