"""A cluster in which a canary bakes: real services of two models, clients, and a fake API.

`ground`, on which it deploys, is of `tests/tasks/deployment/conftest.py`.
"""

import http.client
import json
import os
import random
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from answering import answering, running
from bundle_factory import ROW, Keys, Made, make_bundle, upload
from fake_cluster import FakeCluster
from fake_service import FakeService
from service_process import API_KEY
from waiting import LIMIT_SECONDS, wait_until

from contract.canonical_json import sha256
from contract.kubernetes import HTTP_PORT
from contract.service_protocol import PREDICT, READY
from contract.store.client import Store
from tasks.deployment.environment import ClusterEnvironment
from tasks.deployment.kubernetes.canary_deployment import NOTES, CanaryNotes, notes_of
from tasks.deployment.kubernetes.cluster import Cluster
from tasks.deployment.limits import Limits
from tasks.deployment.task import DeploymentStage

ROOT = Path(__file__).parents[2]
STEPS = "steps: [25%, 50%], bake: 600ms, min_requests: 20"
CANARY = f"{{replicas: 2, rollout: {{canary: {{{STEPS}, max_hold: 5m}}}}}}"
LIMITS = Limits(poll=0.05, idle=0.3, idle_timeout=1.5)
IMPATIENT = f"{{replicas: 2, rollout: {{canary: {{{STEPS}, max_hold: 1s}}}}}}"


@pytest.fixture(scope="session")
def problem_name() -> str:
    """A problem of their own: the service of the other tests follows that of theirs."""
    return f"p-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def models(
    store: Store, keys: Keys, problem_name: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Made]:
    """The champion, and a model whose scores differ in the fifth digit."""
    found = {}
    for name, bias in (("old", 0.0), ("new", 1e-5)):
        folder = tmp_path_factory.mktemp(name) / "bundle"
        found[name] = make_bundle(folder, problem_name, keys, bias=bias)
        upload(store, problem_name, found[name])
    return found


@pytest.fixture(scope="session")
def addresses(
    store: Store,
    keys: Keys,
    problem_name: str,
    models: dict[str, Made],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """Real services, each pinned to one model, at addresses of their own: pods have one port."""
    processes, found = [], {}
    for name, made in models.items():
        address = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}"
        environment = os.environ | {
            "MODEL_SOURCE": "pinned",
            "MODEL_DIGEST": made.digest,
            "PERENNIAL_HOME": str(tmp_path_factory.mktemp(f"home-{name}")),
            "PERENNIAL_VERIFY_KEYS": str(keys.folder),
            "PERENNIAL_API_KEY_SHA256": sha256(API_KEY.encode()),
            "DRAIN_SECONDS": "0",
        }
        words = ["-m", "serving", problem_name, "--host", address, "--port", str(HTTP_PORT)]
        processes.append(subprocess.Popen([sys.executable, *words], env=environment, cwd=ROOT))
        found[name] = address
    try:
        for address in found.values():
            wait_until(lambda address=address: is_ready(address), f"{address} is ready")
        yield found
    finally:
        for process in processes:
            process.terminate()
            process.wait(LIMIT_SECONDS)


@pytest.fixture
def cluster(
    ground: Any,
    models: dict[str, Made],
    addresses: dict[str, str],
    tmp_path: Path,
) -> Iterator[FakeCluster]:
    """A cluster that serves the champion, and a stage that deploys in it."""
    for made in models.values():
        upload(ground.store, ground.problem, made)
    ground.set_champion(models["old"])
    (tmp_path / "token").write_text("t")
    with running(FakeCluster(ground.problem)) as server:
        server.addresses = {"stable": [addresses["old"]], "canary": [addresses["new"]]}
        pin = [{"name": "MODEL_DIGEST", "value": models["old"].digest}]
        template = {"spec": {"containers": [{"name": "serving", "env": pin}]}}
        server.change(server.stable, {"spec": {"template": template}})
        connected = Cluster(
            ground.problem,
            "serving",
            server.url,
            API_KEY,
            tmp_path,
            stable_url=f"http://{addresses['old']}:{HTTP_PORT}",
            canary_url=f"http://{addresses['new']}:{HTTP_PORT}",
            poll_seconds=0.05,
        )

        def follow(name: str, _body: dict[str, Any]) -> None:
            """Let the champion's pods be those of the model that is rolled out."""
            if name == server.stable:
                which = "new" if server.digest(name) == models["new"].digest else "old"
                server.addresses["stable"] = [addresses[which]]
                connected.stable.url = f"http://{addresses[which]}:{HTTP_PORT}"

        server.after = follow
        ground.stage = DeploymentStage(lambda *_: ClusterEnvironment(connected), LIMITS)
        yield server


@pytest.fixture
def world(addresses: dict[str, str]) -> Iterator[None]:
    """Clients of both tracks, as the Service would part them."""
    stop = threading.Event()
    threads = [threading.Thread(target=ask, args=(a, stop)) for a in addresses.values()]
    for thread in threads:
        thread.start()
    yield
    stop.set()
    for thread in threads:
        thread.join()


def ask(address: str, stop: threading.Event, answered: list[str] | None = None) -> None:
    """Request predictions until `stop`; `answered` gets the address once for each."""
    draw = random.Random(7)
    connection = http.client.HTTPConnection(address, HTTP_PORT, timeout=LIMIT_SECONDS)
    headers = {"authorization": f"Bearer {API_KEY}"}
    while not stop.wait(0.004):
        row = ROW | {"age": draw.uniform(18, 80), "income": draw.uniform(100, 3000)}
        connection.request("POST", PREDICT, json.dumps(row), headers)
        connection.getresponse().read()
        if answered is not None:
            answered.append(address)
    connection.close()


def is_ready(address: str) -> bool:
    connection = http.client.HTTPConnection(address, HTTP_PORT, timeout=LIMIT_SECONDS)
    try:
        connection.request("GET", READY)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture
def service(
    ground: Any,
    addresses: dict[str, str],
    cluster: FakeCluster,
    tmp_path: Path,
) -> Iterator[FakeService]:
    """The Service of the champion's pods, which leads to the old ones until a test moves it."""
    with running(FakeService(addresses["old"])) as server:
        connected = Cluster(
            ground.problem, "serving", cluster.url, API_KEY, tmp_path, stable_url=server.url
        )
        ground.stage = DeploymentStage(lambda *_: ClusterEnvironment(connected), LIMITS)
        yield server


@pytest.fixture
def sick() -> Iterator[Callable[[dict[str, Any]], str]]:
    """Begins a pod that tells what a test wants, and returns its address."""
    with ExitStack() as pods:

        def begin(told: dict[str, Any]) -> str:
            address = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.1"
            pods.enter_context(answering(lambda _: (200, told), (address, HTTP_PORT)))
            return address

        yield begin


def kinds(ground: Any) -> list[str]:
    return [line.kind for line in ground.ledger]


def is_scaled_down(cluster: FakeCluster) -> bool:
    return not cluster.replicas(cluster.canary) and NOTES not in cluster.annotations(cluster.canary)


def when_baking(
    cluster: FakeCluster, act: Callable[[], None]
) -> Callable[[str, dict[str, Any]], None]:
    """Do something once, when the first step has begun."""
    follow, done = cluster.after, threading.Event()

    def after(name: str, body: dict[str, Any]) -> None:
        follow(name, body)
        notes = notes_of(cluster.deployments[cluster.canary])
        if not done.is_set() and notes is not None and notes.step_began is not None:
            done.set()
            act()

    return after


def spec_of(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body.get("spec", {})
    return found


def notes(models: dict[str, Made], run: str, minutes: float) -> CanaryNotes:
    began = datetime.now(UTC) + timedelta(minutes=minutes)
    return CanaryNotes(
        run=run,
        digest=models["new"].digest,
        champion=models["old"].digest,
        step=0,
        began=began,
        until=began + timedelta(minutes=30),
    )


def note(cluster: FakeCluster, kept: CanaryNotes) -> None:
    body = {"metadata": {"annotations": {NOTES: kept.canonical().decode()}}}
    cluster.change(cluster.canary, body)
