"""Where a problem stands: who should serve, who does, and what ran last."""

from collections.abc import Callable
from typing import Any, TypeVar

from contract.store.champion_pointer import read_champion
from contract.store.documents import DamagedDocument
from perennial.clients.airflow_api import Airflow
from perennial.platform import Platform

T = TypeVar("T")


def standing(platform: Platform, problem: str) -> dict[str, Any]:
    """Return champion, rollout, service, last runs of both DAGs, and what a person should mend.

    A document that cannot be read is a warning, and everything else is told as usual.
    """
    airflow = platform.airflow()
    damaged: dict[str, str] = {}
    holder = _readable("champion", lambda: read_champion(platform.store(), problem), damaged)
    told = _readable("rollout", platform.rollout_target(problem).rolled_out, damaged)
    service = None
    if told or damaged:
        service = _readable("service", lambda: platform.service(problem), damaged)
    info = service.info() if service else None
    answers = None if info is None else info.get("digest")
    runs = {
        part: next(iter(airflow.runs(f"{problem}__{part}", limit=1)), None)
        for part in ("lifecycle", "monitoring")
    }
    return {
        "champion": None if holder is None else holder.model_dump(mode="json"),
        "rollout": told,
        "damaged": sorted(damaged),
        "service": service and {"url": service.url, "digest": answers, "info": info},
        **{part: run and run.model_dump(mode="json") for part, run in runs.items()},
        "warnings": [
            *damaged.values(),
            # What is not known disagrees with nothing.
            *(
                []
                if damaged
                else warnings(problem, holder.digest if holder else None, told, answers)
            ),
            *(
                f"its last {part} failed: {why}"
                for part, run in runs.items()
                if run is not None and run.state == "failed"
                for why in reasons(airflow, f"{problem}__{part}", run.dag_run_id)
            ),
            *platform.faults(problem),
        ],
    }


def _readable(name: str, read: Callable[[], T], damaged: dict[str, str]) -> T | None:
    """Return what a document says; None for one that cannot be read, and its sentence in `damaged`."""
    try:
        return read()
    except DamagedDocument as error:
        damaged[name] = str(error)
        return None


def reasons(airflow: Airflow, dag: str, run: str) -> list[str]:
    """Return why a run failed: what each of its tasks that failed by itself said."""
    failed = [task for task in airflow.tasks(dag, run) if task.state == "failed"]
    return [
        str(airflow.xcom(dag, run, task.task_id, "why") or f"{task.task_id}: it said nothing")
        for task in failed
    ]


def warnings(problem: str, holder: str | None, told: str | None, answers: str | None) -> list[str]:
    """Return a sentence for each disagreement between champion, rollout and service."""
    found = []
    if told != holder:
        found.append(
            f"the rollout names {_short(told)} and the champion is {_short(holder)}; "
            f"a deployment is at work, or was cut short: `perennial rollback {problem}` mends it."
        )
    if told is not None and answers != told:
        found.append(
            f"the service serves {_short(answers)} and {_short(told)} is rolled out; "
            "it is starting, or its log says why."
        )
    return found


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "nothing"
