"""The scenario on a cluster: files land, and every claim is read back."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fake_airflow import Script
from fixtures_command import WAITS

from contract.champion import Champion
from contract.errors import InvalidRequest
from contract.store.client import Store
from contract.store.layout import champion_key
from demo.scenario.cluster_landing import land
from demo.scenario.wine_scenario import WineScenario
from perennial.console import Console
from perennial.kubernetes.cluster_location import ClusterLocation
from perennial.kubernetes.kubectl import Kubectl
from perennial.local.home import Home

pytestmark = pytest.mark.slow  # the outside world is a process that imports a data library

MADE = "c" * 64
TASKS = "perennial-tasks"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def landing(world: Any) -> None:
    """The volume on which files land."""
    claim = {"name": "landing", "namespace": TASKS}
    images = {"name": "images", "namespace": "perennial"}
    world.add(
        {"kind": "PersistentVolumeClaim", "metadata": claim},
        {"kind": "ConfigMap", "metadata": images, "data": {"tasks": "tasks:1"}},
    )


def test_files_land_through_a_pod_that_is_gone_afterwards(world: Any, landing: None) -> None:
    land(Kubectl(None), "land", {"wine/wine.csv": b"a,b\n1,2\n"})

    assert len(world.calls("create")) == 1
    assert world.find("Pod", "land", TASKS) is None


def test_files_that_cannot_be_written_are_said(world: Any, landing: None) -> None:
    world.write(pods_end="Failed", logs="Traceback\nOSError: No space left on device\n")

    with pytest.raises(InvalidRequest, match="could not land its files: OSError: No space left"):
        land(Kubectl(None), "land", {"wine/wine.csv": b""})

    assert world.find("Pod", "land", TASKS) is None


def test_a_cluster_without_the_volume_is_said(world: Any) -> None:
    with pytest.raises(InvalidRequest, match="has no volume 'landing' in perennial-tasks; add the"):
        land(Kubectl(None), "land", {})


@pytest.fixture
def deployed(script: Script, store: Store, name: str, pin: Callable[[str], None]) -> None:
    """A platform on which a run makes, judges and deploys a model."""
    pin(MADE)
    script.polls = [("success", {"training": "success", "evaluation": "success"})]
    script.polls += [("success", {"monitoring": "success"})]
    script.xcoms = {
        "training": {"return_value": {"outcome": "made", "facts": {"digest": MADE}}},
        "evaluation": {"return_value": {"outcome": "accepted", "facts": {}}},
        "monitoring": {"return_value": {"outcome": "ok", "facts": {}}},
    }
    found = Champion(digest=MADE, run="r", verdict=None, since=NOW, nonce="1")
    store.create(champion_key(name), found.canonical())


@pytest.mark.usefixtures("deployed")
def test_every_claim_of_the_scenario_is_read_back(
    home: Home,
    name: str,
    service: tuple[int, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("demo.scenario.wine_scenario.NAME", name)
    monkeypatch.setattr("demo.scenario.wine_scenario.TABLE", "wine")
    landed: dict[str, bytes] = {}
    with ClusterLocation(home, None, WAITS).connect() as platform:
        scenario = WineScenario(Console(as_json=True), platform, home, landed.update)
        scenario.run()

    claims = scenario.verification.claims
    assert [claim.found for claim in claims if not claim.holds] == []
    assert len(claims) == 5
    assert landed["wine/wine.csv"].count(b"\n") == 179
    asked = [body for path, _, body in service[1] if path == "/v1/predict_batch"]
    assert len(asked[0]["rows"]) == 20
    assert "grower" not in asked[0]["rows"][0]
