"""What every DAG has: owner, retries, limits, schedule; and the sentence that documents a stage."""

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable

from contract.problem import Problem
from dags.alarms import tell_failure

# A run that has begun is ended when it blocks its successors for a day.
RUN_LIMIT = timedelta(hours=24)
STAGE_LIMIT = timedelta(hours=2)
LONG_STAGE_LIMIT = timedelta(hours=6)
LONG_STAGES = frozenset({"collection", "selection", "tuning", "training"})
ANSWER_LIMIT = timedelta(days=1)  # a person's; then the answer is no

# The question that each stage answers: its documentation in Airflow.
QUESTIONS = {
    "problem": "What exactly is asked, up to when, and who serves today? Fixes the run.",
    "collection": "Where do the data come from, and are all of them here?",
    "validation": "Can these data be trusted? Bad rows are set aside; too many refuse the run.",
    "exploration": "What do the data look like, and what is odd about them? Warnings first.",
    "preprocessing": "How are missing values, types and joins handled? Fits nothing.",
    "split": "Which rows are for training, which for validation, and which are held out in the vault?",
    "selection": "Which kinds of model suit, against doing nothing?",
    "tuning": "With which settings, and how much better for it?",
    "training": "The model itself: refitted, exported as a signed bundle, with its card.",
    "evaluation": "Is it good enough, on rows that nobody has seen, and better than today's?",
    "deployment": "Can others use it, safely, now? Goes back by itself if not.",
    "monitoring": "Is the served model still good? What should happen, and why?",
}


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
        "execution_timeout": STAGE_LIMIT,
        "on_failure_callback": tell_failure,
    }


def limit(stage: str, problem: Problem) -> timedelta:
    """Return how long a stage may run; a deployment also as long as its canary bakes and holds."""
    canary = problem.serving.canary if stage == "deployment" else None
    if canary is not None:
        return STAGE_LIMIT + canary.longest
    return LONG_STAGE_LIMIT if stage in LONG_STAGES else STAGE_LIMIT


def at(cron: str | None, timezone: str) -> CronTriggerTimetable | None:
    """Return the schedule of a cron string; None: only when asked.

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
