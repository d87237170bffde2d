"""The Deployment of a canary: without pods, or at work for one run, which its notes name.

The notes are an annotation: they change with the pods in one patch, outlive a stage that is lost,
and keep a second run away, as a lock with an end. A run that finds notes of another that are past
their time may acquire the canary: their run has ended.
"""

import math
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, NonNegativeInt, ValidationError

from contract.artifacts import Sha256
from contract.errors import Conflict
from contract.formatting import format_digest, format_time
from contract.rollout.deployment import AbsentResource, DeploymentTarget, template_digest
from contract.rollout.pod_template import Resource, pin
from contract.strict import Strict
from tasks.deployment.kubernetes.api import Api
from tasks.deployment.kubernetes.pods import TrackPods

NOTES = "perennial/canary"


class CanaryNotes(Strict):
    """What a stage that takes over must know."""

    run: str
    digest: Sha256
    champion: Sha256
    """Who serves the rest."""
    step: NonNegativeInt
    """The step at work; as many as there are steps: all are done."""
    began: AwareDatetime
    step_began: AwareDatetime | None = None
    """None: its pods are not ready yet."""
    before: NonNegativeInt = 0
    """Answers that the canary had given when the step began."""
    until: AwareDatetime
    """When another run may acquire the canary, whatever became of this one."""


class CanaryDeployment:
    """The Deployment NAME-serving-canary."""

    def __init__(self, api: Api, target: DeploymentTarget, pods: TrackPods) -> None:
        self.target = target
        self.pods = pods
        self._api = api

    def resource(self) -> Resource:
        """Return the Deployment as it is, as `DeploymentTarget.resource`."""
        return self.target.resource()

    def acquire(self, notes: CanaryNotes) -> CanaryNotes:
        """Lock the canary for a run and return its notes: those that are there, if its own.

        Raises:
            Conflict: another run has it, or acquires it at the same moment.
            AbsentResource: the cluster has no such Deployment.
        """
        deployment = self.resource()
        known = notes_of(deployment)
        if known is not None and (known.run, known.digest) == (notes.run, notes.digest):
            return known
        self._refuse_while_locked(known)
        version = deployment["metadata"]["resourceVersion"]
        self._patch({"metadata": _annotations(notes) | {"resourceVersion": version}})
        return notes

    def ensure_free(self, run: str) -> None:
        """Go on only where no other run has a canary at work.

        Raises:
            Conflict: one has.
        """
        try:
            known = notes_of(self.resource())
        except AbsentResource:
            return
        if known is not None and known.run != run:
            self._refuse_while_locked(known)

    def scale_up(self, notes: CanaryNotes, pods: int, at: datetime) -> None:
        """Have so many pods serve the model of the notes."""
        body = pin(notes.digest, at)
        body["metadata"]["annotations"] |= _annotations(notes)["annotations"]
        body["spec"] |= {"replicas": pods, "paused": False}
        self._patch(body)

    def write(self, notes: CanaryNotes) -> None:
        """Keep the notes."""
        self._patch({"metadata": _annotations(notes)})

    def scale_down(self, run: str) -> None:
        """Take all pods away and release the lock, if it is the run's."""
        try:
            known = notes_of(self.resource())
        except AbsentResource:
            return
        if known is not None and known.run == run:
            cleared = {"annotations": {NOTES: None}}
            self._patch({"metadata": cleared, "spec": {"replicas": 0, "paused": False}})

    def interference(self, notes: CanaryNotes, pods: int) -> str | None:
        """Return in one sentence who else has changed it; None: nobody."""
        deployment = self.resource()
        name = self.target.name
        if template_digest(deployment) != notes.digest:
            return f"Somebody else has rolled out another model in {name}."
        replicas = deployment["spec"].get("replicas")
        if replicas != pods:
            return f"Somebody else has scaled {name} from {pods} pods to {replicas}."
        known = notes_of(deployment)
        if known is None or known.run != notes.run:
            owner = "nobody" if known is None else f"the run {known.run}"
            return f"{name} is noted as the canary of {owner}, no longer of this run."
        return None

    def _refuse_while_locked(self, known: CanaryNotes | None) -> None:
        if known is None or known.until < datetime.now(UTC):
            return
        name = self.target.name
        sentence = (
            f"The run {known.run} has had {format_digest(known.digest)} as a canary since "
            f"{format_time(known.began)}; wait for its end, {format_time(known.until)} at "
            f"the latest, or end it: kubectl scale deployment/{name} --replicas 0, and "
            f"kubectl annotate deployment/{name} {NOTES}-."
        )
        raise Conflict(sentence)

    def _patch(self, body: Resource) -> None:
        self._api.patch_deployment(self.target.name, body)


def notes_of(deployment: Resource) -> CanaryNotes | None:
    """Return the notes on a Deployment; None where there are none, or none that can be read."""
    text = deployment["metadata"].get("annotations", {}).get(NOTES)
    try:
        return CanaryNotes.model_validate_json(text) if text else None
    except ValidationError:
        return None


def pods_for(share: float, stable: int, *, routed: bool) -> int:
    """Return how many pods a canary needs for a share beside so many of the champion's.

    By their number alone at least 1 of `stable` + 1; behind a route, which parts exactly, as many
    as can carry the share.

    >>> [pods_for(share, 2, routed=False) for share in (0.05, 0.25, 0.5)]
    [1, 1, 2]
    >>> pods_for(0.25, 8, routed=True), pods_for(0.05, 2, routed=True)
    (2, 1)
    """
    pods = math.ceil(share * stable) if routed else round(share * stable / (1 - share))
    return max(1, pods)


def _annotations(notes: CanaryNotes) -> dict[str, Any]:
    return {"annotations": {NOTES: notes.canonical().decode()}}
