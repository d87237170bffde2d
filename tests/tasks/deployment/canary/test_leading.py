"""What leads requests to a model: the weights of a route, and the rules of a Service, which lag."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from bundle_factory import Made
from fake_cluster import FakeCluster, route
from fake_service import FakeService
from fixtures_canary import CANARY, ask, spec_of, when_baking
from service_process import API_KEY
from waiting import LIMIT_SECONDS, wait_until

import bundle
from contract.kubernetes import HTTP_PORT
from tasks.deployment.client import Client
from tasks.deployment.latency import measure_latency
from tasks.deployment.verification import AnotherModel, send_golden_rows

pytestmark = pytest.mark.slow  # services take seconds to start


def test_a_route_parts_the_requests_where_there_is_one(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    cluster.route = route(ground.problem)

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert cluster.weights == [[75, 25], [50, 50], [100, 0]]
    assert "25% of the requests, by the route." in ground.ledger[0].reason


def test_weights_that_an_apply_puts_back_are_moved_again(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    def apply() -> None:
        cluster.route = route(ground.problem)

    cluster.route = route(ground.problem)
    cluster.after = when_baking(cluster, apply)

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert cluster.weights[:2] == [[75, 25], [75, 25]]


def test_a_canary_keeps_its_pods_until_the_gateway_asks_them_no_more(
    ground: Any, models: dict[str, Made], addresses: dict[str, str], cluster: FakeCluster
) -> None:
    """New weights take their time to come through."""
    limits = replace(ground.stage.limits, idle=1.0, idle_timeout=LIMIT_SECONDS)
    ground.stage = replace(ground.stage, limits=limits)
    cluster.route = route(ground.problem)
    answered: list[str] = []
    events: list[str] = []
    follow = cluster.after

    def note_the_end(name: str, body: dict[str, Any]) -> None:
        follow(name, body)
        if name == cluster.canary and spec_of(body).get("replicas") == 0:
            events.append("scaled down")

    def part(stop: threading.Event) -> None:
        wait_until(lambda: cluster.weights[-1:] == [[100, 0]], "the route leads to the champion")
        enough = answered.count(addresses["new"]) + 50
        wait_until(
            lambda: answered.count(addresses["new"]) >= enough, "the canary gets 50 requests more"
        )
        events.append("no requests")
        stop.set()

    cluster.after = note_the_end
    stop = threading.Event()
    threads = [threading.Thread(target=ask, args=(a, stop, answered)) for a in addresses.values()]
    threads.append(threading.Thread(target=part, args=(stop,), daemon=True))
    for thread in threads:
        thread.start()
    code, result = ground.deploy(models["new"], serving=CANARY)
    for thread in threads:
        thread.join()

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert events == ["no requests", "scaled down"]


def test_a_service_that_leads_to_an_old_pod_for_a_moment_is_asked_again(
    ground: Any,
    models: dict[str, Made],
    addresses: dict[str, str],
    cluster: FakeCluster,
    service: FakeService,
) -> None:
    """A cluster's rules follow a rollout in a second or two."""
    cluster.after = lambda *_: service.lead_later(addresses["new"])

    code, result = ground.deploy(models["new"])

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert ground.champion == models["new"].digest


def test_a_service_that_leads_to_an_old_pod_for_long_is_no_deployment(
    ground: Any,
    models: dict[str, Made],
    cluster: FakeCluster,
    service: FakeService,
) -> None:
    ground.stage = replace(ground.stage, limits=replace(ground.stage.limits, follow=0.5))

    code, result = ground.deploy(models["new"])

    old, new = (models[name].digest[:12] for name in ("old", "new"))
    assert (code, result["outcome"]) == (0, "returned"), result
    assert f"answered with the model {old}, expected {new}" in result["facts"]["reason"]
    assert ground.champion == cluster.digest(cluster.stable) == models["old"].digest


@pytest.mark.parametrize("question", [send_golden_rows, partial(measure_latency, limit=1.0)])
def test_an_answer_of_another_model_proves_nothing(
    question: Callable[[Client, bundle.Model], object],
    models: dict[str, Made],
    addresses: dict[str, str],
) -> None:
    model = bundle.load(models["new"].folder, digest=models["new"].digest)
    url = f"http://{addresses['old']}:{HTTP_PORT}"

    with Client(url, API_KEY) as client, pytest.raises(AnotherModel, match="who moved it"):
        question(client, model)
