"""How a DAG makes the stages of one problem: the settings that all of them share."""

from collections.abc import Callable, Mapping

from airflow.sdk import Asset

from contract.problem import Problem
from contract.problem.resources import Resources
from contract.stages import STAGES, spec_of
from contract.stages import Stage as StageName
from dags.alarms import OwnerNotifier
from dags.delivery import DeliverOutbox
from dags.settings import limit
from dags.stage.operator import Stage
from dags.trigger_form import run_params


def stage_factory(problem: Problem, events: Mapping[str, str]) -> Callable[..., Stage]:
    """Return `stage(NAME, input=upstream, …)`, which adds a stage to the DAG that is being made.

    `events` names the asset event, for display, that a stage leaves behind.
    """
    sources = problem.environment_names()
    deliver, notify = DeliverOutbox(problem), OwnerNotifier(problem).outcome

    def stage(name: StageName, **takes: Stage) -> Stage:
        return Stage(
            task_id=name,
            problem=problem.name,
            takes=takes,
            make_params=(lambda context: run_params(problem.name, context)) if not takes else None,
            sources=sources,
            pod_resources=_resources(problem, name),
            execution_timeout=limit(spec_of(name), problem),
            doc_md=spec_of(name).question,
            on_success_callback=deliver if spec_of(name).tells else notify,
            outlets=[Asset(events[name])] if name in events else None,
        )

    return stage


def _resources(problem: Problem, name: str) -> Resources:
    """Return what a stage's pod is given; what is outside of the cycle has no key in the file."""
    return problem.resources_of(name) if name in STAGES else Resources(memory=spec_of(name).memory)
