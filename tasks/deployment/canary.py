"""The Deployment of a canary: asleep without pods, or at work for one run, which its notes name.

The notes are an annotation: they change with the pods in one patch, outlive a stage that is lost,
and keep a second run away. Whoever finds notes of another run that are past their time may take
the place: nobody works by them any more.
"""

import math
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, NonNegativeInt, ValidationError

from contract.artifacts import Sha256
from contract.errors import Conflict
from contract.rollout.pod_template import pin
from contract.strict import Strict
from tasks.deployment.api import Absent, Found
from tasks.deployment.kubernetes import Deployment, digest_of

NOTES = "perennial/canary"


class Notes(Strict):
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
    """When the place is free for another run, whatever became of this one."""


class CanaryDeployment(Deployment):
    """The Deployment NAME-serving-canary."""

    def claim(self, mine: Notes) -> Notes:
        """Take the place for a run and return its notes: those that are there, if they are its own.

        Raises:
            Conflict: another run has the place, or takes it in this very moment.
            Absent: the cluster has no such Deployment.
        """
        found = self.found()
        known = notes_of(found)
        if known is not None and (known.run, known.digest) == (mine.run, mine.digest):
            return known
        self._keep_off(known)
        version = found["metadata"]["resourceVersion"]
        self._patch({"metadata": _note(mine) | {"resourceVersion": version}})
        return mine

    def keep_off(self, run: str) -> None:
        """Go on only where no other run has a canary at work.

        Raises:
            Conflict: one has.
        """
        try:
            known = notes_of(self.found())
        except Absent:
            return
        if known is not None and known.run != run:
            self._keep_off(known)

    def wake(self, notes: Notes, pods: int, at: datetime) -> None:
        """Let so many pods serve the model of the notes."""
        body = pin(notes.digest, at)
        body["metadata"]["annotations"] |= _note(notes)["annotations"]
        body["spec"] |= {"replicas": pods, "paused": False}
        self._patch(body)

    def write(self, notes: Notes) -> None:
        """Keep the notes."""
        self._patch({"metadata": _note(notes)})

    def sleep(self, run: str) -> None:
        """Take all pods away and forget the notes, if they are the run's."""
        try:
            known = notes_of(self.found())
        except Absent:
            return
        if known is not None and known.run == run:
            gone = {"annotations": {NOTES: None}}
            self._patch({"metadata": gone, "spec": {"replicas": 0, "paused": False}})

    def disturbed(self, notes: Notes, pods: int) -> str | None:
        """Return in one sentence who else has had a hand in it; None: nobody."""
        found = self.found()
        if digest_of(found) != notes.digest:
            return f"Somebody else has rolled out another model in {self.name}."
        replicas = found["spec"].get("replicas")
        if replicas != pods:
            return f"Somebody else has scaled {self.name} from {pods} pods to {replicas}."
        known = notes_of(found)
        if known is None or known.run != notes.run:
            taker = "nobody" if known is None else f"the run {known.run}"
            return f"{self.name} is noted as the canary of {taker}, no longer of this run."
        return None

    def _keep_off(self, known: Notes | None) -> None:
        if known is None or known.until < datetime.now(UTC):
            return
        sentence = (
            f"The run {known.run} has had {known.digest[:12]} as a canary since "
            f"{known.began:%Y-%m-%d %H:%M} UTC; wait for its end, {known.until:%Y-%m-%d %H:%M} at "
            f"the latest, or end it: kubectl scale deployment/{self.name} --replicas 0, and "
            f"kubectl annotate deployment/{self.name} {NOTES}-."
        )
        raise Conflict(sentence)

    def _patch(self, body: object) -> None:
        self.api.patch(self.path, self.what, body)


def notes_of(found: Found) -> Notes | None:
    """Return the notes on a Deployment; None where there are none, or none that can be read."""
    text = found["metadata"].get("annotations", {}).get(NOTES)
    try:
        return Notes.model_validate_json(text) if text else None
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


def ends(began: datetime, longest: timedelta, spare: timedelta) -> datetime:
    """Return when a run that lost its canary has lost its place as well."""
    return began + longest + spare


def _note(notes: Notes) -> Found:
    return {"annotations": {NOTES: notes.canonical().decode()}}
