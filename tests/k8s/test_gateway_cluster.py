"""A canary behind a real Gateway, whose weights move while clients ask through it; and Airflow.

The Gateway's controller is that of the Ingresses as well.
"""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gateway_in_cluster as gateway
import httpx
import pytest
from authority import sign

from benchmarks.k8s.cluster import PLATFORM, SERVING, until
from benchmarks.k8s.installation import Installation
from benchmarks.k8s.trial import Trial
from benchmarks.k8s.tunnel import Tunnel
from contract.store.ledger import LedgerEntry

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

PROBLEM = "routed"
HOST = "models.example.com"  # of the component
AIRFLOW = "airflow.example.com"  # of the component `ingress`
REQUESTS, RATE = 15_000, 150.0
BAKE_SECONDS = 12
SHARES = (0.1, 0.4)  # two pods and a canary's one would part by thirds
SERVED = "{rollout: {canary: {steps: [10%, 40%], bake: 12s, min_requests: 50, max_hold: 60s}}}"
RUNS = {
    "first": {"bias": 0.0, "beats": None, "serving": SERVED},
    "baked": {"bias": 1e-5, "beats": "first", "serving": SERVED},
    "strange": {"bias": 3.0, "beats": "baked", "serving": SERVED},
}


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, and what it has signed for Airflow's name."""
    folder = tmp_path_factory.mktemp("signed")
    sign(f"DNS:{AIRFLOW}", folder)
    return folder


@pytest.fixture(scope="module")
def trial(
    platform: Installation, tree: Path, signed: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Trial]:
    """A problem with the component's route in front of it, its models, and an Ingress."""
    begun = Trial(platform.cluster, tree, PROBLEM)
    pair = (f"--cert={signed / 'server.crt'}", f"--key={signed / 'server.key'}")
    secrets = ((SERVING, "gateway-tls"), (PLATFORM, "airflow-tls"))
    for namespace, name in secrets:
        platform.cluster("-n", namespace, "create", "secret", "tls", name, *pair)
    gateway.install(platform.cluster, tmp_path_factory.mktemp("gateway"))
    try:
        begun.add_components("canary-gateway", "ingress")
        begun.begin(RUNS)
        yield begun
    finally:
        begun.close()
        gateway.remove(platform.cluster)
        for namespace, name in secrets:
            platform.cluster("-n", namespace, "delete", "secret", name)


@pytest.fixture(scope="module")
def observed(
    trial: Trial, platform: Installation, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """A first model, a canary that is as good, and a strange one, while clients ask."""
    result: dict[str, Any] = {"first": trial.deploy("first")}
    until(lambda: _is_accepted(trial), 60, "the route")
    trial.start_load("load", REQUESTS, 300, RATE, gateway.URL, f"--host={HOST}")
    stage = trial.start_deployment("baked")
    trial.until_baking()
    result["weights"] = [weights(trial)]
    result["applied"] = trial.cluster("apply", "-k", trial.overlay)
    result["seconds"] = until(
        lambda: weights(trial) == result["weights"][0], 30, "the weights again"
    )
    trial.until_baking(1)
    result["weights"].append(weights(trial))
    result["baked"] = trial.ended(stage)
    result["after"] = weights(trial)
    result["strange"] = trial.deploy("strange")
    result["after strange"] = weights(trial)
    result["load"] = trial.load_result("load", 300)
    result["log"] = trial.logged()
    result["ledger"] = [entry.model_dump(mode="json") for entry in platform.ledger(PROBLEM)]
    (tmp_path_factory.getbasetemp() / "routed.json").write_text(json.dumps(result, indent=1))
    return result


def weights(trial: Trial) -> dict[str, int]:
    found = trial.cluster.get(SERVING, "httproute", f"{PROBLEM}-serving")
    (rule,) = found["spec"]["rules"]
    return {entry["name"].rpartition("-")[2]: entry["weight"] for entry in rule["backendRefs"]}


def _is_accepted(trial: Trial) -> bool:
    found = trial.cluster.get(SERVING, "httproute", f"{PROBLEM}-serving").get("status", {})
    return any(gateway.holds(parent, "Accepted") for parent in found.get("parents", []))


def test_each_step_moves_the_weights_of_the_route(observed: dict[str, Any]) -> None:
    assert observed["weights"] == [{"stable": 90, "canary": 10}, {"stable": 60, "canary": 40}]
    assert observed["after"] == observed["after strange"] == {"stable": 100, "canary": 0}


def test_weights_that_an_apply_put_back_are_moved_again(observed: dict[str, Any]) -> None:
    # It had the manifest's weights for less time than it takes to look.
    assert (
        f"httproute.gateway.networking.k8s.io/{PROBLEM}-serving configured" in observed["applied"]
    )
    assert observed["seconds"] < BAKE_SECONDS


def test_a_canary_gets_its_share_of_the_requests_whatever_its_pods(
    observed: dict[str, Any], trial: Trial
) -> None:
    counts = observed["load"]["seconds"]
    begun = [
        entry.written.timestamp()
        for entry in map(LedgerEntry.model_validate, observed["ledger"])
        if entry.kind == "progress" and entry.reason.startswith("Step ")
    ]
    baked = counts[trial.papers["baked"]["digest"]]
    first = counts[trial.papers["first"]["digest"]]
    assert len(begun) >= len(SHARES)
    for began, share in zip(begun, SHARES, strict=False):
        # The last seconds of a step: an apply has put the first one's weights back for a while.
        seconds = [str(int(began) + number) for number in range(BAKE_SECONDS - 4, BAKE_SECONDS)]
        of_canary = sum(baked.get(second, 0) for second in seconds)
        of_champion = sum(first.get(second, 0) for second in seconds)
        assert of_canary + of_champion > 300
        assert of_canary / (of_canary + of_champion) == pytest.approx(share, abs=0.08)


def test_a_canary_that_is_as_good_becomes_champion(observed: dict[str, Any], trial: Trial) -> None:
    code, result = observed["baked"]

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert trial.pinned() == trial.papers["baked"]["digest"]


def test_a_model_that_decides_otherwise_is_taken_back(observed: dict[str, Any]) -> None:
    code, result = observed["strange"]

    assert (code, result["outcome"]) == (0, "returned"), result


def test_no_request_through_the_gateway_failed_and_each_answer_is_in_the_log(
    observed: dict[str, Any],
) -> None:
    load, log = observed["load"], observed["log"]

    assert (load["sent"], load["failed"]) == (REQUESTS, 0), load["failures"]
    assert log["rows"] == log["requests"] == load["answered"]
    assert log["fingerprint"] == load["fingerprint"]


def test_airflow_answers_by_tls_through_an_ingress_that_is_let_in(
    trial: Trial, signed: Path
) -> None:
    trusted = ssl.create_default_context(cafile=signed / "ca.crt")
    with trial.cluster.tunnel(gateway.NAMESPACE, "gateway", 443) as tunnel:

        def answers(status: int) -> bool:
            return _status(tunnel, trusted) == status

        until(lambda: answers(httpx.codes.SERVICE_UNAVAILABLE), 60, "a refusal")
        trial.cluster("label", "namespace", gateway.NAMESPACE, "perennial/ingress=true")
        until(lambda: answers(httpx.codes.OK), 60, "Airflow")


def _status(tunnel: Tunnel, trusted: ssl.SSLContext) -> int | None:
    """Ask for Airflow's version as a browser that finds AIRFLOW at the door; None: no answer."""
    url = tunnel.url.replace("http:", "https:")
    with httpx.Client(base_url=url, verify=trusted, trust_env=False) as client:
        try:
            return client.get(
                "/api/v2/version", headers={"host": AIRFLOW}, extensions={"sni_hostname": AIRFLOW}
            ).status_code
        except httpx.TransportError:
            tunnel.open_again()  # kubectl's way ends with a connection that the other side resets
            return None
