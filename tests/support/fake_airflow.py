"""A server that answers as Airflow's REST API does, from a script that the test writes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from answering import Request, answering

START = "2026-01-01T00:00:00Z"
END = "2026-01-01T00:00:02.5Z"


@dataclass
class Script:
    """State of the server, and the requests it got."""

    password: str = "secret"
    dags: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    import_errors: list[dict[str, str]] = field(default_factory=list)
    polls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """For each poll of the run: its state, and the state of each task; the last one stays."""
    xcoms: dict[str, dict[str, Any]] = field(default_factory=dict)
    """XCom of each task by key."""
    runs: list[dict[str, Any]] = field(default_factory=list)
    conf: list[dict[str, Any]] = field(default_factory=list)
    """Of each run that was started."""
    url: str = ""

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return status and body."""
        if path == "/auth/token":
            right = body == {"username": "admin", "password": self.password}
            return (201, {"access_token": "t"}) if right else (401, {"detail": "Invalid"})
        found = re.fullmatch(r"/api/v2/dags/([^/?]+)(/.*|\?.*)?", path)
        if path.startswith("/api/v2/importErrors"):
            return 200, {"import_errors": self.import_errors}
        if found is None:
            return 200, {"dags": []}
        dag, rest = found[1], found[2] or ""
        if dag not in self.dags:
            return 404, {"detail": f"The Dag with ID: `{dag}` was not found"}
        return self._of_dag(method, dag, rest, body)

    def _of_dag(self, method: str, dag: str, rest: str, body: Any) -> tuple[int, Any]:
        if not rest:
            return 200, {"dag_id": dag, "is_paused": dag in self.paused, "is_stale": False}
        if method == "POST":
            assert body["logical_date"] is None
            self.conf.append(body["conf"])
            return 200, {"dag_run_id": "manual__2026-01-01T00:00:00+00:00", "state": "queued"}
        if rest.startswith("/dagRuns?"):
            return 200, {"dag_runs": self.runs}
        state, tasks = self.polls[0]
        if rest.endswith("/taskInstances?limit=100"):
            if len(self.polls) > 1:
                self.polls.pop(0)
            return 200, {"task_instances": [self._task(*task) for task in tasks.items()]}
        if "/xcomEntries/" in rest:
            task, key = rest.split("/")[4], rest.split("/")[6]
            value = self.xcoms.get(task, {}).get(key)
            return (200, {"value": value}) if value is not None else (404, {"detail": "none"})
        assert unquote(rest).endswith("+00:00")
        return 200, {"dag_run_id": "r", "state": state, "start_date": START, "end_date": END}

    def _task(self, name: str, state: str) -> dict[str, Any]:
        began = None if state == "upstream_failed" else START
        return {
            "task_id": name,
            "state": state,
            "start_date": began,
            "end_date": began and END,
            "try_number": 1,
        }


@contextmanager
def served(script: Script) -> Iterator[Script]:
    """Serve the script on a free port of loopback."""

    def answer(asked: Request) -> tuple[int, Any]:
        is_known = asked.path == "/auth/token" or asked.authorization == "Bearer t"
        return script.answer(asked.method, asked.path, asked.body) if is_known else (401, {})

    with answering(answer) as port:
        script.url = f"http://127.0.0.1:{port}"
        yield script
