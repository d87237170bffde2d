"""A canary shows what it can on a share of the requests; whatever is wrong, the champion serves."""

import http.client
import json
import os
import random
import socket
import socketserver
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from bundle_factory import ROW, Keys, Made, make_bundle, upload
from fake_cluster import FakeCluster, route
from service_process import API_KEY, wait_for

import bundle
from contract import Store
from contract.canonical import sha256
from tasks.deployment import bake, canary, checks, place
from tasks.deployment.canary import NOTES, Notes, notes_of
from tasks.deployment.client import Client
from tasks.deployment.cluster import Cluster

pytestmark = pytest.mark.slow  # services take seconds to start

ROOT = Path(__file__).parents[3]
STEPS = "steps: [25%, 50%], bake: 600ms, min_requests: 20"
CANARY = f"{{replicas: 2, rollout: {{canary: {{{STEPS}, max_hold: 30s}}}}}}"
IMPATIENT = f"{{replicas: 2, rollout: {{canary: {{{STEPS}, max_hold: 1s}}}}}}"
PORT = 8080


@pytest.fixture(scope="module")
def problem_name() -> str:
    return f"p-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
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
        words = ["-m", "serving", problem_name, "--host", address, "--port", str(PORT)]
        processes.append(subprocess.Popen([sys.executable, *words], env=environment, cwd=ROOT))
        found[name] = address
    try:
        for address in found.values():
            wait_for(lambda address=address: is_ready(address))
        yield found
    finally:
        for process in processes:
            process.terminate()
            process.wait(60)


@pytest.fixture
def cluster(  # noqa: PLR0917 - a cluster is made of all that
    ground: Any,
    store: Store,
    models: dict[str, Made],
    addresses: dict[str, str],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[FakeCluster]:
    """A cluster that serves the champion, and a way in for the stage."""
    for made in models.values():
        upload(store, ground.problem, made)
    ground.crown(models["old"])
    (tmp_path / "token").write_text("t")
    with FakeCluster(ground.problem) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.addresses = {"stable": [addresses["old"]], "canary": [addresses["new"]]}
        pin = [{"name": "MODEL_DIGEST", "value": models["old"].digest}]
        template = {"spec": {"containers": [{"name": "serving", "env": pin}]}}
        server.change(server.stable, {"spec": {"template": template}})

        def found(problem: str) -> Cluster:
            # The Service chooses among the pods of the Deployment, which have one model here.
            new = server.digest(server.stable) == models["new"].digest
            return Cluster(
                problem,
                "serving",
                server.url,
                tmp_path,
                service=f"http://{addresses['new' if new else 'old']}:{PORT}",
                canary_service=f"http://{addresses['new']}:{PORT}",
            )

        def follow(name: str, _body: dict[str, Any]) -> None:
            """Let the champion's pods be those of the model that is rolled out."""
            if name == server.stable:
                which = "new" if server.digest(name) == models["new"].digest else "old"
                server.addresses["stable"] = [addresses[which]]
                clusters[0].stable.url = f"http://{addresses[which]}:{PORT}"

        clusters = [found(ground.problem)]
        server.after = follow
        monkeypatch.setattr("tasks.deployment.task.environment_cluster", lambda _: clusters[0])
        monkeypatch.setattr(bake, "LOOK_SECONDS", 0.05)
        monkeypatch.setattr(place, "UNASKED_SECONDS", 0.3)
        monkeypatch.setattr(place, "UNASKED_LIMIT_SECONDS", 1.5)
        yield server
        server.shutdown()
        thread.join()


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


def ask(address: str, stop: threading.Event) -> None:
    draw = random.Random(7)
    connection = http.client.HTTPConnection(address, PORT, timeout=20)
    headers = {"authorization": f"Bearer {API_KEY}"}
    while not stop.wait(0.004):
        row = ROW | {"age": draw.uniform(18, 80), "income": draw.uniform(100, 3000)}
        connection.request("POST", "/v1/predict", json.dumps(row), headers)
        connection.getresponse().read()
    connection.close()


def is_ready(address: str) -> bool:
    connection = http.client.HTTPConnection(address, PORT, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class Sick(ThreadingHTTPServer):
    """A pod that tells what a test wants it to tell."""

    def __init__(self, told: dict[str, Any]) -> None:
        address = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.1"
        super().__init__((address, PORT), Tells)
        self.told = told


class Tells(BaseHTTPRequestHandler):
    server: Sick

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        body = json.dumps(self.server.told).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Door(socketserver.ThreadingTCPServer):
    """A Service, whose rules lead every new connection to the pod at `leads_to`."""

    daemon_threads = True

    def __init__(self, leads_to: str) -> None:
        super().__init__(("127.0.0.1", 0), Passes)
        self.leads_to = leads_to

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Passes(socketserver.BaseRequestHandler):
    server: Door

    def handle(self) -> None:
        with socket.create_connection((self.server.leads_to, PORT)) as pod:
            for end in (pod, self.request):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=pass_on, args=(pod, self.request))
            back.start()
            pass_on(self.request, pod)
            back.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    while content := source.recv(65_536):
        target.sendall(content)
    target.shutdown(socket.SHUT_WR)


@pytest.fixture
def door(
    ground: Any,
    addresses: dict[str, str],
    cluster: FakeCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Door]:
    """The Service of the champion's pods, as a process of its own."""
    with Door(addresses["old"]) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        found = Cluster(ground.problem, "serving", cluster.url, tmp_path, service=server.url)
        monkeypatch.setattr("tasks.deployment.task.environment_cluster", lambda _: found)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def sick() -> Iterator[Callable[[dict[str, Any]], str]]:
    servers: list[tuple[Sick, threading.Thread]] = []

    def begin(told: dict[str, Any]) -> str:
        server = Sick(told)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return str(server.server_address[0])

    yield begin
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def kinds(ground: Any) -> list[str]:
    return [line.kind for line in ground.ledger]


def is_asleep(cluster: FakeCluster) -> bool:
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


def test_a_canary_that_is_as_good_becomes_champion(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told
    assert ground.champion == models["new"].digest
    assert kinds(ground) == ["progress", "progress", "progress", "deployed"]
    assert is_asleep(cluster)
    assert "after 2 steps of a canary" in told["facts"]["reason"]
    woken = [body["spec"]["replicas"] for _, body in cluster.patches if "replicas" in _spec(body)]
    assert woken == [1, 2, 0]  # of 2 beside it: a third, a half, none
    names = [name for name, body in cluster.patches if "template" in _spec(body)]
    assert names == [cluster.canary, cluster.canary, cluster.stable]
    assert "33% of the requests, by 1 of 3 pods." in ground.ledger[0].reason
    assert "50% of the requests, by 2 of 4 pods; so far " in ground.ledger[1].reason


def _spec(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body.get("spec", {})
    return found


def test_the_page_shows_what_each_step_showed(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    ground.deploy(models["new"], serving=CANARY)
    prefix = f"{ground.problem}/runs/run-2/deployment/"
    (key,) = [key for key in ground.store.keys(prefix) if key.endswith(".html")]
    page = ground.store.get(key).decode()

    assert "beside it, the champion" in page


def test_a_canary_that_fails_requests_is_taken_back(
    ground: Any,
    models: dict[str, Made],
    cluster: FakeCluster,
    world: None,
    sick: Callable[[dict[str, Any]], str],
) -> None:
    new = models["new"].digest
    tally = {"statuses": {"200": 10, "500": 4000}, "edges": [], "seconds": [], "scores": {}}
    cluster.addresses["canary"].append(sick({"digest": new, "models": {new: tally}}))

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "returned"), told
    assert "The canary failed 4000 of" in told["facts"]["reason"]
    assert kinds(ground) == ["progress", "returned"]
    assert (ground.champion, cluster.digest(cluster.stable)) == (models["old"].digest,) * 2
    assert is_asleep(cluster)
    assert {name for name, _ in cluster.patches} == {cluster.canary}


def test_a_canary_that_crashes_is_taken_back_at_once(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = {"state": {}, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    pods = cluster.pods

    def with_crash(track: str) -> list[dict[str, Any]]:
        baking = notes_of(cluster.deployments[cluster.canary])
        found = pods(track)
        if track == "canary" and baking is not None and baking.step_began is not None:
            found[0]["status"]["containerStatuses"] = [crashed]
        return found

    monkeypatch.setattr(cluster, "pods", with_crash)
    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "returned"), told
    assert "ended with OOMKilled" in told["facts"]["reason"]
    assert is_asleep(cluster)


def test_too_few_requests_hold_a_canary_and_then_end_it(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    code, told = ground.deploy(models["new"], serving=IMPATIENT)

    assert (code, told["outcome"]) == (0, "returned"), told
    assert told["facts"]["reason"].startswith("After 1s of holding the canary was asked 0 of 20")
    assert kinds(ground) == ["progress", "hold", "returned"]
    assert "it holds until" in ground.ledger[1].reason
    assert is_asleep(cluster)


def test_a_second_deployment_leaves_a_baking_canary_alone(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    other = notes(models, run="run-1", minutes=-5)
    note(cluster, other)

    for serving in (CANARY, "{rollout: rolling}"):
        code, told = ground.deploy(models["new"], serving=serving)

        assert code == 75
        assert told["why"].startswith("The run run-1 has had ")
        assert f"kubectl scale deployment/{cluster.canary} --replicas 0" in told["why"]
    assert notes_of(cluster.deployments[cluster.canary]) == other
    assert cluster.patches == []
    assert ground.ledger == []


def test_whoever_claims_second_loses(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have found the place free; the version of the Deployment decides."""
    found = canary.CanaryDeployment.found

    def then_another(self: canary.CanaryDeployment) -> dict[str, Any]:
        seen = found(self)
        note(cluster, notes(models, run="run-1", minutes=0))
        return seen

    monkeypatch.setattr(canary.CanaryDeployment, "found", then_another)
    code, told = ground.deploy(models["new"], serving=CANARY)

    assert code == 75
    assert "was answered 409: the object has been modified" in told["why"]


def test_a_canary_whose_run_is_long_gone_gives_its_place(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    note(cluster, notes(models, run="run-1", minutes=-300))

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told


def test_a_stage_that_was_lost_goes_on_where_it_was(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    """Its second step had begun, and is not begun again."""
    began = datetime.now(UTC)
    change = {"step": 1, "step_began": began, "before": 0}
    mine = notes(models, run="run-2", minutes=-1).model_copy(update=change)
    note(cluster, mine)
    cluster.change(cluster.canary, {"spec": {"replicas": 2, "paused": False}})

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told
    assert [line.id for line in ground.ledger] == [
        "run-2/progress/1",
        "run-2/progress/2",
        "run-2/deployed",
    ]


def test_a_stage_that_was_lost_after_its_last_step_rolls_out(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    """The champion's pods had been told already, and the champion had not moved."""
    note(cluster, notes(models, run="run-2", minutes=-1).model_copy(update={"step": 2}))
    pinned = [{"name": "MODEL_DIGEST", "value": models["new"].digest}]
    template = {"spec": {"containers": [{"name": "serving", "env": pinned}]}}
    cluster.change(cluster.stable, {"spec": {"template": template}})
    cluster.after(cluster.stable, {})

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told
    assert ground.champion == models["new"].digest
    assert is_asleep(cluster)


def test_a_champion_that_moves_meanwhile_keeps_its_place(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, make: Callable[..., Made]
) -> None:
    other = make("other", bias=0.5)
    cluster.after = when_baking(cluster, lambda: ground.crown(other, "by hand"))

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "returned"), told
    assert told["facts"]["reason"].startswith("The champion was moved while the canary baked")
    assert cluster.digest(cluster.stable) == ground.champion == other.digest
    assert is_asleep(cluster)


def test_a_rollout_that_is_undone_meanwhile_ends_the_canary(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    """As `kubectl rollout undo` does it: the champion is pinned again, which the ledger names."""
    undone = [{"name": "MODEL_DIGEST", "value": "c" * 64}]
    template = {"spec": {"containers": [{"name": "serving", "env": undone}]}}
    body = {"spec": {"template": template}}
    cluster.after = when_baking(cluster, lambda: cluster.change(cluster.stable, body))

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "returned"), told
    assert told["facts"]["reason"].startswith("Somebody else has rolled out another model in ")
    assert cluster.digest(cluster.stable) == models["old"].digest
    assert is_asleep(cluster)


def test_a_person_ends_a_canary_by_scaling_it_down(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    body = {"spec": {"replicas": 0}}
    cluster.after = when_baking(cluster, lambda: cluster.change(cluster.canary, body))

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "returned"), told
    assert "scaled" in told["facts"]["reason"]
    assert "from 1 pods to 0" in told["facts"]["reason"]


def test_an_apply_in_mid_bake_changes_nothing(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    """The manifest says `paused`, and nothing of replicas or a digest."""
    body = {"spec": {"paused": True}}

    def apply() -> None:
        cluster.change(cluster.canary, body)
        cluster.deployments[cluster.canary]["spec"]["paused"] = False  # its pods stay as they are

    cluster.after = when_baking(cluster, apply)

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told


def test_an_api_that_is_away_for_a_moment_ends_nothing(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    cluster.after = when_baking(cluster, lambda: cluster.refusals.extend([500, 503, 429]))

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told


def test_an_api_that_stays_away_has_the_stage_tried_again(
    ground: Any,
    models: dict[str, Made],
    cluster: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bake, "AWAY_SECONDS", 0.1)
    cluster.after = when_baking(cluster, lambda: cluster.refusals.extend([500] * 500))

    code, _ = ground.deploy(models["new"], serving=CANARY)
    cluster.refusals.clear()

    assert code == 75
    kept = notes_of(cluster.deployments[cluster.canary])
    assert kept is not None
    assert (kept.run, cluster.replicas(cluster.canary)) == ("run-2", 1)


def test_a_first_model_has_nobody_to_be_compared_with(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    ground.store.delete(f"{ground.problem}/champion.json")

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told
    assert kinds(ground) == ["deployed"]
    assert {name for name, _ in cluster.patches} == {cluster.stable}


def test_without_a_canary_in_the_problem_pods_are_replaced_one_by_one(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    code, told = ground.deploy(models["new"])

    assert (code, told["outcome"]) == (0, "deployed"), told
    assert {name for name, _ in cluster.patches} == {cluster.stable}


def test_a_cluster_without_a_canary_still_replaces_pods_one_by_one(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    cluster.is_old = True

    code, told = ground.deploy(models["new"])

    assert (code, told["outcome"]) == (0, "deployed"), told


def test_a_canary_that_the_cluster_does_not_have_is_asked_wrongly(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    cluster.is_old = True

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert code == 2
    assert "apply the problem's kustomization" in told["why"]


def test_a_rollout_that_is_not_done_is_waited_for_before_a_canary_is_woken(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a rollback: beside pods that change nobody can be judged."""
    seen, moments = cluster.seen, iter([True, True, False])

    def rolling(name: str) -> dict[str, Any]:
        found = seen(name)
        if name == cluster.stable and next(moments, False):
            found["status"]["updatedReplicas"] = 1
            assert not any(patched == cluster.canary and _spec(b) for patched, b in cluster.patches)
        return found

    monkeypatch.setattr(cluster, "seen", rolling)
    code, told = ground.deploy(models["new"], serving=IMPATIENT)

    assert (code, told["outcome"]) == (0, "returned"), told
    assert told["facts"]["reason"].startswith("After 1s of holding")


def test_a_route_parts_the_requests_where_there_is_one(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    cluster.route = route(ground.problem)

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told
    assert cluster.weights == [[75, 25], [50, 50], [100, 0]]
    assert "25% of the requests, by the route." in ground.ledger[0].reason


def test_weights_that_an_apply_puts_back_are_moved_again(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    def apply() -> None:
        cluster.route = route(ground.problem)

    cluster.route = route(ground.problem)
    cluster.after = when_baking(cluster, apply)

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told
    assert cluster.weights[:2] == [[75, 25], [75, 25]]


def test_a_canary_keeps_its_pods_until_the_gateway_asks_them_no_more(
    ground: Any, models: dict[str, Made], addresses: dict[str, str], cluster: FakeCluster
) -> None:
    """New weights take their time to come through."""
    cluster.route = route(ground.problem)
    moments: dict[str, float] = {}
    follow = cluster.after

    def note_the_end(name: str, body: dict[str, Any]) -> None:
        follow(name, body)
        if name == cluster.canary and _spec(body).get("replicas") == 0:
            moments["asleep"] = time.monotonic()

    def part(stop: threading.Event) -> None:
        while cluster.weights[-1:] != [[100, 0]]:
            time.sleep(0.01)
        time.sleep(0.6)
        moments["unasked"] = time.monotonic()
        stop.set()

    cluster.after = note_the_end
    stop = threading.Event()
    threads = [threading.Thread(target=ask, args=(a, stop)) for a in addresses.values()]
    threads.append(threading.Thread(target=part, args=(stop,), daemon=True))
    for thread in threads:
        thread.start()
    code, told = ground.deploy(models["new"], serving=CANARY)
    for thread in threads:
        thread.join()

    assert (code, told["outcome"]) == (0, "deployed"), told
    assert moments["asleep"] > moments["unasked"]


def test_a_service_that_leads_to_an_old_pod_for_a_moment_is_asked_again(
    ground: Any,
    models: dict[str, Made],
    addresses: dict[str, str],
    cluster: FakeCluster,
    door: Door,
) -> None:
    """A cluster's rules follow a rollout in a second or two."""

    def follow() -> None:
        door.leads_to = addresses["new"]

    rules = threading.Timer(0.5, follow)
    cluster.after = lambda *_: rules.start()

    code, told = ground.deploy(models["new"])
    rules.join()

    assert (code, told["outcome"]) == (0, "deployed"), told
    assert ground.champion == models["new"].digest


def test_a_service_that_leads_to_an_old_pod_for_long_is_no_deployment(
    ground: Any,
    models: dict[str, Made],
    cluster: FakeCluster,
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "FOLLOW_SECONDS", 0.5)

    code, told = ground.deploy(models["new"])

    old, new = (models[name].digest[:12] for name in ("old", "new"))
    assert (code, told["outcome"]) == (0, "returned"), told
    assert f"answered with the model {old}, expected {new}" in told["facts"]["reason"]
    assert ground.champion == cluster.digest(cluster.stable) == models["old"].digest


@pytest.mark.parametrize("question", [checks.send_canaries, checks.measure])
def test_an_answer_of_another_model_proves_nothing(
    question: Callable[[Client, bundle.Model], object],
    models: dict[str, Made],
    addresses: dict[str, str],
) -> None:
    model = bundle.load(models["new"].folder, digest=models["new"].digest)
    url = f"http://{addresses['old']}:{PORT}"

    with Client(url, API_KEY) as client, pytest.raises(checks.AnotherModel, match="who moved it"):
        question(client, model)


def notes(models: dict[str, Made], run: str, minutes: float) -> Notes:
    began = datetime.now(UTC) + timedelta(minutes=minutes)
    return Notes(
        run=run,
        digest=models["new"].digest,
        champion=models["old"].digest,
        step=0,
        began=began,
        until=began + timedelta(minutes=30),
    )


def note(cluster: FakeCluster, kept: Notes) -> None:
    body = {"metadata": {"annotations": {NOTES: kept.canonical().decode()}}}
    cluster.change(cluster.canary, body)
