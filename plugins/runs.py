"""What Airflow's database knows of runs: states, and the result or the error of each stage."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from pydantic import ValidationError
from sqlalchemy import select

from contract.manifest import Result
from contract.stages import STAGES

RESULT, WHY = "return_value", "why"


class StageOfRun(NamedTuple):
    """One task of a run."""

    task: str
    state: str
    seconds: float | None
    result: Result | None
    why: str


class RunOfDag(NamedTuple):
    """One run."""

    run_id: str
    state: str
    run_after: datetime


def stages_of(dag_id: str, run_id: str) -> list[StageOfRun]:
    """Return the tasks of a run, stages in the order of the cycle, then the others."""
    values = _values(dag_id, run_id)
    with create_session() as session:
        query = select(TaskInstance.task_id, TaskInstance.state, TaskInstance.duration).where(
            TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id
        )
        stages = [
            StageOfRun(
                task=name,
                state=str(getattr(state, "value", state) or "waiting"),
                seconds=seconds,
                result=_result(values.get((name, RESULT))),
                why=str(values.get((name, WHY), "")),
            )
            for name, state, seconds in session.execute(query)
        ]
    order = {name: number for number, name in enumerate(STAGES)}
    return sorted(stages, key=lambda entry: (order.get(entry.task, len(order)), entry.task))


def newest_run(dag_id: str) -> RunOfDag | None:
    """Return the run that began last; None before the first."""
    with create_session() as session:
        query = (
            select(DagRun.run_id, DagRun.state, DagRun.run_after)
            .where(DagRun.dag_id == dag_id, DagRun.start_date.is_not(None))
            .order_by(DagRun.start_date.desc())
            .limit(1)
        )
        row = session.execute(query).first()
    if row is None:
        return None
    run_id, state, run_after = row
    return RunOfDag(run_id, str(getattr(state, "value", state)), run_after)


def _values(dag_id: str, run_id: str) -> Mapping[tuple[str, str], Any]:
    with create_session() as session:
        query = select(XComModel).where(
            XComModel.dag_id == dag_id,
            XComModel.run_id == run_id,
            XComModel.key.in_([RESULT, WHY]),
        )
        return {
            (value.task_id, value.key): XComModel.deserialize_value(value)
            for value in session.scalars(query)
        }


def _result(value: object) -> Result | None:
    """Return the result of a stage; None for tasks that are no stages."""
    try:
        return Result.model_validate(value)
    except ValidationError:
        return None
