"""The overlay `production`, set up by the commands of docs/kubernetes.md, on stores outside."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from documents import commands
from stores_outside import PASSWORD, Outside, running_stores

from benchmarks.k8s.airflow import Airflow
from benchmarks.k8s.cluster import ROOT, SERVING, Cluster
from benchmarks.k8s.installation import WINES, connects, uninstall
from benchmarks.machine import rows_in
from contract.store.client import Store
from demo.tables import wine

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

PROBLEM = """\
apiVersion: perennial/v1
kind: Problem
name: cellar
question: Which grower made this wine?
target: { column: grower, task: multiclass }
source:
  bottles:
    { kind: postgres, connection: CELLAR, query: SELECT * FROM bottles, key: [bottle] }
models: { budget: 20s }
"""
LIFECYCLE = "cellar__lifecycle"
DOCUMENT = ROOT / "docs" / "kubernetes.md"


@dataclass(frozen=True)
class Production:
    """The platform of `ours`, the copy of `production`."""

    cluster: Cluster
    outside: Outside
    tree: Path
    variables: dict[str, str]

    def perennial(self, *arguments: str) -> Any:
        return self.cluster.perennial(
            *arguments, problems=self.tree / "problems", given=self.variables
        )

    @property
    def store(self) -> Store:
        return Store.from_environment(self.outside.environment)


@pytest.fixture(scope="module")
def production(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """Follow the document: a copy, what is ours in it, Secrets, an authority, and `up`.

    It takes quickstart's place, so this module comes behind those that share the cluster.
    """
    uninstall(cluster)
    (node, *_) = json.loads(cluster("get", "nodes", "-o", "json"))["items"]
    (address,) = (
        found["address"] for found in node["status"]["addresses"] if found["type"] == "InternalIP"
    )
    tree = tmp_path_factory.mktemp("production")
    for name in ("k8s", "problems"):
        shutil.copytree(ROOT / name, tree / name)
    with running_stores(address, tmp_path_factory.mktemp("outside")) as outside:
        fill(outside)
        shutil.copy(outside.authority, tree)
        variables = outside.environment | {
            "CELLAR": outside.connection("cellar"),
            "DATABASE": outside.connection("airflow", "postgresql+psycopg2"),
            "PERENNIAL_PATH": str(tree),
            "PERENNIAL_HOME": str(tree / "home"),
        }
        copied, secrets, authority, up = commands(DOCUMENT, "Stores of your own")
        cluster.shell(tree, copied, variables)
        write_ours(tree, outside, cluster)
        cluster.shell(tree, secrets, variables)
        cluster.shell(tree, authority, variables)
        cluster.shell(tree, up, variables)
        yield Production(cluster, outside, tree, variables)


def fill(outside: Outside) -> None:
    """Make Airflow's empty database, and one with the wines that its user may read."""
    server = outside.database("postgres")
    for name in ("airflow", "cellar"):
        server.execute(
            f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'",
            f"CREATE DATABASE {name} OWNER {name}",
        )
    database = outside.database("cellar")
    database.write("bottles", wine())
    database.execute("GRANT SELECT ON bottles TO cellar")


def write_ours(tree: Path, outside: Outside, cluster: Cluster) -> None:
    """Say in the copy what the document tells a person to say."""
    problem = tree / "problems" / "cellar"
    problem.mkdir()
    (problem / "problem.yaml").write_text(PROBLEM)
    ours = tree / "k8s" / "overlays" / "ours"
    change(
        ours / "store.env",
        "https://s3.us-east-1.amazonaws.com",
        outside.environment["AWS_ENDPOINT_URL"],
    )
    change(ours / "images" / "patch-images.yaml", "registry.example.com", "localhost")
    for file, before, port in (
        ("patch-egress-database.yaml", 5432, outside.database_port),
        ("patch-egress-sources.yaml", 5432, outside.database_port),
        ("patch-egress-store.yaml", 443, outside.store_port),
    ):
        change(ours / file, "0.0.0.0/0", f"{outside.address}/32")
        change(ours / file, f"port: {before}", f"port: {port}")
    change(ours / "kustomization.yaml", "problems/flights", "problems/cellar")
    change(
        ours / "kustomization.yaml",
        "  - images\n",
        "  - ../../components/private-authority\n  - images\n",
    )


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text, file
    file.write_text(text.replace(before, after))


@pytest.fixture(scope="module")
def first_run(production: Production) -> Any:
    return production.perennial("run", "cellar")


def test_the_cycle_runs_on_a_database_and_a_store_outside(
    first_run: Any, production: Production
) -> None:
    assert first_run["verdict"] == "accepted", first_run
    (entry,) = production.perennial("history", "cellar")["entries"]
    assert entry["kind"] == "deployed"
    assert rows_in(production.store, "cellar", "bottles") == WINES


def test_both_pods_serve_the_model(first_run: Any, production: Production, tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text(wine().head(2).drop(columns="grower").to_json(orient="records"))

    answer = production.perennial("predict", "cellar", "--file", str(rows))
    status = production.perennial("status", "cellar")
    deployment = production.cluster.get(SERVING, "deployment", "cellar-serving")

    assert deployment["status"]["readyReplicas"] == 2
    assert answer["model"] == status["champion"]["digest"] == status["service"]["digest"]


def test_airflow_shows_pages_and_logs_out_of_the_store(
    first_run: Any, production: Production
) -> None:
    with Airflow(production.cluster) as airflow:
        assert "task done" in airflow.log(LIFECYCLE, first_run["run"], "training")
        assert "<h1" in airflow.page(LIFECYCLE, first_run["run"], "evaluation")


def test_a_stage_reaches_the_store_and_only_a_reader_of_sources_a_database(
    production: Production,
) -> None:
    store = f"{production.outside.address}:{production.outside.store_port}"
    database = f"{production.outside.address}:{production.outside.database_port}"

    assert connects(production.cluster, store, database) == {store: "open", database: "shut"}


def test_of_two_pods_one_may_leave_at_a_time(first_run: Any, production: Production) -> None:
    labels = "perennial/problem=cellar,perennial/track=stable"
    names = [pod["metadata"]["name"] for pod in production.cluster.pods(SERVING, labels)]

    first, second = (evict(production.cluster, name) for name in names)

    assert first == "evicted"
    assert "violate the pod's disruption budget" in second
    production.cluster.wait_until_available(SERVING, "cellar-serving", 120)


def evict(cluster: Cluster, name: str) -> str:
    """Ask for an eviction, as the drain of a node does, and return what comes of it."""
    about = {"name": name, "namespace": SERVING}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": about}
    path = f"/api/v1/namespaces/{SERVING}/pods/{name}/eviction"
    try:
        cluster("create", "--raw", path, "-f", "-", given=json.dumps(body))
    except RuntimeError as error:
        return str(error)
    return "evicted"
