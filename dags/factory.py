"""How a DAG makes the stages of one problem: the settings that all of them share."""

from collections.abc import Callable, Mapping

from airflow.sdk import Asset

from contract.problem import Problem
from contract.stages import CYCLE
from contract.stages import Stage as StageName
from dags.alarms import notify_outcome
from dags.settings import limit
from dags.stage.operator import Stage
from dags.trigger_form import run_params


def stage_factory(problem: Problem, events: Mapping[str, str]) -> Callable[..., Stage]:
    """Return `stage(NAME, input=upstream, …)`, which adds a stage to the DAG that is being made.

    `events` names the asset event, for display, that a stage leaves behind.
    """
    sources = problem.environment_names()
    specs = {spec.name: spec for spec in CYCLE}

    def stage(name: StageName, **takes: Stage) -> Stage:
        return Stage(
            task_id=name,
            problem=problem.name,
            takes=takes,
            make_params=(lambda context: run_params(problem.name, context)) if not takes else None,
            sources=sources,
            pod_resources=problem.resources_of(name),
            execution_timeout=limit(specs[name], problem),
            doc_md=specs[name].question,
            on_success_callback=notify_outcome,
            outlets=[Asset(events[name])] if name in events else None,
        )

    return stage
