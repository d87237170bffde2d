"""Asked of Airflow's interpreter: one pod for each way to end, against a fake Kubernetes API."""

import json
import os
import sys
import tempfile
import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fake_api import FakeApi, ended, waiting

from contract.problem import Resources

GOOD = json.dumps(
    {"manifest": "s3://store/x/manifest.json", "sha256": "b" * 64, "outcome": "made", "facts": {}}
)
TAKEN = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}
NO_ROOM = {
    "phase": "Pending",
    "conditions": [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient memory.",
        }
    ],
}
NEEDS = Resources(cpu=2, memory="2Gi")
PLAN: dict[str, dict[str, Any]] = {
    "good": {"status": ended(0, GOOD)},
    "unheard": {"status": ended(0, GOOD), "told_after": 8},
    "silent": {"status": ended(0, "")},
    "cut": {"status": ended(0, GOOD[:40])},
    "asked": {"status": ended(2, '{"why": "no column x."}')},
    "refused": {"status": ended(3, '{"why": "auc 0.91 < 0.95."}')},
    "again": {"status": ended(75, '{"why": "the store is away."}')},
    "bug": {"status": ended(1, "Traceback\nZeroDivisionError: division by zero\n")},
    "memory": {"status": ended(137, "fitting tree 7\n", "OOMKilled")},
    "late": {"status": ended(137, "", reason="Error") | {"reason": "DeadlineExceeded"}},
    "evicted": {"status": ended(137, "fitting\n", conditions=[TAKEN])},
    "killed": {"status": ended(137, "fitting\n")},
    "deleted": {"status": ended(0, GOOD), "vanishes_at": 1},
    "forbidden": {"refusal": 403},
    "image": {"status": waiting("ErrImagePull", "pull access denied\nfor nosuch:1")},
    "secret": {"status": waiting("CreateContainerConfigError", 'secret "nosuch" not found')},
    "mount": {
        "status": waiting("ContainerCreating", None),
        "events": ['MountVolume.SetUp failed for volume "signing-key": secret not found'],
    },
    "room": {"status": NO_ROOM},
}


def main() -> None:
    api = FakeApi(PLAN)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "kubeconfig"
        config.write_text(json.dumps(kubeconfig(api.server_address[1])))
        os.environ |= {
            "KUBECONFIG": str(config),
            "PERENNIAL_NAMESPACE": "perennial-tasks",
            "PERENNIAL_SERVING_NAMESPACE": "perennial-serving",
            "PERENNIAL_TASKS_IMAGE": "tasks:1",
            "PERENNIAL_AUTHORITIES": "authorities",
            "PERENNIAL_LANDING_CLAIM": "landing",
        }
        from dags.stage import pod

        pod.START_SECONDS = pod.SCHEDULE_SECONDS = 1
        endings = {name: run(pod, name, "split") for name in PLAN}
        stages = ["problem", "collection", "training", "deployment"]
        for stage in stages:
            PLAN[f"for-{stage}"] = PLAN["good"]
            run(pod, f"for-{stage}", stage)
    report = {
        "endings": endings,
        "logs": api.logs,
        "deleted": api.deleted,
        "left": list(api.pods),
        "made": {stage: api.made[f"for-{stage}"] for stage in stages},
    }
    sys.stdout.write("REPORT " + json.dumps(report) + "\n")


def run(pod: Any, problem: str, stage: str) -> dict[str, Any]:
    operator = SimpleNamespace(
        task_id=stage,
        problem=problem,
        sources=("LANDING",),
        grace_seconds=10.0,
        execution_timeout=timedelta(hours=2),
    )
    ending = pod.Pod(operator, [stage, "--out", "s3://store/x"], NEEDS).run(context(stage, problem))
    return {"next": ending.next_state.value, "sentence": ending.sentence}


def context(stage: str, problem: str) -> Any:
    ti = SimpleNamespace(
        dag_id=f"{problem}__lifecycle",
        task_id=stage,
        run_id=f"run-{problem}",
        try_number=1,
        map_index=-1,
        xcom_push=lambda **_: None,
    )
    run = SimpleNamespace(run_id=ti.run_id)
    return {"ti": ti, "run_id": ti.run_id, "dag_run": run, "dag": SimpleNamespace()}


def kubeconfig(port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "fake",
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "fake", "user": {"token": "t"}}],
    }


if __name__ == "__main__":
    main()
