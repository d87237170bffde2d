"""Measure on a cluster and write the tables: `python -m benchmarks.k8s [PART …]`.

The parts are `costs`, `rollouts`, `autoscaling`, `kills` and `failures`; without any it is all of
them. The cluster is that of KUBECONFIG, with the images on its nodes, else one that TEST_CLUSTER
boots. `costs` wants a cluster where nothing of this is installed yet, `autoscaling` one that has the
metrics API.
"""

import sys
from collections.abc import Sequence

from benchmarks.k8s import autoscaling, costs, failures, kills, rollouts
from benchmarks.k8s.cluster import ROOT, open_cluster, scratch
from benchmarks.k8s.installation import install

PARTS = {
    "costs": costs.measure,
    "rollouts": rollouts.measure,
    "autoscaling": autoscaling.measure,
    "kills": kills.measure,
    "failures": failures.measure,
}


def main(names: Sequence[str]) -> int:
    """Measure all parts, or those that are named."""
    unknown = set(names) - PARTS.keys()
    if unknown:
        sys.stderr.write(f"{', '.join(sorted(unknown))}: one of {', '.join(PARTS)} is expected.\n")
        return 2
    with (
        scratch() as folder,
        open_cluster(folder) as cluster,
        install(cluster, ROOT) as platform,
    ):
        for name, measure in PARTS.items():
            if name in names or not names:
                measure(platform)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
