"""How a DAG makes the stages of one problem: what is the same for all of them."""

from collections.abc import Callable, Mapping

from airflow.sdk import Asset

from contract.problem import Problem
from contract.stages import Stage as StageName
from dags.alarms import tell_outcome
from dags.settings import QUESTIONS, limit
from dags.stage.operator import Stage
from dags.trigger_form import run_params


def maker(problem: Problem, events: Mapping[str, str]) -> Callable[..., Stage]:
    """Return `stage(NAME, input=upstream, …)`, which adds a stage to the DAG that is being made.

    `events` names the asset event, for display, that a stage leaves behind.
    """
    sources = problem.environment_names()

    def stage(name: StageName, **takes: Stage) -> Stage:
        return Stage(
            task_id=name,
            problem=problem.name,
            takes=takes,
            asks=(lambda context: run_params(problem.name, context)) if not takes else None,
            sources=sources,
            needs=problem.resources_of(name),
            execution_timeout=limit(name, problem),
            doc_md=QUESTIONS[name],
            on_success_callback=tell_outcome,
            outlets=[Asset(events[name])] if name in events else None,
        )

    return stage
