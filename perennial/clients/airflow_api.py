"""Airflow's REST API, as far as a run is started and watched through it."""

import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict

from contract.errors import AskedWrongly, NotFound, TryAgain

REQUEST_SECONDS = 30  # the first request after a start imports lazily and takes 2-3 s
DAG_SECONDS = 60  # a new problem is seen within 15 s; a busy machine is slower
OUTAGE_SECONDS = 60  # a component that died is back well within
POLL_SECONDS = 0.5
ENDED = frozenset({"success", "failed"})


class _Answer(BaseModel):
    # Airflow adds fields from version to version; those that we do not use are none of our business.
    model_config = ConfigDict(frozen=True, extra="ignore")


class DagRun(_Answer):
    """One run of a DAG."""

    dag_run_id: str
    state: str
    start_date: datetime | None = None
    end_date: datetime | None = None
    run_type: str = ""


class TaskInstance(_Answer):
    """One task of a run."""

    task_id: str
    state: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    try_number: int = 0


class Airflow:
    """A client with one user's token."""

    def __init__(
        self, url: str, user: str, password: str, client: httpx.Client | None = None
    ) -> None:
        self._who = {"username": user, "password": password}
        # Without `trust_env` a proxy of the surroundings is never asked for loopback.
        self._client = client or httpx.Client(trust_env=False, timeout=REQUEST_SECONDS)
        self._url = url.rstrip("/")
        self._token: str | None = None

    def trigger(self, dag: str, conf: dict[str, Any]) -> str:
        """Start a run, once Airflow has seen the DAG; return the run's id.

        Raises:
            AskedWrongly: the DAG is paused or does not come, or a parameter does not fit.
        """
        self._wait_for_dag(dag)
        # There is no logical date: a run's window is its own parameter.
        body = {"logical_date": None, "conf": conf}
        return DagRun.model_validate(
            self._ask("POST", f"/api/v2/dags/{quote(dag)}/dagRuns", body)
        ).dag_run_id

    def run(self, dag: str, run: str) -> DagRun:
        """Return the state of a run."""
        return DagRun.model_validate(self._ask("GET", _run_path(dag, run)))

    def runs(self, dag: str, limit: int = 20) -> list[DagRun]:
        """Return the runs of a DAG, newest first; none for a DAG that is not known."""
        path = f"/api/v2/dags/{quote(dag)}/dagRuns?order_by=-run_after&limit={limit}"
        try:
            found = self._ask("GET", path)
        except NotFound:
            return []
        return [DagRun.model_validate(entry) for entry in found["dag_runs"]]

    def tasks(self, dag: str, run: str) -> list[TaskInstance]:
        """Return the tasks of a run in the order in which they began."""
        found = self._ask("GET", f"{_run_path(dag, run)}/taskInstances?limit=100")
        tasks = [TaskInstance.model_validate(entry) for entry in found["task_instances"]]
        far = "9999"
        return sorted(tasks, key=lambda one: one.start_date.isoformat() if one.start_date else far)

    def xcom(self, dag: str, run: str, task: str, key: str = "return_value") -> Any:  # noqa: ANN401 - any JSON value
        """Return what a task told; None where it told nothing."""
        path = f"{_run_path(dag, run)}/taskInstances/{quote(task)}/xcomEntries/{quote(key)}"
        try:
            return self._ask("GET", path)["value"]
        except NotFound:
            return None

    def _wait_for_dag(self, dag: str) -> None:
        deadline = time.monotonic() + DAG_SECONDS
        while True:
            try:
                found = self._ask("GET", f"/api/v2/dags/{quote(dag)}")
            except NotFound:
                found = None
            if found is not None and not found.get("is_stale"):
                break
            if time.monotonic() > deadline:
                raise AskedWrongly(self._absence(dag))
            time.sleep(POLL_SECONDS)
        if found["is_paused"]:
            sentence = (
                f"{dag} is paused, so a run would wait for ever; "
                f"unpause it at {self._url}/dags/{quote(dag)} first."
            )
            raise AskedWrongly(sentence)

    def _absence(self, dag: str) -> str:
        errors = self._ask("GET", "/api/v2/importErrors?limit=1").get("import_errors", [])
        start = f"Airflow has no DAG {dag!r} after {DAG_SECONDS} s"
        if not errors:
            return f"{start}; is its problem file in the folder of problems?"
        last = str(errors[0]["stack_trace"]).strip().splitlines()[-1]
        return f"{start}; it could not read {errors[0]['filename']}: {last}"

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - any JSON value
        if self._token is None:
            self._token = str(self._send("POST", "/auth/token", self._who)["access_token"])
        return self._send(method, path, body)

    def _send(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401 - any JSON value
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            answer = self._client.request(method, f"{self._url}{path}", json=body, headers=headers)
        except httpx.HTTPError as error:
            sentence = (
                f"Airflow does not answer at {self._url} ({type(error).__name__}); "
                "see `perennial status`, or run `perennial up`."
            )
            raise TryAgain(sentence) from error
        if answer.is_success:
            return answer.json()
        raise _failure(answer, path)


def patiently(ask: Callable[[], Any], seconds: float = OUTAGE_SECONDS) -> Any:  # noqa: ANN401 - the answer
    """Return what `ask` returns; where Airflow is away, ask again for `seconds`.

    Raises:
        TryAgain: it stayed away.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except TryAgain:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)


def _run_path(dag: str, run: str) -> str:
    # Run ids hold `+` and `:`.
    return f"/api/v2/dags/{quote(dag)}/dagRuns/{quote(run, safe='')}"


def _failure(answer: httpx.Response, path: str) -> Exception:
    try:
        detail = answer.json().get("detail")
    except (ValueError, AttributeError):
        detail = None
    said = " ".join(str(detail or answer.text or "nothing").split())[:500]
    if answer.status_code == HTTPStatus.NOT_FOUND:
        return NotFound(f"Airflow knows no {path.partition('?')[0]}: {said}")
    if answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return AskedWrongly(f"Airflow refused the credentials ({answer.status_code}): {said}")
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TryAgain(f"Airflow answered {answer.status_code} for {path}: {said}")
    return AskedWrongly(f"Airflow refused the request ({answer.status_code}): {said}")
