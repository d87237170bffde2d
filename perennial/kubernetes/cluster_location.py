"""A platform on the cluster of a kubeconfig context: `up`, `down`, `connect`."""

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from contract.errors import InvalidRequest
from perennial.kubernetes.apply import apply
from perennial.kubernetes.cluster_platform import ClusterPlatform, not_installed
from perennial.kubernetes.kubectl import PLATFORM, Kubectl
from perennial.kubernetes.overlay import QUICKSTART, find_overlay, render
from perennial.kubernetes.scaling import scale_to_zero
from perennial.local.home import Home
from perennial.platform import Report
from perennial.waits import USUAL, Waits


class ClusterLocation:
    """A cluster, as `perennial.platform.PlatformLocation`."""

    unit = "pods"

    def __init__(self, home: Home, context: str | None, waits: Waits = USUAL) -> None:
        self._home = home
        self._waits = waits
        self.kubectl = Kubectl(context)

    @property
    def problems(self) -> tuple[Path, ...]:
        """The folder of the problem files that `up` copies to the cluster.

        Those that an add-on wrote are for the platform of this machine.
        """
        return (self._home.problems,)

    def up(self, report: Report, overlay: str | None) -> float:
        """Apply an overlay and wait until Airflow is up; return the seconds that it took.

        Raises:
            InvalidRequest: the cluster refuses it, or something that it references is missing.
            TryAgain: the cluster does not answer, or a component did not become ready.
        """
        began = time.monotonic()
        folder = find_overlay(self._home, overlay or QUICKSTART)
        self.kubectl.check_reachable()
        overlay_objects = render(self.kubectl, folder)
        apply(self.kubectl, self._home, overlay_objects, report, self._waits.ready)
        return time.monotonic() - began

    def down(self, report: Report) -> int:
        """Scale every Deployment to zero; return the number of pods that ran. Nothing else is deleted."""
        self.kubectl.check_reachable()
        if self.kubectl.find(PLATFORM, "namespace", PLATFORM) is None:
            return 0
        return scale_to_zero(self.kubectl, report, self._waits.stop)

    @contextlib.contextmanager
    def connect(self) -> Iterator[ClusterPlatform]:
        """Yield the platform; every port-forward is closed at exit, also after a SIGTERM.

        Raises:
            InvalidRequest: it is not on the cluster, or not up.
        """
        self.kubectl.check_reachable()
        previous = signal.signal(signal.SIGTERM, _exit_on_signal)
        try:
            self._check_running()
            with contextlib.ExitStack() as exit_stack:
                yield ClusterPlatform(self.kubectl, self._home.problems, exit_stack, self._waits)
        finally:
            signal.signal(signal.SIGTERM, previous)

    def _check_running(self) -> None:
        api = self.kubectl.find(PLATFORM, "deployment/api")
        if api is None:
            raise not_installed(self.kubectl, f"Deployment api of {PLATFORM}")
        if api["spec"].get("replicas", 1) == 0:
            sentence = (
                f"The platform on {self.kubectl.context_name} is not up; "
                "run `perennial --on kubernetes up`."
            )
            raise InvalidRequest(sentence)


def _exit_on_signal(number: int, frame: FrameType | None) -> None:
    """Exit through every `finally`."""
    del frame
    sys.exit(128 + number)
