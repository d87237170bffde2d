"""A run's report, and the page of one of its stages, read from the store by digest."""

from datetime import date
from functools import cache
from urllib.parse import quote, urlencode

from contract.artifacts import Page
from contract.errors import NotFound, PerennialError
from contract.facts import describe_facts
from contract.outcome import RunOutcome, run_outcome
from contract.store.client import Store
from contract.store.layout import DayPageKey
from contract.store.reference import Take
from pages import (
    Alert,
    Level,
    Link,
    PageSection,
    Paragraph,
    Status,
    TableBlock,
    format_duration,
    render,
)
from plugins.runs import StageOfRun, stages_of

LEVELS: dict[str, Level] = {"success": "good", "failed": "bad", "upstream_failed": "bad"}
ENDED_WELL = frozenset({"success", "skipped"})
OUTCOMES: dict[str, Level] = {
    "deployed": "good",
    "returned": "bad",
    "blocked_data_quality": "bad",
    "retrain": "warn",
    "warn": "warn",
    "ok": "good",
    "watch": "good",
}
"""Of a run, or of a stage, by its own word; a refusal by the gate is neither good nor bad."""


def report_page(dag_id: str, run_id: str) -> str:
    """Return the page of a run: what each stage did, and where to read more."""
    stages = stages_of(dag_id, run_id)
    rows = [_row(dag_id, run_id, stage) for stage in stages]
    alerts = [Alert("bad", stage.why) for stage in stages if stage.why and stage.state == "failed"]
    columns = ["stage", "outcome", "page", "took", "facts"]
    table = TableBlock(columns, rows, empty="There is no such run, or it has not begun.")
    outcome = _outcome(dag_id, stages)
    return render(
        f"Run of {dag_id}",
        subtitle=run_id,
        status=Status(OUTCOMES.get(outcome.word, "neutral"), outcome.word) if outcome else None,
        lead=outcome.sentence if outcome else "",
        sections=[PageSection("Stages", *alerts, table)],
        footer={"run": run_id},
    )


def stage_page(dag_id: str, run_id: str, task_id: str) -> tuple[bool, str]:
    """Return whether the stage has made a page, and the page; else one that says why not."""
    stage = next((entry for entry in stages_of(dag_id, run_id) if entry.task == task_id), None)
    if stage is None or stage.result is None:
        why = stage.why if stage else ""
        return False, _no_page(task_id, run_id, why or "It has not made anything yet.")
    try:
        return True, _read(stage.result.manifest, stage.result.sha256)
    except PerennialError as error:
        return False, _no_page(task_id, run_id, str(error))


def day_page(problem: str, day: date) -> tuple[bool, str]:
    """Return whether there is a page of the day, and the page; else one that says why not."""
    try:
        key = str(DayPageKey(problem, day))
        return True, store().get(key).decode(errors="replace")
    except NotFound:
        sentence = f"{day} has no decision; monitoring makes one a day, once a model serves."
        return False, _no_page("monitoring", str(day), sentence)
    except PerennialError as error:
        return False, _no_page("monitoring", str(day), str(error))


@cache
def store() -> Store:
    """Return the store; the client behind it may be shared by threads."""
    return Store.from_environment()


def _read(manifest: str, digest: str) -> str:
    take = Take(name="page", manifest=manifest, output="page", sha256=digest)
    return store().read(take.resolve_artifact(store(), Page)).decode(errors="replace")


def _row(dag_id: str, run_id: str, stage: StageOfRun) -> list[object]:
    result = stage.result
    facts = result.facts if result else {}
    address = urlencode({"run_id": run_id, "task_id": stage.task})
    return [
        stage.task,
        _state(stage),
        Link("read", f"../page/{quote(dag_id)}?{address}") if result else None,
        format_duration(stage.seconds),
        " · ".join(describe_facts(facts)),
    ]


def _outcome(dag_id: str, stages: list[StageOfRun]) -> RunOutcome | None:
    """Return what came of the run; None while a task is at work, or where one failed."""
    if any(stage.state not in ENDED_WELL for stage in stages):
        return None
    results = {stage.task: stage.result for stage in stages if stage.result}
    begun = results.get("problem")
    champion = begun.facts.get("champion") if begun else None
    return run_outcome(dag_id.rpartition("__")[0], results, champion)


def _state(stage: StageOfRun) -> Status:
    """Return what a stage came to, in its own word; Airflow's where it left none."""
    word = stage.result.outcome if stage.result else stage.state
    if stage.result and word != "made":
        return Status(OUTCOMES.get(word, "neutral"), word.replace("_", " "))
    return Status(LEVELS.get(stage.state, "neutral"), "made" if stage.result else stage.state)


def _no_page(task_id: str, run_id: str, sentence: str) -> str:
    return render(
        f"No page of {task_id}",
        subtitle=run_id,
        sections=[PageSection("Why", Paragraph(sentence))],
    )
