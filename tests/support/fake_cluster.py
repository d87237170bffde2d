"""A Kubernetes API at the edge: two Deployments that obey at once, their pods, and perhaps a route.

What a pod is, a test says: the address of a real service process, or of something that misbehaves.
"""

import copy
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from answering import JsonHandler, JsonServer

Resource = dict[str, Any]
NAMESPACE = "serving"


class FakeCluster(JsonServer):
    """Deployments `NAME-serving` and `NAME-serving-canary`."""

    def __init__(self, problem: str) -> None:
        super().__init__(Answers)
        self.problem = problem
        self.stable = f"{problem}-serving"
        self.canary = f"{problem}-serving-canary"
        self.deployments = {
            self.stable: _deployment(2, paused=False),
            self.canary: _deployment(1, paused=True),
        }
        self.addresses: dict[str, list[str]] = {"stable": [], "canary": []}
        """Where the pods of a track answer."""
        self.route: Resource | None = None
        self.weights: list[list[int]] = []
        """Of the route, as they were moved: the champion's, the canary's."""
        self.patches: list[tuple[str, Resource]] = []
        self.is_old = False
        """Whether the manifests were applied before there was a canary."""
        self.refusals: list[int] = []
        """Statuses with which the next requests are answered."""
        self.after: Callable[[str, Resource], None] = lambda _name, _body: None
        """Called after each patch and before its answer, as another person's doing."""
        self.lock = threading.RLock()

    def digest(self, name: str) -> str | None:
        """The digest that a Deployment pins."""
        variables = _variables(self.deployments[name])
        return variables.get("MODEL_DIGEST")

    def replicas(self, name: str) -> int:
        """The pods that a Deployment wants."""
        return int(self.deployments[name]["spec"]["replicas"])

    def annotations(self, name: str) -> dict[str, str]:
        """The annotations of a Deployment."""
        found: dict[str, str] = self.deployments[name]["metadata"]["annotations"]
        return found

    def change(self, name: str, body: Resource) -> None:
        """Patch a Deployment as kubectl would."""
        with self.lock:
            found = self.deployments[name]
            about = found["metadata"]
            about["generation"] += 1
            about["resourceVersion"] = str(int(about["resourceVersion"]) + 1)
            for key, value in body.get("metadata", {}).get("annotations", {}).items():
                if value is None:
                    about["annotations"].pop(key, None)
                else:
                    about["annotations"][key] = value
            spec = body.get("spec", {})
            found["spec"] |= {key: spec[key] for key in ("replicas", "paused") if key in spec}
            if "template" in spec:
                _pin(found, spec["template"]["spec"]["containers"][0]["env"])

    def seen(self, name: str) -> Resource:
        """A Deployment with its status: everything is done, unless it is paused without pods."""
        found = copy.deepcopy(self.deployments[name])
        wanted = 0 if found["spec"]["paused"] else found["spec"]["replicas"]
        counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), wanted)
        found["status"] = counts | {"observedGeneration": found["metadata"]["generation"]}
        return found

    def pods(self, track: str) -> list[Resource]:
        """The pods of a track."""
        name = self.stable if track == "stable" else self.canary
        if not self.replicas(name) or self.deployments[name]["spec"]["paused"]:
            return []
        env = [{"name": "MODEL_DIGEST", "value": self.digest(name)}]
        return [
            {
                "metadata": {"name": f"{name}-{address}"},
                "spec": {"containers": [{"name": "serving", "env": env}]},
                "status": {"podIP": address},
            }
            for address in self.addresses[track]
        ]


class Answers(JsonHandler):
    """One request."""

    server: FakeCluster

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        name = place.path.rpartition("/")[2]
        if self.server.refusals:
            self.reply(self.server.refusals.pop(0), {"message": "not now"})
        elif name == self.server.canary and self.server.is_old:
            self.reply(403, {"message": "no right"})
        elif name == "pods":
            selector = parse_qs(place.query)["labelSelector"][0]
            track = selector.rpartition("perennial/track=")[2]
            self.reply(200, {"items": self.server.pods(track)})
        elif "httproutes" in place.path:
            route = self.server.route
            self.reply(200 if route else 404, route or {"message": "no matches for kind"})
        else:
            self.reply(200, self.server.seen(name))

    def do_PATCH(self) -> None:
        name = self.path.rpartition("/")[2]
        body = self.read()
        if "httproutes" in self.path:
            assert self.server.route is not None
            self.server.route["spec"]["rules"] = body["spec"]["rules"]
            (rule,) = body["spec"]["rules"]
            self.server.weights.append([entry["weight"] for entry in rule["backendRefs"]])
            self.reply(200, self.server.route)
            return
        version = body.get("metadata", {}).get("resourceVersion")
        if version not in {None, self.server.deployments[name]["metadata"]["resourceVersion"]}:
            self.reply(409, {"message": "the object has been modified"})
            return
        self.server.change(name, body)
        self.server.patches.append((name, body))
        self.server.after(name, body)
        self.reply(200, self.server.seen(name))


def route(problem: str) -> Resource:
    """The HTTPRoute of the component `canary-gateway`."""
    entries = [
        {"name": f"{problem}-serving-stable", "port": 8080, "weight": 100},
        {"name": f"{problem}-serving-canary", "port": 8080, "weight": 0},
    ]
    return {"metadata": {"resourceVersion": "1"}, "spec": {"rules": [{"backendRefs": entries}]}}


def _deployment(replicas: int, *, paused: bool) -> Resource:
    template = {"spec": {"containers": [{"name": "serving", "env": []}]}}
    return {
        "metadata": {"generation": 1, "resourceVersion": "1", "annotations": {}},
        "spec": {"replicas": replicas, "paused": paused, "template": template},
    }


def _variables(found: Resource) -> dict[str, str]:
    env = found["spec"]["template"]["spec"]["containers"][0]["env"]
    return {variable["name"]: variable["value"] for variable in env}


def _pin(found: Resource, changes: list[Resource]) -> None:
    variables = _variables(found)
    for change in changes:
        if change.get("$patch") == "delete":
            variables.pop(change["name"], None)
        else:
            variables[change["name"]] = change["value"]
    env = [{"name": name, "value": value} for name, value in variables.items()]
    found["spec"]["template"]["spec"]["containers"][0]["env"] = env
