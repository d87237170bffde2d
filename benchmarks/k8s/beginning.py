"""Where trials of services begin: a tree of their own, and a first model that is deployed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.k8s.cluster import ROOT, Cluster, scratch
from benchmarks.k8s.trial import Json, Trial


@contextmanager
def begun(cluster: Cluster, problem: str, runs: Json) -> Iterator[Trial]:
    """Yield a trial in a tree of its own, with the first of its models deployed.

    Raises:
        RuntimeError: the first deployment did not end well.
    """
    with scratch() as folder:
        for name in ("k8s", "problems"):
            shutil.copytree(ROOT / name, folder / name)
        trial = Trial(cluster, folder, problem)
        try:
            trial.begin(runs)
            expect_deployed(trial.deploy(next(iter(runs))))
            yield trial
        finally:
            trial.close()


def expect_deployed(ended: tuple[int, Json]) -> None:
    """Go on only if a deployment ended well.

    Raises:
        RuntimeError: it did not.
    """
    code, result = ended
    if code != 0 or result["outcome"] != "deployed":
        raise RuntimeError(f"exit {code}: {result}")
