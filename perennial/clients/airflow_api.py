"""Airflow's REST API, as far as a run is started and watched through it."""

import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict

from contract.errors import InvalidRequest, NotFound, TryAgain
from perennial.waits import USUAL, Waits

REQUEST_SECONDS = 30  # the first request after a start imports lazily and takes 2-3 s
OUTAGE_SECONDS = 60  # a component that died is back well within
POLL_SECONDS = 0.5
ENDED = frozenset({"success", "failed"})


class _Response(BaseModel):
    # Airflow adds fields from version to version; those that are not used here are ignored.
    model_config = ConfigDict(frozen=True, extra="ignore")


class DagRun(_Response):
    """One run of a DAG."""

    dag_run_id: str
    state: str
    start_date: datetime | None = None
    end_date: datetime | None = None
    run_type: str = ""


class TaskInstance(_Response):
    """One task of a run."""

    task_id: str
    state: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    try_number: int = 0


class Airflow:
    """A client that signs in as one user."""

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        client: httpx.Client | None = None,
        *,
        waits: Waits = USUAL,
    ) -> None:
        self.waits = waits
        self._credentials = {"username": user, "password": password}
        # Without `trust_env` no proxy of the environment is used for loopback.
        self._client = client or httpx.Client(trust_env=False, timeout=REQUEST_SECONDS)
        self._url = url.rstrip("/")
        self._token: str | None = None

    def trigger(self, dag: str, conf: dict[str, Any]) -> str:
        """Start a run, once Airflow has seen the DAG; return the run's id.

        Raises:
            InvalidRequest: the DAG is paused or does not appear, or a parameter is invalid.
        """
        self._wait_for_dag(dag)
        # There is no logical date: a run's window is its own parameter.
        body = {"logical_date": None, "conf": conf}
        return DagRun.model_validate(
            self._request("POST", f"/api/v2/dags/{quote(dag)}/dagRuns", body)
        ).dag_run_id

    def run(self, dag: str, run: str) -> DagRun:
        """Return the state of a run."""
        return DagRun.model_validate(self._request("GET", _run_path(dag, run)))

    def runs(self, dag: str, limit: int = 20) -> list[DagRun]:
        """Return the runs of a DAG, newest first; none for a DAG that is not known."""
        path = f"/api/v2/dags/{quote(dag)}/dagRuns?order_by=-run_after&limit={limit}"
        try:
            page = self._request("GET", path)
        except NotFound:
            return []
        return [DagRun.model_validate(entry) for entry in page["dag_runs"]]

    def tasks(self, dag: str, run: str) -> list[TaskInstance]:
        """Return the tasks of a run in the order in which they began."""
        page = self._request("GET", f"{_run_path(dag, run)}/taskInstances?limit=100")
        tasks = [TaskInstance.model_validate(entry) for entry in page["task_instances"]]
        last = "9999"  # a task that has not started
        return sorted(
            tasks, key=lambda task: task.start_date.isoformat() if task.start_date else last
        )

    def xcom(self, dag: str, run: str, task: str, key: str = "return_value") -> Any:  # noqa: ANN401 - any JSON value
        """Return an XCom value of a task; None without one."""
        path = f"{_run_path(dag, run)}/taskInstances/{quote(task)}/xcomEntries/{quote(key)}"
        try:
            return self._request("GET", path)["value"]
        except NotFound:
            return None

    def _wait_for_dag(self, dag: str) -> None:
        deadline = time.monotonic() + self.waits.dag
        while True:
            try:
                details = self._request("GET", f"/api/v2/dags/{quote(dag)}")
            except NotFound:
                details = None
            if details is not None and not details.get("is_stale"):
                break
            if time.monotonic() > deadline:
                raise InvalidRequest(self._missing_dag_message(dag))
            time.sleep(POLL_SECONDS)
        if details["is_paused"]:
            sentence = (
                f"{dag} is paused, so a run would wait forever; "
                f"unpause it at {self._url}/dags/{quote(dag)} first."
            )
            raise InvalidRequest(sentence)

    def _missing_dag_message(self, dag: str) -> str:
        errors = self._request("GET", "/api/v2/importErrors?limit=1").get("import_errors", [])
        start = f"Airflow has no DAG {dag!r} after {self.waits.dag:g} s"
        if not errors:
            return f"{start}; is its problem file in the folder of problems?"
        last = str(errors[0]["stack_trace"]).strip().splitlines()[-1]
        return f"{start}; it could not read {errors[0]['filename']}: {last}"

    def _request(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - any JSON value
        if self._token is None:
            self._token = str(self._send("POST", "/auth/token", self._credentials)["access_token"])
        return self._send(method, path, body)

    def _send(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401 - any JSON value
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            response = self._client.request(
                method, f"{self._url}{path}", json=body, headers=headers
            )
        except httpx.HTTPError as error:
            sentence = (
                f"Airflow does not answer at {self._url} ({type(error).__name__}); "
                "see `perennial status`, or run `perennial up`."
            )
            raise TryAgain(sentence) from error
        if response.is_success:
            return response.json()
        raise _error(response, path)


def retry_while_away(call: Callable[[], Any], seconds: float = OUTAGE_SECONDS) -> Any:  # noqa: ANN401 - the call's own
    """Return what `call` returns; where Airflow is unreachable, repeat it for `seconds`.

    Raises:
        TryAgain: it was still unreachable then.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except TryAgain:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)


def _run_path(dag: str, run: str) -> str:
    # Run ids hold `+` and `:`.
    return f"/api/v2/dags/{quote(dag)}/dagRuns/{quote(run, safe='')}"


def _error(response: httpx.Response, path: str) -> Exception:
    try:
        detail = response.json().get("detail")
    except (ValueError, AttributeError):
        detail = None
    message = " ".join(str(detail or response.text or "no message").split())[:500]
    if response.status_code == HTTPStatus.NOT_FOUND:
        return NotFound(f"Airflow has no {path.partition('?')[0]}: {message}")
    if response.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return InvalidRequest(
            f"Airflow refused the credentials ({response.status_code}): {message}"
        )
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TryAgain(f"Airflow answered {response.status_code} for {path}: {message}")
    return InvalidRequest(f"Airflow refused the request ({response.status_code}): {message}")
