"""The cluster that this process deploys in: a problem's two Deployments and, if there is one, its route."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from contract.errors import AskedWrongly
from contract.kubernetes import HTTP_PORT
from tasks.deployment.api import ACCOUNT, Api
from tasks.deployment.canary import CanaryDeployment
from tasks.deployment.kubernetes import ROLLOUT_SECONDS, Deployment
from tasks.deployment.route import Route

NAMESPACE = "PERENNIAL_SERVING_NAMESPACE"


class Cluster:
    """One problem's service."""

    def __init__(
        self,
        problem: str,
        namespace: str,
        api: str,
        account: Path = ACCOUNT,
        *,
        service: str | None = None,
        canary_service: str | None = None,
    ) -> None:
        asked = Api(api, namespace, account)
        url = f"http://{problem}-serving{{}}.{namespace}:{HTTP_PORT}"
        self.stable = Deployment(asked, problem, "stable", service or url.format(""))
        self.canary = CanaryDeployment(
            asked, problem, "canary", canary_service or url.format("-canary")
        )
        self.route = Route(asked, problem)

    @classmethod
    def from_environment(cls, problem: str, environment: Mapping[str, str]) -> "Cluster | None":
        """Return the cluster that this process was told to deploy in; None: there is none."""
        namespace = environment.get(NAMESPACE)
        if not namespace:
            return None
        host = environment.get("KUBERNETES_SERVICE_HOST")
        port = environment.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            sentence = f"{NAMESPACE} is set, but this is no pod: KUBERNETES_SERVICE_HOST is not."
            raise AskedWrongly(sentence)
        return cls(problem, namespace, f"https://{host}:{port}")

    def digest(self) -> str | None:
        """Return the digest that the champion's pods are told to serve."""
        return self.stable.digest()

    def roll_out(self, digest: str | None, at: datetime) -> None:
        """Let the champion's pods serve another model, as `Deployment.roll_out`."""
        self.stable.roll_out(digest, at)

    def wait_until_served(self, digest: str, api_key: str, seconds: float = ROLLOUT_SECONDS) -> str:
        """Wait for the champion's pods, as `Deployment.wait_until_served`."""
        return self.stable.wait_until_served(digest, api_key, seconds)


def environment_cluster(problem: str) -> Cluster | None:
    """Return the cluster of this process's own environment."""
    return Cluster.from_environment(problem, os.environ)
