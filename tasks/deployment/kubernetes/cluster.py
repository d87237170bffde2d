"""A problem's service in a cluster: two Deployments and, where there is a Gateway, a route."""

from collections.abc import Mapping
from pathlib import Path

from contract.errors import InvalidRequest
from contract.kubernetes import HTTP_PORT
from contract.rollout import deployment
from contract.rollout.deployment import DeploymentTarget
from tasks.deployment.kubernetes.api import ACCOUNT, Api
from tasks.deployment.kubernetes.canary_deployment import CanaryDeployment
from tasks.deployment.kubernetes.pods import TrackPods, track_name
from tasks.deployment.kubernetes.route import HttpRoute

NAMESPACE = "PERENNIAL_SERVING_NAMESPACE"


class Cluster:
    """One problem's service."""

    def __init__(
        self,
        problem: str,
        namespace: str,
        api_url: str,
        api_key: str,
        account: Path = ACCOUNT,
        *,
        stable_url: str | None = None,
        canary_url: str | None = None,
        poll_seconds: float = deployment.POLL_SECONDS,
    ) -> None:
        api = Api(api_url, namespace, account)
        self.stable_pods = TrackPods(api, problem, "stable", api_key)
        self.stable = DeploymentTarget(
            api,
            track_name(problem, "stable"),
            stable_url or f"http://{track_name(problem, 'stable')}.{namespace}:{HTTP_PORT}",
            self.stable_pods,
            poll_seconds=poll_seconds,
        )
        canary_pods = TrackPods(api, problem, "canary", api_key)
        target = DeploymentTarget(
            api,
            track_name(problem, "canary"),
            canary_url or f"http://{track_name(problem, 'canary')}.{namespace}:{HTTP_PORT}",
            canary_pods,
            poll_seconds=poll_seconds,
        )
        self.canary = CanaryDeployment(api, target, canary_pods)
        self.route = HttpRoute(api, problem)

    @classmethod
    def from_environment(
        cls, problem: str, api_key: str, environment: Mapping[str, str]
    ) -> "Cluster | None":
        """Return the cluster that the environment names; None: there is none."""
        namespace = environment.get(NAMESPACE)
        if not namespace:
            return None
        host = environment.get("KUBERNETES_SERVICE_HOST")
        port = environment.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            sentence = f"{NAMESPACE} is set, but this is no pod: KUBERNETES_SERVICE_HOST is not."
            raise InvalidRequest(sentence)
        return cls(problem, namespace, f"https://{host}:{port}", api_key)
