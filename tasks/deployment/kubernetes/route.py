"""The share of a canary where the cluster has a Gateway: weights of an HTTPRoute, exact.

Without the Gateway's kinds, or without a route of the component `canary-gateway`, pods part the
requests by their number.
"""

from typing import Any

from contract.rollout.deployment import AbsentResource
from tasks.deployment.kubernetes.api import MERGE, Api

GROUP = "apis/gateway.networking.k8s.io/v1"
WHOLE = 100


class HttpRoute:
    """The HTTPRoute of one problem, if there is one."""

    def __init__(self, api: Api, problem: str) -> None:
        self._api = api
        self._name = f"{problem}-serving"
        self._what = f"the HTTPRoute {self._name}"
        self._path = api.path(GROUP, "httproutes", self._name)

    def is_there(self) -> bool:
        """Tell whether there is a route that this process may move."""
        return self._resource() is not None

    def move(self, share: float) -> bool:
        """Send a share of the requests to the canary; tell whether the route had to change.

        Raises:
            Conflict: somebody else changed the route at the same moment.
            TryAgain: the API is away.
        """
        route = self._resource()
        if route is None:
            return False
        weight = round(share * WHOLE)
        wanted = {f"{self._name}-canary": weight, f"{self._name}-stable": WHOLE - weight}
        rules: list[dict[str, Any]] = route["spec"]["rules"]
        entries = [entry for rule in rules for entry in rule.get("backendRefs", [])]
        different = [
            entry
            for entry in entries
            if entry["name"] in wanted and entry.get("weight") != wanted[entry["name"]]
        ]
        for entry in different:
            entry["weight"] = wanted[entry["name"]]
        if different:
            version = {"resourceVersion": route["metadata"]["resourceVersion"]}
            body = {"metadata": version, "spec": {"rules": rules}}
            self._api.patch(self._path, self._what, body, MERGE)
        return bool(different)

    def _resource(self) -> dict[str, Any] | None:
        try:
            return self._api.get(self._path, self._what)
        except AbsentResource:
            return None
