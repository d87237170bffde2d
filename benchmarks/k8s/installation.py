"""Quickstart on a cluster, with the wines' data landed: what tests and measurements begin with."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.k8s.airflow import Airflow
from benchmarks.k8s.cluster import PLATFORM, ROOT, SERVING, TASKS, Cluster, until
from benchmarks.machine import rows_in
from contract.store.client import Store
from contract.store.ledger import Ledger, LedgerEntry

PARTS = ("api", "scheduler", "dag-processor")
START_SECONDS = 300
WINES = 178
LAND_WINES = (ROOT / "demo" / "tables.py").read_text() + (
    "\nimport pathlib\nland('wine', pathlib.Path('/landing'))\n"
)

CONNECT = """
import socket, sys
for place in sys.argv[1:]:
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
        print(place, "open")
    except OSError:
        print(place, "shut")
"""


@dataclass(frozen=True)
class Installation:
    """A platform in a cluster that is up."""

    cluster: Cluster
    airflow: Airflow
    usable_seconds: float
    """From `kubectl apply` to an Airflow that takes a run; 0 where it was up already."""

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Yield the store, with the stages' own rights."""
        key = {
            name: self.cluster.secret(TASKS, "store", name)
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        }
        with self.cluster.tunnel(PLATFORM, "seaweedfs", 8333) as tunnel:
            place = {"AWS_ENDPOINT_URL": tunnel.url, "AWS_DEFAULT_REGION": "us-east-1"}
            yield Store.from_environment({**key, **place, "PERENNIAL_BUCKET": "perennial"})

    def ledger(self, problem: str) -> list[LedgerEntry]:
        """Return what was decided about a problem."""
        with self.store() as store:
            return Ledger(store, problem).entries()

    def rows(self, problem: str, source: str) -> int:
        """Return how many rows of a source were collected."""
        with self.store() as store:
            return rows_in(store, problem, source)

    def run(self, dag: str, run: str, conf: dict[str, Any], seconds: float = 600) -> dict[str, Any]:
        """Start a run, wait for its end, and return its tasks by name."""
        self.airflow.start(dag, run, conf)
        return self.airflow.wait(dag, run, seconds)

    def pinned(self, problem: str) -> str | None:
        """Return the digest in the pod template of a problem's service."""
        found = self.cluster.get(SERVING, "deployment", f"{problem}-serving")
        variables = found["spec"]["template"]["spec"]["containers"][0]["env"]
        named = {variable["name"]: variable.get("value") for variable in variables}
        return named.get("MODEL_DIGEST")


def overlay_of(tree: Path) -> Path:
    """Return quickstart; in the cluster for tests the one that names the addresses of its API."""
    name = "quickstart" if os.environ.get("KUBECONFIG") else "test"
    return tree / "k8s" / "overlays" / name


@contextmanager
def install(cluster: Cluster, tree: Path) -> Iterator[Installation]:
    """Apply quickstart, land the wines, and yield the platform once Airflow takes a run."""
    began = time.monotonic()
    cluster("apply", "-k", overlay_of(tree))
    give_source(cluster, "wine")
    cluster.wait_until_available(PLATFORM, "api", START_SECONDS)
    with Airflow(cluster) as airflow:
        until(lambda: airflow.has("wine__lifecycle"), START_SECONDS, "the DAG of wine")
        usable = time.monotonic() - began
        for part in PARTS:
            cluster.wait_until_available(PLATFORM, part, START_SECONDS)
        cluster.run_python("land-wine", LAND_WINES)
        yield Installation(cluster, airflow, usable)


def uninstall(cluster: Cluster) -> None:
    """Delete the namespaces, and wait until they have gone."""
    cluster("delete", "namespace", PLATFORM, TASKS, SERVING, "--ignore-not-found")


def give_source(cluster: Cluster, problem: str) -> None:
    """Make the Secret with the names that a problem's sources mention."""
    name = f"source-{problem}"
    arguments = ("create", "secret", "generic", name, "--from-literal=LANDING=/landing")
    made = cluster("-n", TASKS, *arguments, "--dry-run=client", "-o", "json")
    cluster("apply", "-f", "-", given=made)


def connects(cluster: Cluster, *addresses: str) -> dict[str, str]:
    """Return for each HOST:PORT whether a stage's pod, of no stage in particular, finds it open."""
    printed = cluster.run_python("connects", CONNECT, *addresses)
    return dict(line.split() for line in printed.splitlines())
