"""A Kubernetes API at the edge: it keeps pods, and lets each end as its problem's name says.

What is asked is kept too: the pods as they came in, and which were deleted.
"""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from answering import JsonHandler, JsonServer

LINE = json.dumps({"level": "info", "message": "task done", "rows": 7})
PODS = re.compile(r"/api/v1/namespaces/[^/]+/pods(?:/(?P<name>[^/]+))?(?P<log>/log)?")


class FakeApi(JsonServer):
    """Pods and events of any namespace; `plan` gives each problem its `refusal`, `status`, …

    `told_after` is the number of looks at a pod that still find it running.
    """

    def __init__(self, plan: dict[str, dict[str, Any]]) -> None:
        super().__init__(Answers)
        self.plan = plan
        self.pods: dict[str, dict[str, Any]] = {}
        self.made: dict[str, dict[str, Any]] = {}
        self.looks: Counter[str] = Counter()
        self.logs: Counter[str] = Counter()
        self.deleted: list[str] = []


class Answers(JsonHandler):
    """One request."""

    server: FakeApi

    def do_POST(self) -> None:
        body = self.read()
        problem = body["metadata"]["labels"]["perennial/problem"]
        refusal = self.server.plan[problem].get("refusal")
        if refusal:
            self.reply(refusal, {"kind": "Status", "message": "no, says the API", "code": refusal})
            return
        body["metadata"] |= {"uid": "u", "creationTimestamp": _now(), "resourceVersion": "1"}
        self.server.pods[body["metadata"]["name"]] = body
        self.server.made[problem] = body
        self.reply(201, body)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        found = PODS.fullmatch(url.path)
        if url.path.endswith("/events"):
            self.reply(200, {"kind": "EventList", "items": self._events(url.query)})
        elif found and found["log"]:
            self.server.logs[self._problem(found["name"])] += 1
            line = f"{_now()} {LINE}\n" if "timestamps=True" in url.query else f"{LINE}\n"
            self.send(200, line.encode(), "text/plain")
        elif found and found["name"]:
            self._pod(found["name"])
        elif found:
            pods = [self._seen(pod) for pod in self.server.pods.values()]
            wanted = parse_qs(url.query).get("labelSelector", [""])[0]
            self.reply(200, {"kind": "PodList", "items": [p for p in pods if _fits(p, wanted)]})
        else:
            self.reply(200, {"major": "1", "minor": "34"})

    def do_DELETE(self) -> None:
        name = urlsplit(self.path).path.rpartition("/")[2]
        pod = self.server.pods.pop(name, None)
        if pod is not None:
            self.server.deleted.append(pod["metadata"]["labels"]["perennial/problem"])
        self.reply(200 if pod else 404, pod or {})

    def _pod(self, name: str) -> None:
        pod = self.server.pods.get(name)
        problem = self._problem(name)
        self.server.looks[name] += 1
        if (
            pod is None
            or self.server.plan[problem].get("vanishes_at", 99) <= self.server.looks[name]
        ):
            self.server.pods.pop(name, None)
            self.reply(404, {"kind": "Status", "reason": "NotFound", "message": "gone"})
            return
        self.reply(200, self._seen(pod))

    def _seen(self, pod: dict[str, Any]) -> dict[str, Any]:
        plan = self.server.plan[pod["metadata"]["labels"]["perennial/problem"]]
        is_given = self.server.looks[pod["metadata"]["name"]] > plan.get("told_after", 0)
        return pod | {"status": plan["status"] if is_given else running()}

    def _problem(self, name: str) -> str:
        pod = self.server.pods.get(name)
        return str(pod["metadata"]["labels"]["perennial/problem"]) if pod else ""

    def _events(self, query: str) -> list[dict[str, Any]]:
        name = parse_qs(query)["fieldSelector"][0].rpartition("=")[2]
        pod = self.server.pods.get(name)
        result = self.server.plan[pod["metadata"]["labels"]["perennial/problem"]] if pod else {}
        about = {"kind": "Pod", "name": name}
        return [
            {
                "metadata": {"name": "e"},
                "involvedObject": about,
                "type": "Warning",
                "reason": "Failed",
                "message": message,
            }
            for message in result.get("events", [])
        ]


def ended(code: int, message: str, reason: str = "", **status: Any) -> dict[str, Any]:
    """Return the status of a pod whose container has ended."""
    terminated = {
        "exitCode": code,
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "message": message or None,
        "startedAt": _now(),
        "finishedAt": _now(),
    }
    phase = "Succeeded" if code == 0 else "Failed"
    return {"phase": phase, "containerStatuses": [_container({"terminated": terminated})]} | status


def running() -> dict[str, Any]:
    """Return the status of a pod whose container runs, as far as has been told."""
    state = {"running": {"startedAt": _now()}}
    return {"phase": "Running", "containerStatuses": [_container(state)]}


def waiting(reason: str, message: str | None) -> dict[str, Any]:
    """Return the status of a pod that never begins."""
    state = {"waiting": {"reason": reason, "message": message}}
    return {
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [_container(state)],
    }


def _container(state: dict[str, Any]) -> dict[str, Any]:
    named = {"name": "stage", "image": "tasks", "imageID": "", "ready": False, "restartCount": 0}
    return named | {"state": state}


def _fits(pod: dict[str, Any], selector: str) -> bool:
    labels = pod["metadata"]["labels"]
    equal = re.findall(r"(?:^|,)([^,!=]+)=([^,]*)", selector)
    return all(labels.get(name) == value for name, value in equal)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
