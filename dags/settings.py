"""What every DAG has: owner, retries, limits, schedule and the operator's page."""

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable

from contract.problem import Problem
from contract.stages import StageSpec
from dags.alarms import OwnerNotifier

# A run that has begun is ended when it blocks its successors for a day.
RUN_LIMIT = timedelta(hours=24)
TASK_LIMIT = timedelta(hours=2)  # of a task that is no stage; a stage has its own
ANSWER_LIMIT = timedelta(days=1)  # a person's; then the answer is no


def default_args(problem: Problem) -> dict[str, Any]:
    """Return what every task of a problem has.

    Three tries: the second after 10 to 20 s, the third after 50 to 100 s, never later than 5 min;
    a store that restarts is back by then.
    """
    return {
        "owner": problem.owner,
        "retries": 2,
        "retry_delay": timedelta(seconds=10),
        "retry_exponential_backoff": 5,
        "max_retry_delay": timedelta(minutes=5),
        "execution_timeout": TASK_LIMIT,
        "on_failure_callback": OwnerNotifier(problem).failure,
    }


def limit(stage: StageSpec, problem: Problem) -> timedelta:
    """Return how long a stage may run; a deployment also as long as its canary bakes and holds."""
    canary = problem.serving.canary if stage.deploys else None
    return stage.limit + canary.longest if canary else stage.limit


def at(cron: str | None, timezone: str) -> CronTriggerTimetable | None:
    """Return the schedule of a cron string; None: only by hand.

    There is no start date and no run for the last missed tick: a DAG that is new waits for its
    first hour (`run_immediately=False` would still start it up to a tenth of the period late).
    """
    if cron is None:
        return None
    return CronTriggerTimetable(cron, timezone=timezone, run_immediately=timedelta(0))


def page_of(manual: str, problem: Problem) -> str:
    """Return the operator's page of one problem's DAG."""
    decision = f"\n\n{problem.decision}" if problem.decision else ""
    return f"**{problem.question}**{decision}\n\nOwner: {problem.owner}.\n\n{manual}"
