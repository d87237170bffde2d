"""Airflow's REST API in a cluster, as the admin; it outlives the pod that answers."""

import time
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx

from benchmarks.k8s.cluster import PLATFORM, Cluster, moment, until

PATIENCE_SECONDS = 90
ENDED = frozenset({"success", "failed"})


class Airflow:
    """A client that opens its door again where the pod behind it has gone; to be used in a `with`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._tunnel = cluster.tunnel(PLATFORM, "api")
        self._client = httpx.Client(base_url=self._tunnel.url, trust_env=False, timeout=30)

    def __enter__(self) -> Self:
        """Log in."""
        self._tunnel.__enter__()
        password = self._cluster.secret(PLATFORM, "airflow-admin", "password")
        who = {"username": "admin", "password": password}
        answer = self._patiently("POST", "/auth/token", who)
        answer.raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Shut the door."""
        self._client.close()
        self._tunnel.__exit__(kind, error, trace)

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - parsed JSON
        """Return the answer of the REST API."""
        answer = self._patiently(method, f"/api/v2/{path}", body)
        answer.raise_for_status()
        return answer.json()

    def answers(self) -> bool:
        """Tell whether it answers now."""
        try:
            return self._client.get("/api/v2/version").is_success
        except httpx.TransportError:
            self._try_the_tunnel()
            return False

    def has(self, dag: str) -> bool:
        """Tell whether a DAG is known."""
        answer = self._patiently("GET", f"/api/v2/dags/{dag}")
        return answer.is_success and not answer.json()["is_stale"]

    def start(self, dag: str, run: str, conf: dict[str, Any]) -> None:
        """Start a run."""
        body = {"logical_date": None, "dag_run_id": run, "conf": conf}
        self.ask("POST", f"dags/{dag}/dagRuns", body)

    def state(self, dag: str, run: str) -> str:
        """Return the state of a run."""
        return str(self.ask("GET", _run(dag, run))["state"])

    def seconds(self, dag: str, run: str) -> float:
        """Return how long a run took that has ended."""
        found = self.ask("GET", _run(dag, run))
        return moment(found["end_date"]) - moment(found["start_date"])

    def wait(self, dag: str, run: str, seconds: float) -> dict[str, dict[str, Any]]:
        """Wait for a run's end and return its tasks by name."""
        until(lambda: self.state(dag, run) in ENDED, seconds, f"run {run} of {dag}")
        return self.tasks(dag, run)

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        """Return the tasks of a run by name."""
        found = self.ask("GET", f"{_run(dag, run)}/taskInstances?limit=100")["task_instances"]
        return {task["task_id"]: task for task in found}

    def result(self, dag: str, run: str, task: str, key: str = "return_value") -> Any:  # noqa: ANN401 - any JSON value
        """Return what a task told."""
        return self.ask("GET", f"{_run(dag, run)}/taskInstances/{task}/xcomEntries/{key}")["value"]

    def log(self, dag: str, run: str, task: str, attempt: int = 1) -> str:
        """Return the log of one try as Airflow shows it."""
        path = f"{_run(dag, run)}/taskInstances/{task}/logs/{attempt}"
        lines = self.ask("GET", path)["content"]
        return "\n".join(str(line.get("event", line)) for line in lines)

    def page(self, dag: str, run: str, task: str) -> str:
        """Return the page that a stage has made, as the UI shows it."""
        path = f"/perennial/page/{dag}?{urlencode({'run_id': run, 'task_id': task})}"
        answer = self._patiently("GET", path)
        answer.raise_for_status()
        return answer.text

    def _patiently(self, method: str, path: str, body: object = None) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._client.request(method, path, json=body)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                self._try_the_tunnel()
            else:
                is_away = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
                if not is_away or time.monotonic() > deadline:
                    return answer
            time.sleep(0.5)

    def _try_the_tunnel(self) -> None:
        try:
            self._tunnel.open_again()
        except RuntimeError:
            time.sleep(0.5)


def _run(dag: str, run: str) -> str:
    return f"dags/{dag}/dagRuns/{quote(run, safe='')}"
