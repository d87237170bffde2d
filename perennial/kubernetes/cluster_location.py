"""A cluster as a place: what a context of the kubeconfig leads to."""

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from contract.errors import AskedWrongly
from perennial.kubernetes.apply import bring_up
from perennial.kubernetes.cluster_platform import ClusterPlatform, absence
from perennial.kubernetes.kubectl import PLATFORM, Kubectl
from perennial.kubernetes.overlay import QUICKSTART, find_overlay, render
from perennial.kubernetes.scaling import scale_to_nothing
from perennial.local.home import Home
from perennial.platform import Report


class ClusterLocation:
    """The platform of a cluster, as `perennial.platform.PlatformLocation` says."""

    unit = "pods"

    def __init__(self, home: Home, context: str | None) -> None:
        self._home = home
        self.kubectl = Kubectl(context)

    @property
    def problems(self) -> tuple[Path, ...]:
        """The folder of the problem files, from which `up` takes them to the cluster.

        Those that an add-on wrote are for the platform of this machine.
        """
        return (self._home.problems,)

    def up(self, report: Report, overlay: str | None) -> float:
        """Apply an overlay and wait until Airflow is up; return the seconds that it took.

        Raises:
            AskedWrongly: the cluster refuses it, or something that it names is not there.
            TryAgain: the cluster is away, or something did not become ready.
        """
        began = time.monotonic()
        folder = find_overlay(self._home, overlay or QUICKSTART)
        self.kubectl.reach()
        bring_up(self.kubectl, self._home, render(self.kubectl, folder), report)
        return time.monotonic() - began

    def down(self, report: Report) -> int:
        """Scale everything to no pod; return how many there were. Nothing else is deleted."""
        self.kubectl.reach()
        if self.kubectl.find(PLATFORM, "namespace", PLATFORM) is None:
            return 0
        return scale_to_nothing(self.kubectl, report)

    @contextlib.contextmanager
    def opened(self) -> Iterator[ClusterPlatform]:
        """Yield the platform; every port-forward is closed behind it, also by a SIGTERM.

        Raises:
            AskedWrongly: it is not on the cluster.
        """
        self.kubectl.reach()
        before = signal.signal(signal.SIGTERM, _end)
        try:
            self._refuse_stopped()
            with contextlib.ExitStack() as ways:
                yield ClusterPlatform(self.kubectl, self._home.problems, ways)
        finally:
            signal.signal(signal.SIGTERM, before)

    def _refuse_stopped(self) -> None:
        api = self.kubectl.find(PLATFORM, "deployment/api")
        if api is None:
            raise absence(self.kubectl, f"Deployment api of {PLATFORM}")
        if api["spec"].get("replicas", 1) == 0:
            sentence = (
                f"The platform on {self.kubectl.where} is not up; "
                "run `perennial --on kubernetes up`."
            )
            raise AskedWrongly(sentence)


def _end(number: int, frame: FrameType | None) -> None:
    """Leave by way of every `finally`."""
    del frame
    sys.exit(128 + number)
