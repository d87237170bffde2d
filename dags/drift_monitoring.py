"""Watch the served model every day, and start its retraining when that would help.

**When.** Daily at the problem's `monitoring.at`, or by hand (`perennial monitor NAME`). A day that
was missed is caught up by the next run: a run judges every day that has no profile yet.

**What it says.** `ok`, `watch`, `warn`: nothing to do; the page shows what moves.
`insufficient_data`: too few rows for a verdict. Where no model serves yet, all but `problem` is skipped.
`blocked_data_quality`: the data are broken; nothing is retrained on them. Tell who feeds them.
`alerts` tells the owner what needs a person: once when it begins, weekly, and when it is over.
`retrain`: a new model would help; the reason is performance, benefit, drift, age or prior.

**What happens then.** `retraining.mode` of the problem file decides: `auto` starts
`NAME__lifecycle`; `approve` asks a person first, and no answer within a day is a no; `suggest` tells
the owner how to start it; `off` only writes it down. The run gets the first day of the change, and
whether it fits the champion's plan anew or searches. The same finding starts one run, however often
it is found: `retraining` is then skipped, which is not an alarm. After retrains in a row that did not
help nothing starts any more, until a person starts a run or the loss has clearly risen again.

**What a red task means.** As in the lifecycle: `invalid request`, `refused`, `try again` or a bug.
A red `retraining`: the lifecycle is paused; unpause it and clear the task.

**Again.** Clear the task, or start a run with the `window_end` of the day in question.

**Pages.** The tab *Report* of the run and of each task.
"""

from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, task

from contract.problem import Problem
from dags.catalogue import read_catalogue
from dags.factory import stage_factory
from dags.settings import ANSWER_LIMIT, RUN_LIMIT, at, default_args, page_of
from dags.stage.operator import Stage
from dags.trigger_form import monitoring_form

FACTS = "ti.xcom_pull(task_ids='monitoring')['facts']"
# One template, so that each value keeps its JSON type; a fact that is not there is null.
CONF = (
    "{{ {'window_end': ti.xcom_pull(task_ids='problem')['facts']['window_end'], "
    f"'reason': {FACTS}['reason'], 'onset': {FACTS}.get('onset'), "
    f"'replay': {FACTS}.get('replay')}} | tojson }}}}"
)


def daily(clock: str) -> str:
    """Return the cron string of a time of day.

    >>> daily("06:30")
    '30 6 * * *'
    """
    hour, minute = clock.split(":")
    return f"{int(minute)} {int(hour)} * * *"


def build(problem: Problem) -> DAG:
    """Return the monitoring of one problem."""
    name = problem.name
    mode = problem.retraining.mode
    stage = stage_factory(problem, {"monitoring": f"{name}__verdict"})

    with DAG(
        dag_id=f"{name}__monitoring",
        description=f"Is it still good? {problem.question}",
        doc_md=page_of(__doc__ or "", problem),
        schedule=at(daily(problem.monitoring.at), problem.timezone),
        params=monitoring_form(),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=RUN_LIMIT + ANSWER_LIMIT if mode == "approve" else RUN_LIMIT,
        is_paused_upon_creation=False,
        default_args=default_args(problem),
        tags=["perennial", "monitoring", name],
    ) as dag:
        problem_stage = stage("problem")
        known = {"problem": problem_stage, "run": problem_stage}

        @task.branch(doc_md="Goes on only where a model serves: before that there is no watch.")
        def watch(result: dict[str, Any]) -> str | None:
            return "collection" if result["facts"].get("champion") else None

        snapshot = stage("collection", **known)
        watched = watch(problem_stage.output)  # type: ignore[arg-type] # Airflow puts the value in its place
        watched >> snapshot
        verdict = stage("monitoring", **known, snapshot=snapshot)
        verdict >> stage("alerts", **known)
        if mode in {"auto", "approve"}:
            _add_retraining(name, verdict, needs_approval=mode == "approve")
    return dag


def _add_retraining(name: str, verdict: Stage, *, needs_approval: bool) -> None:
    """Add what starts the lifecycle; `needs_approval`: only after a person's yes."""

    @task.branch(doc_md="Goes on only where the verdict is that retraining would help.")
    def decision(result: dict[str, Any]) -> str | None:
        first = "approval" if needs_approval else "retraining"
        return first if result["outcome"] == "retrain" else None

    retraining = TriggerDagRunOperator(
        task_id="retraining",
        trigger_dag_id=f"{name}__lifecycle",
        # The key is the finding's own, so that the same finding starts one run only.
        trigger_run_id=f"{{{{ {FACTS}['key'] }}}}",
        conf=CONF,  # type: ignore[arg-type] # a template of the object; it is read as JSON
        logical_date=None,
        note=f"Started by {name}__monitoring.",
        skip_when_already_exists=True,
        fail_when_dag_is_paused=True,
        # It would add a key to `conf` that the lifecycle's form does not know.
        openlineage_inject_parent_info=False,
        doc_md="Starts the lifecycle, once for each finding.",
    )
    # Airflow puts the value in the reference's place.
    branch = decision(verdict.output)  # type: ignore[arg-type] # as above
    if needs_approval:
        approval = ApprovalOperator(
            task_id="approval",
            subject=f"Retrain the model of {name}?",
            body=f"The reason is {{{{ {FACTS}['reason'] }}}}.",
            response_timeout=ANSWER_LIMIT,
            defaults="Reject",
            execution_timeout=None,
            doc_md="Waits for a person; no answer within a day is a no.",
        )
        branch >> approval >> retraining
    else:
        branch >> retraining


for _problem in read_catalogue().problems:
    _dag = build(_problem)
    globals()[_dag.dag_id] = _dag
