"""Make a model, evaluate it, and deploy it only if it is better.

One run goes from the problem file to a deployed model, or to a written reason why not.

**When.** By hand (the trigger button, or `perennial run NAME`), nightly where the problem file has
a `schedule`, or by `NAME__monitoring` when retraining would help. One run at a time; others wait.

**Window.** A run uses what was known at `window_end`: the form's, else the run's own time. It is
fixed by the first stage, so a retry, a cleared task and a late start see the same data.

**What a red task means.** `refused` (exit 3): data or model are not good enough; read the task's
page. `invalid request` (exit 2): the problem file, the form or a cleared run does not fit; the
sentence says what to change. `try again` (exit 75) was tried three times: is the store up?
Anything else is a bug with its traceback in the log. A red `exploration` harms no model.

**What is not an alarm.** `deployment` skipped: the evaluation refused the model, and today's goes
on serving. The reasons stand on the evaluation's page.

**Approval.** Where the problem file says `gates.approval: manual`, `approval` waits a day for a
person; no answer is a no.

**Again.** Clear the failed task: finished stages are kept and found again by their digests. For new
data start a new run; for a run without any cache tick *Without cache*.

**Pages.** The tab *Report* of the run and of each task.
"""

from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, task

from contract.facts import fact_rows
from contract.problem import Problem
from dags.catalogue import read_catalogue
from dags.factory import stage_factory
from dags.settings import ANSWER_LIMIT, RUN_LIMIT, at, default_args, page_of
from dags.trigger_form import lifecycle_form

FACTS = """| fact | value |
| --- | --- |
{% for label, text in fact_rows(ti.xcom_pull(task_ids='evaluation')['facts']) -%}
| {{ label }} | {{ text }} |
{% endfor %}"""


def build(problem: Problem) -> DAG:
    """Return the lifecycle of one problem."""
    name = problem.name
    manual = problem.gates.approval == "manual"
    stage = stage_factory(problem, {"deployment": f"{name}__champion"})

    with DAG(
        dag_id=f"{name}__lifecycle",
        description=problem.question,
        doc_md=page_of(__doc__ or "", problem),
        schedule=at(problem.schedule, problem.timezone),
        params=lifecycle_form(),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=RUN_LIMIT + ANSWER_LIMIT if manual else RUN_LIMIT,
        is_paused_upon_creation=False,
        default_args=default_args(problem),
        tags=["perennial", "lifecycle", name],
        user_defined_macros={"fact_rows": fact_rows},
    ) as dag:
        problem_stage = stage("problem")
        known = {"problem": problem_stage, "run": problem_stage}
        snapshot = stage("collection", **known)
        valid = stage("validation", **known, expectations=problem_stage, snapshot=snapshot)
        stage("exploration", **known, tables=valid)
        prepared = stage("preprocessing", **known, tables=valid)
        assignment = stage("split", **known, prepared=prepared)
        rows = {"prepared": prepared, "assignment": assignment}
        leaderboard = stage("selection", **known, **rows, schema=prepared)
        plan = stage("tuning", **known, **rows, schema=prepared, leaderboard=leaderboard)
        model = stage("training", **known, **rows, schema=prepared, plan=plan)
        judged = {"bundle": model, "twin": model, "forward": model, "recipe": model}
        verdict = stage("evaluation", **known, **rows, **judged)
        deployment = stage("deployment", **known, bundle=model, verdict=verdict)

        @task.branch(doc_md="Goes on only with a model that the evaluation has accepted.")
        def gate(result: dict[str, Any]) -> str | None:
            accepted = "approval" if manual else "deployment"
            return accepted if result["outcome"] == "accepted" else None

        branch = gate(verdict.output)  # type: ignore[arg-type] # Airflow puts the value in its place
        if manual:
            approval = ApprovalOperator(
                task_id="approval",
                subject=f"Deploy the new model of {name}?",
                body=FACTS,
                response_timeout=ANSWER_LIMIT,
                defaults="Reject",
                execution_timeout=None,
                doc_md="Waits for a person; no answer within a day is a no.",
            )
            branch >> approval >> deployment
        else:
            branch >> deployment
    return dag


for _problem in read_catalogue().problems:
    _dag = build(_problem)
    globals()[_dag.dag_id] = _dag
