"""Tell the owner what needs a person, and notice silence: once a day, apart from monitoring.

**When.** Daily, `alerts.after` (3 h) after monitoring, or by hand (`perennial alert NAME --test`).
`NAME__monitoring` finds and tells its own bad news; this run is for what it cannot tell: that there
was no verdict today, that no model serves, and what still waits to be delivered.

**What it says.** `quiet`: nothing needs a person. `open`: something does; each finding is told once,
weekly while it lasts, and once when it is over, by the channels of the problem file (`alerts`).

**What a red task means.** As in the lifecycle. A channel that takes nothing makes no task red: the
message waits, and the log of the task names the channel.

**A test.** Tick *Test the channels*: each gets one message, and `channels` returns what it answered.

**Pages.** The tab *Report* of the run and of each task.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, get_current_context, task

from contract.problem import Problem
from dags.catalogue import read_catalogue
from dags.delivery import try_channels
from dags.factory import stage_factory
from dags.settings import RUN_LIMIT, at, default_args, page_of
from dags.trigger_form import alerts_form

DAY = timedelta(days=1)


def daily_after(clock: str, after: timedelta) -> str:
    """Return the cron string of a time of day that lies `after` another.

    >>> daily_after("22:30", timedelta(hours=3))
    '30 1 * * *'
    """
    hour, minute = map(int, clock.split(":"))
    moment = (timedelta(hours=hour, minutes=minute) + after) % DAY
    return f"{moment.seconds // 60 % 60} {moment.seconds // 3600} * * *"


def build(problem: Problem) -> DAG:
    """Return the alerts of one problem."""
    name = problem.name
    stage = stage_factory(problem, {})
    schedule = daily_after(problem.monitoring.at, problem.alerts.after)

    with DAG(
        dag_id=f"{name}__alerts",
        description=f"Does anything need a person? {problem.question}",
        doc_md=page_of(__doc__ or "", problem),
        schedule=at(schedule, problem.timezone),
        params=alerts_form(),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=RUN_LIMIT,
        is_paused_upon_creation=False,
        default_args=default_args(problem),
        tags=["perennial", "alerts", name],
    ) as dag:
        problem_stage = stage("problem")
        alerts = stage("alerts", problem=problem_stage, run=problem_stage)

        @task(doc_md="Sends each channel a test message, where the run is a test.")
        def channels() -> list[dict[str, Any]]:
            context = get_current_context()
            if not context["params"].get("test"):
                return []
            return [delivery._asdict() for delivery in try_channels(problem, context)]

        alerts >> channels()
    return dag


for _problem in read_catalogue().problems:
    _dag = build(_problem)
    globals()[_dag.dag_id] = _dag
