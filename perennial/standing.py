"""Where a problem stands: who should serve, who does, and what ran last."""

from typing import Any

from contract.rollout import Rollout, champion_key, rollout_key
from contract.run import Champion
from contract.store import Store
from perennial.airflow import Airflow
from perennial.service import find_service


def champion(store: Store, problem: str) -> Champion | None:
    """Return the model that should serve; None before the first deployment."""
    found = store.get_with_etag(champion_key(problem))
    return None if found is None else Champion.model_validate_json(found[0])


def rollout_digest(store: Store, problem: str) -> str | None:
    """Return the digest that the service is told to serve."""
    found = store.get_with_etag(rollout_key(problem))
    return None if found is None else Rollout.model_validate_json(found[0]).digest


def standing(store: Store, airflow: Airflow, problem: str, api_key: str) -> dict[str, Any]:
    """Return champion, rollout, service, last runs of both DAGs, and what a person should mend."""
    holder = champion(store, problem)
    told = rollout_digest(store, problem)
    service = find_service(store, problem, api_key) if told else None
    info = service.info() if service else None
    answers = None if info is None else info.get("digest")
    runs = {
        part: next(iter(airflow.runs(f"{problem}__{part}", limit=1)), None)
        for part in ("lifecycle", "monitoring")
    }
    return {
        "champion": None if holder is None else holder.model_dump(mode="json"),
        "rollout": told,
        "service": service and {"url": service.url, "digest": answers, "info": info},
        **{part: run and run.model_dump(mode="json") for part, run in runs.items()},
        "warnings": warnings(problem, holder.digest if holder else None, told, answers),
    }


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
