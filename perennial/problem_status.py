"""State of one problem: champion, rollout, service, last verdict, last event, and the last runs."""

from collections.abc import Callable
from typing import Any, TypeVar

from contract.artifacts import Document
from contract.champion import Champion
from contract.errors import NotFound
from contract.formatting import format_digest
from contract.store.alert_state import read_alerts
from contract.store.champion_pointer import read_champion
from contract.store.client import Store
from contract.store.decisions import read_decisions
from contract.store.documents import DamagedDocument, read_artifact
from contract.store.earlier_runs import earlier_stage
from contract.store.ledger import Ledger, LedgerEntry
from contract.verdict import Verdict
from perennial.clients.airflow_api import Airflow
from perennial.platform import Platform

T = TypeVar("T")


def problem_status(platform: Platform, problem: str) -> dict[str, Any]:
    """Return champion, rollout, service, last verdict and event, last runs of both DAGs, and warnings.

    The verdict is the newest day's, the event the newest entry of the ledger: what the product
    decided and did; a run's state is Airflow's. A document that cannot be read is a warning; everything else is reported as usual.
    """
    airflow = platform.airflow()
    champion, champion_error = _read(lambda: read_champion(platform.store(), problem))
    rolled_out, rollout_error = _read(platform.rollout_target(problem).rolled_out)
    service, service_error = None, ""
    if rolled_out or champion_error or rollout_error:
        service, service_error = _read(lambda: platform.service(problem))
    judged, judged_error = _read(lambda: _judged(platform.store(), problem, champion))
    decisions, verdict_error = _read(lambda: read_decisions(platform.store(), problem, last=1))
    entries, ledger_error = _read(lambda: Ledger(platform.store(), problem).newest(1))
    alerts, alerts_error = _read(lambda: read_alerts(platform.store(), problem))
    decision = decisions[-1] if decisions else None
    event = entries[-1] if entries else None
    errors = {
        "champion": champion_error,
        "rollout": rollout_error,
        "service": service_error,
        "verdict": verdict_error,
        "ledger": ledger_error,
        "alerts": alerts_error,
        "judged": judged_error,
    }
    damaged = {name: error for name, error in errors.items() if error}
    info = service.info() if service else None
    served = None if info is None else info.get("digest")
    runs = {
        part: next(iter(airflow.runs(f"{problem}__{part}", limit=1)), None)
        for part in ("lifecycle", "monitoring")
    }
    # An unknown digest disagrees with nothing.
    is_unknown = bool(champion_error or rollout_error or service_error)
    expected = None if is_unknown else (champion.digest if champion else None, rolled_out, served)
    return {
        "champion": None if champion is None else champion.model_dump(mode="json"),
        "judged": judged,
        "rollout": rolled_out,
        "damaged": sorted(damaged),
        "service": service and {"url": service.url, "digest": served, "info": info},
        "verdict": decision
        and decision.model_dump(
            mode="json", include={"day", "verdict", "reason", "sentence", "next", "suppressed_by"}
        ),
        "event": event and event.model_dump(mode="json"),
        "alerts": [] if alerts is None else [each.model_dump(mode="json") for each in alerts.open],
        **{part: run and run.model_dump(mode="json") for part, run in runs.items()},
        "warnings": [
            *damaged.values(),
            *(warnings(problem, *expected) if expected else ()),
            *(no_model(event) if champion is None and not champion_error and event else ()),
            *(
                f"its last {part} failed: {why}"
                for part, run in runs.items()
                if run is not None and run.state == "failed"
                for why in failure_reasons(airflow, f"{problem}__{part}", run.dag_run_id)
            ),
            *platform.faults(problem),
        ],
    }


def _judged(store: Store, problem: str, champion: Champion | None) -> dict[str, Any] | None:
    """Return what let the champion in, by the yardstick; None where no verdict is kept that says it."""
    stage = champion and earlier_stage(store, problem, champion.run, "evaluation")
    if not stage:
        return None
    try:
        verdict = read_artifact(store, stage.output("verdict", Document), Verdict)
    except NotFound:
        return None
    if verdict.yardstick is None or verdict.yardstick.score is None:
        return None
    return {
        **verdict.yardstick.model_dump(mode="json"),
        "label": verdict.yardstick.label,
        "rows": verdict.rows,
        "threshold": verdict.threshold,
    }


def _read(read: Callable[[], T]) -> tuple[T | None, str]:
    """Return a document and no error; None and the sentence for one that cannot be read."""
    try:
        return read(), ""
    except DamagedDocument as error:
        return None, str(error)


def failure_reasons(airflow: Airflow, dag: str, run: str) -> list[str]:
    """Return why a run failed: the sentence of each task that failed by itself."""
    failed = [task for task in airflow.tasks(dag, run) if task.state == "failed"]
    return [
        str(airflow.xcom(dag, run, task.task_id, "why") or f"{task.task_id}: it left no message")
        for task in failed
    ]


def no_model(event: LedgerEntry) -> list[str]:
    """Return why no model serves, where the ledger's newest entry says so."""
    words = {"returned": "it was taken back", "refused": "it was refused"}
    if event.kind not in words:
        return []
    digest = format_digest(event.digest, "the model")
    return [f"no model serves: {digest} was made, and {words[event.kind]}: {event.reason}"]


def warnings(
    problem: str, champion: str | None, rolled_out: str | None, served: str | None
) -> list[str]:
    """Return a sentence for each disagreement between champion, rollout and service."""
    sentences = []
    if rolled_out != champion:
        sentences.append(
            f"the rollout names {format_digest(rolled_out, 'nothing')} and the champion is {format_digest(champion, 'nothing')}; "
            f"a deployment is running, or was interrupted: `perennial rollback {problem}` repairs it."
        )
    if rolled_out is not None and served != rolled_out:
        sentences.append(
            f"the service serves {format_digest(served, 'nothing')} and {format_digest(rolled_out, 'nothing')} is rolled out; "
            "it is starting, or its log says why."
        )
    return sentences
