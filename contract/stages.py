"""What each stage is, declared once: all that other rooms know of a stage by its name is read here.

A stage's name is its package in `tasks/`, its task id in Airflow, its word on the command line, in
manifests, and its page `docs/lifecycle/NAME.md`. `tests/contract/test_stages.py` holds that no other table of stages exists.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal


@dataclass(frozen=True)
class StageSecret:
    """A key that only the stages that name it may see; a file or a folder."""

    name: str
    """Of the Secret in a cluster."""
    variable: str
    """The environment variable that holds its path."""
    file: str | None = None
    """The file in the Secret; None: its whole folder."""


# Who may sign is not who may judge or deploy: each key goes to the stages that need it.
SIGNING_KEY = StageSecret("signing-key", "PERENNIAL_SIGNING_KEY", "signing.pem")
VERIFY_KEYS = StageSecret("verify-keys", "PERENNIAL_VERIFY_KEYS")
API_KEY = StageSecret("api-key", "PERENNIAL_API_KEY", "api.key")


@dataclass(frozen=True, kw_only=True)
class StageSpec:
    """One stage: what a scheduler, a cluster and a person must know to run it."""

    name: str
    question: str
    """What it answers: its documentation in Airflow."""
    plan: str
    """What it would do for a problem, as `perennial plan` says it; a format string over the names
    of `perennial/problems/effective_plan.py`."""
    memory: str = "2Gi"
    """Of its pod unless the problem says otherwise: 4Gi holds whole tables or many models."""
    limit: timedelta = timedelta(hours=2)
    """The time after which it is ended."""
    secrets: tuple[StageSecret, ...] = ()
    reads_problem_files: bool = False
    """It sees the folder of the problem files, `$PERENNIAL_PROBLEMS`."""
    reads_sources: bool = False
    """It sees the environment that the problem's sources mention, landed files and databases."""
    tells: bool = False
    """What waits for the owner is delivered when it has ended."""
    deploys: bool = False
    """It may use the Kubernetes API, and take as long as the problem's canary beyond its limit."""


CYCLE = (
    StageSpec(
        name="problem",
        question="Which learning task, on data up to when, and which model serves today? Fixes the run.",
        plan="fixes the run: its window, its reason, and this file",
        reads_problem_files=True,
    ),
    StageSpec(
        name="collection",
        question="Where do the data come from, and are all of them here?",
        plan="{sources}",
        limit=timedelta(hours=6),
        reads_sources=True,
    ),
    StageSpec(
        name="validation",
        question="Can these data be trusted? Bad rows are set aside; too many refuse the run.",
        plan="{checks.suite}, if there; at most {checks.quarantine.budget:.2%} of the rows set aside",
        memory="4Gi",
    ),
    StageSpec(
        name="exploration",
        question="What do the data look like, and what is odd about them? Warnings first.",
        plan="a page, warnings first",
        memory="4Gi",
    ),
    StageSpec(
        name="preprocessing",
        question="How are missing values, types and joins handled? Fits nothing.",
        plan="{joins}; fits nothing",
    ),
    StageSpec(
        name="split",
        question="Which rows train the model, which validate it, which are held out?",
        plan="by {split_by}: vault {split.vault:.0%}, validation {split.validation:.0%} of the rest",
    ),
    StageSpec(
        name="selection",
        question="Which kinds of model suit, compared with a constant prediction?",
        plan="dummy, {candidates}, on the same folds",
        memory="4Gi",
        limit=timedelta(hours=6),
    ),
    StageSpec(
        name="tuning",
        question="With which settings, and how much better for it?",
        plan="with selection at most {cpu_budget} of CPU time",
        memory="4Gi",
        limit=timedelta(hours=6),
    ),
    StageSpec(
        name="training",
        question="The model itself: refitted, exported as a signed bundle, with its card.",
        plan="train and validation together, never the vault; a signed bundle",
        memory="4Gi",
        limit=timedelta(hours=6),
        secrets=(SIGNING_KEY,),
    ),
    StageSpec(
        name="evaluation",
        question="Is it good enough, on rows that nobody has seen, and better than today's?",
        plan="{gates}",
        memory="4Gi",
        secrets=(VERIFY_KEYS,),
    ),
    StageSpec(
        name="deployment",
        question="Can others use it, safely, now? Goes back by itself if not.",
        plan="canary rows, then the champion moves{approval}",
        secrets=(VERIFY_KEYS, API_KEY),
        deploys=True,
    ),
    StageSpec(
        name="monitoring",
        question="Is the served model still good? What should happen, and why?",
        plan="daily at {monitoring.at} {timezone}, windows of {verdict_window}; "
        "retraining: {retraining.mode}",
        secrets=(VERIFY_KEYS,),
        reads_sources=True,
    ),
)
"""The stages of the cycle, in its order."""

TASKS = (
    *CYCLE,
    StageSpec(
        name="suggestion",
        question="What could the problem file of these data say?",
        plan="writes the first problem file from a person's data",
    ),
    StageSpec(
        name="alerts",
        question="Does anything need a person: broken data, silence, a model that no run mends?",
        plan="finds what needs a person, and tells the owner",
        memory="1Gi",
        limit=timedelta(minutes=15),
        tells=True,
    ),
)
"""All that `python -m tasks NAME` runs: the cycle, and what is run outside of it."""

STAGES: tuple[str, ...] = tuple(spec.name for spec in CYCLE)
# A name that is not in the cycle is refused where it is read, such as a key of a problem file.
if TYPE_CHECKING:
    Stage = str
else:
    Stage = Literal[STAGES]


def spec_of(name: str) -> StageSpec:
    """Return the declaration of a task; one that is not declared here has no rights beyond any's."""
    return _SPECS.get(name) or StageSpec(name=name, question="", plan="")


_SPECS = {spec.name: spec for spec in TASKS}
